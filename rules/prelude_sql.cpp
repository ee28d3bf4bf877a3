#include "rules/prelude_sql.hpp"

#include <algorithm>
#include <charconv>

#include "rules/identifiers.hpp"
#include "rules/marker.hpp"

// The shape, and why (tried on PostgreSQL 15):
//
//   SELECT set_config('lock_timeout', min(pgteller_t.pgteller_was), true), count(…checks over pgteller_w…)
//   FROM (SELECT current_setting(…) AS pgteller_was, set_config(…) AS pgteller_now OFFSET 0) pgteller_t
//   LEFT JOIN LATERAL (SELECT …keys, new values… FROM … WHERE (…) AND pgteller_t.pgteller_now IS NOT NULL
//                      ORDER BY keys FOR NO KEY UPDATE OF …) pgteller_w ON true
//
// The checks stand above the sub-select's LockRows, so they see the newest row version alone. min() is
// complete only after the last row is locked, so the client's lock_timeout comes back last; LEFT JOIN brings
// it back also when no row matches; OFFSET 0 keeps the sub-select, so set_config runs once, before the first
// lock.

namespace rules {
namespace {

class sql_writer {
 public:
  sql_writer(const token_text& text, prelude& into) : text_{text}, into_{into} {}

  sql_writer& raw(std::string_view sql) {
    into_.sql += sql;
    return *this;
  }

  /// The client's text, with its parameters renumbered.
  sql_writer& copy(token_range range) {
    if (range.empty()) return *this;
    const auto& tokens = text_.tokens();
    std::uint32_t from = tokens[range.first].begin;
    for (std::size_t i = range.first; i < range.last; ++i) {
      if (tokens[i].kind != token_kind::parameter) continue;
      stretch(from, tokens[i].begin);
      into_.sql += '$' + std::to_string(renumbered(tokens[i]));
      from = tokens[i].end;
    }
    stretch(from, tokens[range.last - 1].end);
    return *this;
  }

 private:
  void stretch(std::uint32_t from, std::uint32_t to) {
    if (from >= to) return;
    into_.copied.push_back({static_cast<std::uint32_t>(into_.sql.size()), from, to - from});
    into_.sql += text_.text().substr(from, to - from);
  }

  std::size_t renumbered(const token& parameter) {
    const auto digits = text_.text().substr(parameter.begin + 1, parameter.end - parameter.begin - 1);
    std::uint16_t number = 0;  // beyond 65535 PostgreSQL refuses the statement itself
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    auto& known = into_.parameters;
    const auto found = std::find(known.begin(), known.end(), number);
    const auto index = static_cast<std::size_t>(found - known.begin());
    if (found == known.end()) known.push_back(number);
    return index + 1;
  }

  const token_text& text_;
  prelude& into_;
};

std::string numbered(std::string_view name, std::size_t index) {
  return std::string{name} + std::to_string(index);
}

std::string_view lock_words(row_lock lock, bool write) {
  switch (lock) {
    case row_lock::update:
      return "FOR UPDATE";
    case row_lock::share:
      // Two writers that first share a row would wait for each other.
      return write ? "FOR NO KEY UPDATE" : "FOR SHARE";
    case row_lock::no_key_update:
      break;
  }
  return "FOR NO KEY UPDATE";
}

/// SQL that is true, or null, if `value`, of the type of `assigned`, keeps the bound.
std::string bound_holds(const std::string& value, const column& assigned, const bound_check& bound) {
  std::string number = bound.bound.starts_with('-') ? "(" + bound.bound + ")" : bound.bound;
  const auto type = number_type_of(assigned);
  if (type == number_type::money) number = "CAST(" + number + " AS pg_catalog.money)";
  std::string sql = value + (bound.is_min ? " >= " : " <= ") + number;
  // NaN sorts above every number; it must not pass for a balance.
  if (type == number_type::decimal) sql += " AND " + value + " <> 'NaN'";
  if (type == number_type::unknown) sql += " AND CAST(" + value + " AS pg_catalog.text) <> 'NaN'";
  return sql;
}

std::string as_text(const std::string& value) {
  return "COALESCE(CAST(" + value + " AS pg_catalog.text), '')";
}

/// The row's key for a marker; `column_of` names the key's column by its place.
template <class ColumnOf>
std::string key_text(const guarded_table& guarded, ColumnOf column_of) {
  std::string sql;
  for (std::size_t i = 0; i < guarded.key.size(); ++i) {
    if (i > 0) sql += " || ',' || ";
    sql += as_text(column_of(i));
  }
  return sql;
}

class prelude_writer {
 public:
  prelude_writer(const token_text& text, const prelude_request& request, prelude& into)
      : request_{request}, into_{into}, out_{text, into} {}

