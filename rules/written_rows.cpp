#include "rules/written_rows.hpp"

#include <algorithm>

#include "rules/conjuncts.hpp"
#include "rules/named_rows.hpp"

namespace rules {
namespace {

bool is_key_alone(const row_source& rows) {
  if (rows.key_conditions.empty()) return false;
  std::size_t tokens = rows.key_conditions.size() - 1;  // the ANDs
  for (const auto& each : rows.key_conditions) tokens += each.last - each.first;
  return tokens == rows.where.last - rows.where.first;
}

bool has_row_value(const node* where) {
  bool found_one = false;
  walk(where, [&](const message* found) {
    found_one = found_one || as<PgQuery__RowExpr>(found) != nullptr;
    return !found_one;
  });
  return found_one;
}

}  // namespace

written_rows::written_rows(const statement_context& context, const PgQuery__RangeVar& target,
                           const node* where, node* const* others, std::size_t count)
    : context_{context}, where_{where}, others_{others}, count_{count} {
  add_relation(inside_, context.book, target, false);
  scope rest = make_scope(context.book, others, count, nullptr, nullptr);
  for (auto& other : rest.relations) inside_.relations.push_back(std::move(other));
  pinned_ = pins_of(target_relation(), inside_, where_, nullptr, 0);
  if (count_ > 0) pinned_.leaves_out();
}

bool written_rows::one_row(const target& guarding) const {
  return pins_unique(pinned_, *guarding.table, pin::value);
}

std::optional<prelude_request> written_rows::request(const target& guarding, token_range relation,
                                                     token_range from, token_range where) const {
  if (calls_volatile(context_.book, content(where_)) || calls_volatile(context_.book, others_, count_) ||
      has_twin()) {
    return std::nullopt;
  }
  prelude_request made;
  made.rule_index = guarding.rule;
  made.configured = &context_.book.rules[guarding.rule];
  made.guarded = guarding.table;
  made.one_schema = guarding.one_schema;
  made.write = true;
  made.log_values = context_.book.log_values;
  row_source rows;
  rows.alias = target_relation().alias;
  rows.relation = relation;
  rows.from = from;
  rows.where = where;
  if (inside_.relations.size() == 1) {
    rows.key_conditions =
        key_conditions(context_.text, where, where_, target_relation(), inside_, *guarding.table);
    rows.few = !rows.key_conditions.empty();
    // The whole condition is the key's: nothing is left to hold besides.
    if (is_key_alone(rows)) rows.key_conditions.clear();
  }
  made.sources.push_back(std::move(rows));
  return made;
}

bool written_rows::tells_gone(const target& guarding, const prelude_request& request) const {
  if (!alone() || has_row_value(where_)) return false;
  const auto rows = rows_named(pinned_, *guarding.table);
  if (rows.size() != 1 || !rows.front().by_key) return false;
  const auto& chosen = request.sources.front().key_conditions;
  // A condition more than the key has columns is one that contradicts another.
  return chosen.empty() ? says_no_more(pinned_, *guarding.table, rows)
                        : chosen.size() == guarding.table->key.size();
}

std::vector<write_note> written_rows::notes(const target& guarding, statement_kind kind) const {
  auto made = notes_of_any_row(guarding, kind);
  for (const auto* guarded : guarding.tables) {
    const auto note = std::find_if(made.begin(), made.end(), [guarded](const write_note& one) {
      return one.relation == guarded->relation;
    });
    if (note == made.end()) continue;
    note->rows = rows_named(pinned_, *guarded);
    note->every_row = says_no_more(pinned_, *guarded, note->rows);
  }
  return made;
}

bool written_rows::has_twin() const {
  const auto& all = inside_.relations;
  return std::any_of(all.begin() + 1, all.end(),
                     [&](const relation& other) { return other.alias == all.front().alias; });
}

std::vector<write_note> notes_of_any_row(const target& guarding, statement_kind kind) {
  std::vector<write_note> made;
  for (const auto* guarded : guarding.tables) {
    if (guarded->relation == no_relation) continue;
    write_note note;
    note.relation = guarded->relation;
    note.kind = kind;
    made.push_back(std::move(note));
  }
  return made;
}

void add_notes(plan& into, std::vector<write_note> notes, std::int16_t prelude) {
  for (auto& note : notes) {
    note.prelude = prelude;
    into.writes.push_back(std::move(note));
  }
}

}  // namespace rules
