#include "rules/plan_insert.hpp"

#include <algorithm>

#include "rules/check_sql.hpp"
#include "rules/identifiers.hpp"
#include "rules/insert_rows.hpp"
#include "rules/marker.hpp"

namespace rules {
namespace {

bool updates_any(const PgQuery__OnConflictClause* conflict, const std::vector<std::string>& columns) {
  if (conflict == nullptr) return false;
  return std::any_of(conflict->target_list, conflict->target_list + conflict->n_target_list,
                     [&](const node* item) {
                       const auto* target = as<PgQuery__ResTarget>(item);
                       return target != nullptr && contains(columns, text_of(target->name));
                     });
}

class insert_planner {
 public:
  insert_planner(const statement_context& context, const PgQuery__InsertStmt& insert, plan& both)
      : context_{context}, insert_{insert}, both_{both} {}

  void run() {
    const auto& named = *insert_.relation;
    for (const auto& meant : context_.book.targets_of(text_of(named.schemaname), text_of(named.relname))) {
      plan_rule(meant);
    }
  }

 private:
  void plan_rule(const target& meant) {
    const rule& configured = context_.book.rules[meant.rule];
    if (meant.defect) return count_unguarded(meant, *meant.defect);
    // The new value is then known only when the row that is there has been locked.
    const bool upserts = updates_any(insert_.on_conflict_clause, configured.columns);
    if (!configured.min && !configured.max) {
      if (upserts) return count_unguarded(meant, unguarded_reason::insert, true);
      return count(meant, statement_action::forward);
    }
    const insert_rows rows{context_, insert_, meant.table->table};
    std::vector<const column*> arbiters;
    const bool checkable = find_arbiters(rows, meant.table->table, arbiters);
    std::vector<std::size_t> known;
    bool all = insert_.select_stmt != nullptr && checkable;
    // What is given and cannot be known; a default is the schema's own business.
    bool hidden = upserts || !checkable;
    for (std::size_t row = 0; checkable && row < rows.size(); ++row) {
      bool any = false;
      for (const auto& name : configured.columns) {
        const auto how = rows.knows(row, name);
        all = all && how == known_value::exactly;
        hidden = hidden || (how != known_value::exactly && !rows.leaves_out(row, name));
        any = any || how != known_value::no;
      }
      if (any) known.push_back(row);
    }
    if (!known.empty()) {
      add_prelude(both_, prelude_for(meant, configured, rows, known, arbiters));
      count(meant, statement_action::check);
    }
    if (upserts || !all) count_unguarded(meant, unguarded_reason::insert, hidden);
  }

  // The columns by which ON CONFLICT knows a row that is there; its new value is then another one. False if
  // they cannot be told.
  [[nodiscard]] bool find_arbiters(const insert_rows& rows, const table& known,
                                   std::vector<const column*>& arbiters) const {
    if (insert_.on_conflict_clause == nullptr) return true;
    const auto* infer = insert_.on_conflict_clause->infer;
    if (infer == nullptr || infer->n_index_elems == 0 || infer->where_clause != nullptr) return false;
    for (std::size_t i = 0; i < infer->n_index_elems; ++i) {
      const auto* element = as<PgQuery__IndexElem>(infer->index_elems[i]);
      const auto* column = element == nullptr ? nullptr : find_column(known, text_of(element->name));
      if (column == nullptr) return false;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        if (rows.knows(row, column->name) == known_value::no) return false;
      }
      arbiters.push_back(column);
    }
    return true;
  }

  static std::string value(std::size_t index) { return "pgteller_w." + numbered("pgteller_v", index); }

  [[nodiscard]] prelude prelude_for(const target& meant, const rule& configured, const insert_rows& rows,
                                    const std::vector<std::size_t>& known,
                                    const std::vector<const column*>& arbiters) const {
    const guarded_table& guarded = *meant.table;
    std::vector<const column*> columns;
    for (const auto& name : configured.columns) columns.push_back(find_column(guarded.table, name));
    const std::size_t first_key = columns.size();
    for (const auto& name : guarded.key) columns.push_back(find_column(guarded.table, name));
    const std::size_t first_arbiter = columns.size();
    columns.insert(columns.end(), arbiters.begin(), arbiters.end());

    prelude made;
    made.rule = meant.rule;
    if (meant.one_schema) made.schema = guarded.table.schema;
    made.table = guarded.table.name;
    const auto key = key_text(guarded, [&](std::size_t i) { return value(first_key + i); });
    made.sql = "SELECT pg_catalog.count(CASE";
    for (std::size_t i = 0; i < first_key; ++i) {
      for (const auto& bound : bounds(configured, columns[i]->name)) {
        made.sql += " WHEN NOT (" + bound_holds(value(i), *columns[i], bound) + ")";
        made.sql += no_row_there(arbiters, first_arbiter);
        made.sql += "\n  THEN CAST(" + marker_sql(meant.rule, made.checks.size(), key, "") +
                    " AS pg_catalog.int4)\n ";
        made.checks.push_back(bound);
      }
    }
    // OFFSET 0 keeps the sub-select: constants pulled out of it would let a branch raise unasked.
    made.sql += " END)\nFROM (SELECT * FROM ";
    rows.append_relation(made, columns, known, "pgteller_v", false);
    made.sql += " OFFSET 0) pgteller_w";
    return made;
  }

  [[nodiscard]] std::string no_row_there(const std::vector<const column*>& arbiters,
                                         std::size_t first) const {
    if (arbiters.empty()) return {};
    std::string sql =
        " AND NOT EXISTS (SELECT 1 FROM " + relation_sql(*insert_.relation) + " pgteller_t\n  WHERE ";
    for (std::size_t i = 0; i < arbiters.size(); ++i) {
      if (i > 0) sql += " AND ";
      sql += "pgteller_t." + quoted_name(arbiters[i]->name) + " = " + value(first + i);
    }
    return sql += ")";
  }

  static std::vector<bound_check> bounds(const rule& configured, const std::string& column) {
    std::vector<bound_check> found;
    if (configured.min) found.push_back({column, true, *configured.min});
    if (configured.max) found.push_back({column, false, *configured.max});
    return found;
  }

  void count(const target& meant, statement_action action) {
    touch counted;
    counted.rule = meant.rule;
    counted.action = action;
    add_touch(both_, counted);
  }

  void count_unguarded(const target& meant, unguarded_reason reason, bool opaque = false) {
    auto counted = unguarded(meant.rule, statement_kind::other, reason);
    counted.opaque = opaque;
    add_touch(both_, counted);
  }

  const statement_context& context_;
  const PgQuery__InsertStmt& insert_;
  plan& both_;
};

}  // namespace

void plan_insert(const statement_context& context, const PgQuery__InsertStmt& insert, plan& both) {
  if (insert.relation != nullptr) insert_planner{context, insert, both}.run();
}

}  // namespace rules