  void write() {
    const bool timed = request_.configured->lock_timeout.count() > 0;
    out_.raw("SELECT ");
    if (timed)
      out_.raw("pg_catalog.set_config('lock_timeout', pg_catalog.min(pgteller_t.pgteller_was), true), ");
    out_.raw("pg_catalog.count(");
    checks();
    out_.raw(")\nFROM ");
    if (timed) timeout();
    out_.raw("(\n");
    rows(timed);
    out_.raw(") pgteller_w");
    if (timed) out_.raw(" ON true");
  }

 private:
  // A shorter lock_timeout of the client's own stays; 0 means none.
  void timeout() {
    const auto limit = "'" + std::to_string(request_.configured->lock_timeout.count()) + "ms'";
    out_.raw(
            "(SELECT pg_catalog.current_setting('lock_timeout') AS pgteller_was, "
            "pg_catalog.set_config('lock_timeout', "
            "CASE WHEN CAST(pg_catalog.current_setting('lock_timeout') AS pg_catalog.interval) BETWEEN '1ms' "
            "AND ")
        .raw(limit)
        .raw(" THEN pg_catalog.current_setting('lock_timeout') ELSE ")
        .raw(limit)
        .raw(" END, true) AS pgteller_now OFFSET 0) pgteller_t\nLEFT JOIN LATERAL ");
  }

  void checks() {
    if (into_.checks.empty()) {
      out_.raw("pgteller_w.pgteller_key0");
      return;
    }
    const auto column = [](std::string_view name, std::size_t i) {
      return "pgteller_w." + numbered(name, i);
    };
    const auto key = key_text(*request_.guarded, [&](std::size_t i) { return column("pgteller_key", i); });
    out_.raw("CASE");
    std::size_t check = 0;
    for (std::size_t i = 0; i < request_.values.size(); ++i) {
      const auto& value = request_.values[i];
      for (const auto& bound : value.checks) {
        out_.raw(" WHEN NOT (").raw(bound_holds(column("pgteller_new", i), *value.assigned, bound));
        out_.raw(")\n  THEN CAST(");
        const auto old = request_.log_values ? as_text(column("pgteller_old", i)) : "";
        out_.raw(marker_sql(check++, key, old)).raw(" AS pg_catalog.int4)\n ");
      }
    }
    out_.raw(" END");
  }

  std::string key_columns(std::string_view alias, bool named) const {
    std::string sql;
    for (std::size_t i = 0; i < request_.guarded->key.size(); ++i) {
      if (i > 0) sql += ", ";
      sql += quoted_name(alias) + "." + quoted_name(request_.guarded->key[i]);
      if (named) sql += " AS " + numbered("pgteller_key", i);
    }
    return sql;
  }

  void rows(bool timed) {
    const bool by_key = request_.sources.size() > 1 || request_.sources.front().by_key;
    const std::string alias = by_key ? "pgteller_r" : request_.sources.front().alias;
    if (!by_key && !request_.sources.front().with.empty()) out_.copy(request_.sources.front().with).raw("\n");
    out_.raw("SELECT ").raw(key_columns(alias, true));
    for (std::size_t i = 0; i < request_.values.size(); ++i) value(i, alias);
    out_.raw("\nFROM ");
    if (by_key) {
      keys_of_sources();
    } else {
      from(request_.sources.front());
    }
    const auto& source = request_.sources.front();
    const bool filtered = !by_key && !source.where.empty();
    if (by_key || filtered || timed) out_.raw(by_key ? "" : "\nWHERE ");
    if (filtered) condition(source);
    if (timed) out_.raw(by_key || filtered ? " AND " : "").raw("pgteller_t.pgteller_now IS NOT NULL");
    out_.raw("\nORDER BY ");
    for (std::size_t i = 0; i < request_.guarded->key.size(); ++i) {
      out_.raw(i > 0 ? ", " : "").raw(std::to_string(i + 1));
    }
    out_.raw(" ")
        .raw(lock_words(request_.configured->row_lock, request_.write))
        .raw(" OF ")
        .raw(quoted_name(alias));
  }

  void condition(const row_source& source) {
    if (source.key_conditions.empty()) out_.raw("(").copy(source.where).raw(")");
    for (std::size_t i = 0; i < source.key_conditions.size(); ++i) {
      out_.raw(i > 0 ? " AND (" : "(").copy(source.key_conditions[i]).raw(")");
    }
  }

  // A row that is locked by its key alone gets a new value only if the client's whole condition holds.
  void value(std::size_t index, std::string_view alias) {
    const auto& assigned = request_.values[index];
    const auto& source = request_.sources.front();
    const bool conditional = !source.key_conditions.empty();
    out_.raw(", ");
    if (conditional) out_.raw("CASE WHEN ").copy(source.where).raw(" THEN ");
    out_.raw("CAST(").copy(assigned.expression).raw(" AS ").raw(assigned.assigned->type).raw(")");
    out_.raw(conditional ? " END AS " : " AS ").raw(numbered("pgteller_new", index));
    if (!request_.log_values) return;
    out_.raw(", ").raw(quoted_name(alias)).raw(".").raw(quoted_name(assigned.assigned->name));
    out_.raw(" AS ").raw(numbered("pgteller_old", index));
  }

