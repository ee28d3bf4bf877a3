#include "rules/prelude_sql.hpp"

#include <algorithm>

#include "rules/check_sql.hpp"
#include "rules/identifiers.hpp"
#include "rules/marker.hpp"
#include "rules/sql_writer.hpp"

// The shape, and why (tried on PostgreSQL 15):
//
//   SELECT set_config('lock_timeout', pgteller_t.was, true), pgteller_t.locked
//   FROM (VALUES (current_setting('lock_timeout'), set_config('lock_timeout', …, true), cardinality(ARRAY(
//     SELECT …checks over pgteller_w… FROM (
//       SELECT …keys, new values… FROM … WHERE … ORDER BY keys FOR NO KEY UPDATE OF …) pgteller_w))))
//     pgteller_t (was, now, locked)
//
// The values of a row are computed in their order, each once, and a sub-select runs when its value is asked
// for: so the client's lock_timeout is kept, the rule's is set, the rows are locked and checked, and the
// client's comes back last, also when no row matches. The checks stand above the sub-select's LockRows, so
// they see the newest row version alone. Rows that no key names are counted instead: an array of millions
// would take memory. Any other shape that was tried (sub-selects with OFFSET 0, LATERAL) takes PostgreSQL
// twice as long to plan.

namespace rules {
namespace {

std::string_view lock_words(row_lock lock, const prelude_request& request) {
  if (request.removes) return "FOR UPDATE";  // as DELETE itself does
  switch (lock) {
    case row_lock::update:
      return "FOR UPDATE";
    case row_lock::share:
      // Two writers that first share a row would wait for each other.
      return request.write ? "FOR NO KEY UPDATE" : "FOR SHARE";
    case row_lock::no_key_update:
      break;
  }
  return "FOR NO KEY UPDATE";
}

class prelude_writer {
 public:
  prelude_writer(const token_text& text, const prelude_request& request, prelude& into)
      : request_{request}, into_{into}, out_{text, into} {}

  void write() {
    const auto limit = request_.configured->lock_timeout.count();
    if (limit <= 0) {
      out_.raw("SELECT ");
      return locked_rows();
    }
    out_.raw("SELECT pg_catalog.set_config('lock_timeout', pgteller_t.was, true), pgteller_t.locked\n")
        .raw("FROM (VALUES (pg_catalog.current_setting('lock_timeout'),\n")
        .raw("pg_catalog.set_config('lock_timeout', ");
    shorter_of("'" + std::to_string(limit) + "ms'");
    out_.raw(", true),\n");
    locked_rows();
    out_.raw(")) pgteller_t (was, now, locked)");
  }

 private:
  // A shorter lock_timeout of the client's own stays; 0 means none.
  void shorter_of(const std::string& limit) {
    out_.raw("CASE WHEN CAST(pg_catalog.current_setting('lock_timeout') AS pg_catalog.interval) ")
        .raw("BETWEEN '1ms' AND " + limit + " THEN pg_catalog.current_setting('lock_timeout') ELSE " + limit)
        .raw(" END");
  }

  /// An expression: how many rows there are, once all are locked and checked.
  void locked_rows() {
    const bool few = std::all_of(request_.sources.begin(), request_.sources.end(),
                                 [](const row_source& source) { return source.few; });
    if (few && into_.checks.empty() && !request_.validates) {
      out_.raw("pg_catalog.cardinality(ARRAY(\n");
      rows(false);
      out_.raw("))");
      return;
    }
    out_.raw(few ? "pg_catalog.cardinality(ARRAY(SELECT " : "(SELECT pg_catalog.count(");
    checks();
    out_.raw(few ? "\nFROM " : ")\nFROM ");
    // A row that is gone is seen only where something stands for it.
    if (request_.validates) out_.raw("(SELECT 1) pgteller_s\nLEFT JOIN ");
    out_.raw("(\n");
    rows(true);
    out_.raw(") pgteller_w");
    if (request_.validates) out_.raw(" ON true");
    out_.raw(few ? "))" : ")");
  }

  static std::string of_row(std::string_view name, std::size_t index) {
    return "pgteller_w." + numbered(name, index);
  }

