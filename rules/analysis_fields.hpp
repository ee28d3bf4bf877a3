// Every text of an analysis, and every offset into one, in a fixed order. Analyses that differ only in the
// client's literals have the same fields. Knows nothing of what they are changed to.
#pragma once

#include "rules/plan.hpp"

namespace rules::detail {

template <class Fields>
void each_field(Fields& fields, std::size_t client, insertion& own) {
  fields.offset(own.client_offset, client);
  const std::size_t text = fields.text(own.text);
  for (auto& hole : own.holes) fields.offset(hole.offset, text);
}

template <class Fields>
void each_field(Fields& fields, std::size_t client, prelude& hidden) {
  fields.text(hidden.schema);
  fields.text(hidden.table);
  const std::size_t sql = fields.text(hidden.sql);
  for (auto& stretch : hidden.copied) {
    fields.size(stretch.size, stretch.client_offset, client);
    fields.offset(stretch.client_offset, client);
    fields.offset(stretch.prelude_offset, sql);
  }
  for (auto& check : hidden.checks) {
    fields.text(check.column);
    fields.text(check.bound);
  }
  for (auto& own : hidden.insertions) each_field(fields, client, own);
  for (auto& hole : hidden.holes) fields.offset(hole.offset, sql);
}

template <class Fields>
void each_field(Fields& fields, std::vector<pinned_row>& rows) {
  for (auto& row : rows) {
    for (auto& column : row.columns) fields.text(column.constant);
  }
}

template <class Fields>
void each_field(Fields& fields, std::size_t client, plan& planned) {
  for (auto& hidden : planned.preludes) each_field(fields, client, hidden);
  for (auto& note : planned.reads) each_field(fields, note.rows);
  for (auto& note : planned.writes) {
    each_field(fields, note.rows);
    for (auto& value : note.values) {
      for (auto& piece : value.value) fields.text(piece.text);
    }
    for (auto& own : note.rebase) each_field(fields, client, own);
  }
  fields.text(planned.refusal);
  fields.text(planned.why);
}

/// `fields` is told: text(std::string&), which answers with the text's number; offset(std::uint32_t&, number
/// of the text that it is in); size(std::uint32_t&, where it begins, number of the text).
template <class Fields>
void each_field(Fields& fields, analysis& made) {
  const std::size_t client = fields.text(made.text);
  for (auto& statement : made.statements) {
    fields.offset(statement.begin, client);
    fields.offset(statement.end, client);
    each_field(fields, client, statement.in_block);
    each_field(fields, client, statement.autonomous);
  }
}

}  // namespace rules::detail