  void from(const row_source& source) {
    out_.copy(source.relation);
    if (!source.relation.empty() && !source.from.empty()) out_.raw(", ");
    out_.copy(source.from);
  }

  void keys_of_sources() {
    out_.raw(request_.relation_sql).raw(" AS pgteller_r\nWHERE (");
    out_.raw(key_columns("pgteller_r", false)).raw(") IN (\n");
    for (std::size_t i = 0; i < request_.sources.size(); ++i) {
      if (i > 0) out_.raw("\nUNION ALL\n");
      keys_of(request_.sources[i]);
    }
    out_.raw(")");
  }

  // Several in brackets, so that an ORDER BY or a WITH stays its own in the union.
  void keys_of(const row_source& source) {
    const bool several = request_.sources.size() > 1;
    if (several) out_.raw("(");
    if (!source.targets.empty()) out_.raw("SELECT ").raw(key_columns_of_limited());
    if (!source.targets.empty()) out_.raw(" FROM (");
    if (!source.with.empty()) out_.copy(source.with).raw("\n");
    out_.raw("SELECT ");
    if (!source.targets.empty()) out_.copy(source.targets).raw(", ");
    out_.raw(key_columns(source.alias, !source.targets.empty())).raw("\nFROM ");
    from(source);
    if (!source.where.empty()) out_.raw("\nWHERE ");
    if (!source.where.empty()) condition(source);
    if (!source.order_and_limit.empty()) out_.raw("\n").copy(source.order_and_limit);
    if (!source.targets.empty()) out_.raw(") pgteller_s");
    if (several) out_.raw(")");
  }

  std::string key_columns_of_limited() const {
    std::string sql;
    for (std::size_t i = 0; i < request_.guarded->key.size(); ++i) {
      sql += (i > 0 ? ", pgteller_s." : "pgteller_s.") + numbered("pgteller_key", i);
    }
    return sql;
  }

  const prelude_request& request_;
  prelude& into_;
  sql_writer out_;
};

}  // namespace

std::vector<insertion> write_insertions(const token_text& text, const prelude_request& request) {
  std::vector<insertion> made;
  const std::string alias = quoted_name(request.sources.front().alias);
  const auto key = key_text(
      *request.guarded, [&](std::size_t i) { return alias + "." + quoted_name(request.guarded->key[i]); });
  std::size_t check = 0;
  for (const auto& value : request.values) {
    if (number_type_of(*value.assigned) == number_type::unknown) return {};
    const std::string& type = value.assigned->type;
    const auto old =
        request.log_values ? as_text(alias + "." + quoted_name(value.assigned->name)) : std::string{};
    // The value is computed once, whatever it is: OFFSET 0 keeps the sub-select. Only what has no type of its
    // own is given the column's; the rest is left to the assignment, which accepts less than an explicit
    // cast.
    const bool cast = value.untyped || number_type_of(*value.assigned) == number_type::money;
    const std::string checked = cast ? "pgteller_new" : "CAST(pgteller_new AS " + type + ")";
    std::string before = "(SELECT CASE";
    for (const auto& bound : value.checks) {
      before += " WHEN NOT (" + bound_holds(checked, *value.assigned, bound) + ") THEN CAST(CAST(" +
                marker_sql(check++, key, old) + " AS pg_catalog.int4) AS " + type + ")";
    }
    before += " ELSE pgteller_new END FROM (SELECT ";
    before += cast ? "CAST((" : "(";
    const auto& tokens = text.tokens();
    made.push_back({tokens[value.expression.first].begin, std::move(before)});
    made.push_back({tokens[value.expression.last - 1].end, (cast ? ") AS " + type + ")" : std::string{")"}) +
                                                               " AS pgteller_new OFFSET 0) pgteller_s)"});
  }
  std::stable_sort(made.begin(), made.end(), [](const insertion& one, const insertion& other) {
    return one.client_offset < other.client_offset;
  });
  return made;
}

prelude write_prelude(const token_text& text, const prelude_request& request) {
  prelude made;
  made.rule = request.rule_index;
  if (request.one_schema) made.schema = request.guarded->table.schema;
  made.table = request.guarded->table.name;
  made.before_bind = !request.write;
  for (const auto& value : request.values) {
    made.checks.insert(made.checks.end(), value.checks.begin(), value.checks.end());
  }
  prelude_writer{text, request, made}.write();
  return made;
}

}  // namespace rules