  void checks() {
    if (into_.checks.empty() && !request_.validates) {
      out_.raw("pgteller_w.pgteller_key0");
      return;
    }
    const auto key = key_text(*request_.guarded, [](std::size_t i) { return of_row("pgteller_key", i); });
    out_.raw("CASE");
    if (request_.validates) hole_here(hole_kind::checks, 0);
    std::size_t check = 0;
    for (std::size_t i = 0; i < request_.values.size(); ++i) {
      const auto& value = request_.values[i];
      for (const auto& bound : value.checks) {
        out_.raw(" WHEN NOT (").raw(bound_holds(new_value_of(i), *value.assigned, bound));
        out_.raw(")\n  THEN CAST(");
        const auto old = request_.log_values ? as_text(of_row("pgteller_old", value.place)) : "";
        out_.raw(marker_sql(request_.rule_index, check++, key, old)).raw(" AS pg_catalog.int4)\n ");
      }
    }
    // CASE needs a branch, whatever the hole is given.
    if (request_.validates) out_.raw(" WHEN pgteller_w.pgteller_key0 IS NOT NULL THEN 1");
    out_.raw(" END");
  }

  [[nodiscard]] std::string new_value_of(std::size_t index) const {
    const auto& value = request_.values[index];
    const auto written = of_row("pgteller_new", index);
    if (!value.rebased) return written;
    return rebased_value(of_row("pgteller_old", value.place), written, of_row("pgteller_read", index),
                         value.assigned->type, "NULL");
  }

  void hole_here(hole_kind kind, std::uint16_t column) {
    into_.holes.push_back({static_cast<std::uint32_t>(into_.sql.size()), kind, column});
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

  /// `shown`: keys and values are told to what stands around it.
  void rows(bool shown) {
    const bool by_key = request_.sources.size() > 1 || request_.sources.front().by_key;
    const std::string alias = by_key ? "pgteller_r" : request_.sources.front().alias;
    if (!by_key && !request_.sources.front().with.empty()) out_.copy(request_.sources.front().with).raw("\n");
    out_.raw("SELECT ").raw(shown ? key_columns(alias, true) : "1");
    for (std::size_t i = 0; i < request_.values.size(); ++i) value(i);
    old_values(alias);
    out_.raw("\nFROM ");
    if (by_key) {
      keys_of_sources();
    } else {
      from(request_.sources.front());
    }
    const auto& source = request_.sources.front();
    const bool filtered = !by_key && !source.where.empty();
    if (filtered) out_.raw("\nWHERE ");
    if (filtered) condition(source);
    out_.raw("\nORDER BY ")
        .raw(key_columns(alias, false))
        .raw(" ")
        .raw(lock_words(request_.configured->row_lock, request_))
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
  void value(std::size_t index) {
    const auto& assigned = request_.values[index];
    if (assigned.checks.empty()) return;
    const auto& source = request_.sources.front();
    const bool conditional = !source.key_conditions.empty();
    const std::string& type = assigned.assigned->type;
    out_.raw(", ");
    if (conditional) out_.raw("CASE WHEN ").copy(source.where).raw(" THEN ");
    out_.raw("CAST(").copy(assigned.expression).raw(" AS ").raw(type).raw(")");
    out_.raw(conditional ? " END AS " : " AS ").raw(numbered("pgteller_new", index));
    if (!assigned.rebased) return;
    out_.raw(", CAST(");
    hole_here(hole_kind::read, assigned.place);
    out_.raw(" AS ").raw(type).raw(") AS ").raw(numbered("pgteller_read", index));
  }

  // What the row holds now: all guarded columns where they may be compared, else those that errors show.
  void old_values(std::string_view alias) {
    const auto& columns = request_.configured->columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool shown =
          request_.log_values &&
          std::any_of(request_.values.begin(), request_.values.end(),
                      [i](const new_value& value) { return value.place == i && !value.checks.empty(); });
      if (!request_.validates && !shown) continue;
      out_.raw(", ").raw(quoted_name(alias)).raw(".").raw(quoted_name(columns[i]));
      out_.raw(" AS ").raw(numbered("pgteller_old", i));
    }
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
