#include "proxy/session/write_checks.hpp"

#include <string>
#include <utility>

#include "rules/identifiers.hpp"
#include "rules/marker.hpp"

namespace proxy::session {
namespace {

std::string numbered(const char* name, std::size_t index) {
  return "pgteller_w." + std::string(name) + std::to_string(index);
}

class check_writer {
 public:
  explicit check_writer(const check_request& request) : request_(request) {}

  sql_value write() {
    for (const recorded_read* record : request_.records) {
      if (request_.one_row && request_.tells_gone) gone(*record);
      changed(*record);
    }
    if (request_.reject_unread) unread();
    return std::move(made_);
  }

 private:
  void text(std::string_view sql) {
    if (made_.pieces.empty() || made_.pieces.back().value) made_.pieces.emplace_back();
    made_.pieces.back().text += sql;
  }

  void value(const sql_value& of) {
    for (const sql_value::piece& piece : of.pieces) {
      text(piece.text);
      if (piece.value) made_.pieces.back().value = piece.value;
    }
  }

  void raise(std::uint16_t check, const recorded_read* record, std::string_view old) {
    std::string key;
    for (std::size_t i = 0; i < request_.relation.key.size(); ++i) {
      // Not a constant, even where no row is there: PostgreSQL would evaluate it when it plans.
      const std::string known =
          record != nullptr && i < record->key.size() ? rules::quoted_literal(record->key[i]) : "''";
      key += (i > 0 ? " || ',' || " : "");
      key += "COALESCE(CAST(" + numbered("pgteller_key", i) + " AS pg_catalog.text), " + known + ")";
    }
    text(" THEN CAST(" + rules::marker_sql(request_.relation.rule, check, key, old) + " AS pg_catalog.int4)");
  }

  void gone(const recorded_read& record) {
    text(" WHEN " + numbered("pgteller_key", 0) + " IS NULL");
    raise(rules::gone_row, &record, "");
  }

  /// True for the record's row.
  void is_row(const recorded_read& record) {
    for (std::size_t i = 0; i < record.key.size() && i < request_.relation.key.size(); ++i) {
      const rules::column& key = request_.relation.key[i];
      if (i > 0) text(" AND ");
      text(numbered("pgteller_key", i) + " = ");
      value(cast({.type = key.type_oid, .format = 0, .bytes = record.key[i]}, key.type));
    }
  }

  void changed(const recorded_read& record) {
    for (std::size_t j = 0; j < record.columns.size(); ++j) {
      const auto& values = record.columns[j].any_of;
      if (values.empty() && !record.differed) continue;
      text(" WHEN ");
      if (!request_.one_row) is_row(record);
      if (!request_.one_row && !record.differed) text(" AND ");
      if (request_.one_row && record.differed) text("true");
      if (!record.differed) is_other(numbered("pgteller_old", j), values);
      const std::string old = numbered("pgteller_old", j);
      raise(rules::changed_row, &record,
            request_.book.log_values() ? "COALESCE(CAST(" + old + " AS pg_catalog.text), 'NULL')" : "");
      if (record.differed) return;
    }
  }

  void is_other(const std::string& old, const std::vector<sql_value>& values) {
    text("NOT (");
    for (std::size_t i = 0; i < values.size(); ++i) {
      text((i > 0 ? " OR " : "") + old + " IS NOT DISTINCT FROM ");
      value(values[i]);
    }
    text(")");
  }

  void unread() {
    text(" WHEN " + numbered("pgteller_key", 0) + " IS NOT NULL");
    for (const recorded_read* record : request_.records) {
      text(" AND NOT (");
      is_row(*record);
      text(")");
    }
    raise(rules::unread_row, nullptr, "");
  }

  const check_request& request_;
  sql_value made_;
};

}  // namespace

sql_value write_checks(const check_request& request) {
  return check_writer{request}.write();
}

}  // namespace proxy::session
