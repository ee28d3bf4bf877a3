#include <algorithm>

#include "rules/insert_rows.hpp"
#include "rules/once_sql.hpp"
#include "rules/plan_insert.hpp"

namespace rules {
namespace {

bool assigns_any(node* const* targets, std::size_t count, const std::vector<std::string>& columns) {
  return std::any_of(targets, targets + count, [&](const node* item) {
    const auto* target = as<PgQuery__ResTarget>(item);
    return target != nullptr && contains(columns, text_of(target->name));
  });
}

bool inserts_or_moves(const PgQuery__MergeStmt& merge, const std::vector<std::string>& key) {
  return std::any_of(merge.merge_when_clauses, merge.merge_when_clauses + merge.n_merge_when_clauses,
                     [&](const node* item) {
                       const auto* when = as<PgQuery__MergeWhenClause>(item);
                       return when == nullptr || when->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT ||
                              assigns_any(when->target_list, when->n_target_list, key);
                     });
}

bool runs_only_to_explain(const message* statement) {
  const auto* explained = as<PgQuery__ExplainStmt>(statement);
  if (explained == nullptr) return false;
  return !explain_runs(*explained);
}

// ON CONFLICT on the key itself, or on whatever unique index the key has.
bool client_decides(const PgQuery__OnConflictClause* conflict, const guarded_table& guarded) {
  if (conflict == nullptr) return false;
  const auto* infer = conflict->infer;
  if (infer == nullptr) {
    const auto& known = guarded.table;
    const auto has_key = [&](const std::vector<std::string>& unique) {
      return !unique.empty() && std::all_of(unique.begin(), unique.end(), [&](const std::string& column) {
        return contains(guarded.key, column);
      });
    };
    return has_key(known.primary_key) ||
           std::any_of(known.unique_keys.begin(), known.unique_keys.end(), has_key);
  }
  if (infer->where_clause != nullptr || infer->n_index_elems != guarded.key.size()) return false;
  return std::all_of(infer->index_elems, infer->index_elems + infer->n_index_elems, [&](const node* item) {
    const auto* element = as<PgQuery__IndexElem>(item);
    return element != nullptr && contains(guarded.key, text_of(element->name));
  });
}

class once_planner {
 public:
  once_planner(const statement_context& context, const message* statement, plan& both)
      : context_{context}, statement_{statement}, both_{both} {}

  void run() {
    if (runs_only_to_explain(statement_)) return;
    walk(statement_, [&](const message* found) {
      look(found);
      return true;
    });
    if (doubt_) add_prelude(both_, std::move(*doubt_));
  }

 private:
  void look(const message* found) {
    if (const auto* insert = as<PgQuery__InsertStmt>(found)) {
      each_rule(insert->relation, [&](const target& meant) { inserted(meant, *insert, found); });
    } else if (const auto* update = as<PgQuery__UpdateStmt>(found)) {
      each_rule(update->relation, [&](const target& meant) {
        if (assigns_any(update->target_list, update->n_target_list, meant.table->key))
          count(meant.rule, aside(found).value_or(unguarded_reason::expression));
      });
    } else if (const auto* merge = as<PgQuery__MergeStmt>(found)) {
      each_rule(merge->relation, [&](const target& meant) {
        if (inserts_or_moves(*merge, meant.table->key))
          count(meant.rule, aside(found).value_or(unguarded_reason::merge));
      });
    } else if (const auto* copy = as<PgQuery__CopyStmt>(found); copy != nullptr && copy->is_from) {
      each_rule(copy->relation, [&](const target& meant) { count(meant.rule, unguarded_reason::copy); });
    }
  }

  // Why a statement inside another one has no prelude; nothing for the statement itself.
  [[nodiscard]] std::optional<unguarded_reason> aside(const message* found) const {
    if (found == statement_) return std::nullopt;
    if (as<PgQuery__PrepareStmt>(statement_) != nullptr) return unguarded_reason::prepare;
    if (as<PgQuery__ExplainStmt>(statement_) != nullptr) return unguarded_reason::insert;
    return unguarded_reason::cte;
  }

  template <class Each>
  void each_rule(const PgQuery__RangeVar* written, Each&& each) {
    if (written == nullptr) return;
    const auto schema = text_of(written->schemaname);
    const auto name = text_of(written->relname);
    for (const auto& meant : context_.book.once_targets_of(schema, name)) {
      if (meant.defect) {
        count(meant.rule, *meant.defect);
      } else {
        each(meant);
      }
    }
    for (const auto rule : context_.book.behind(schema, name)) {
      if (context_.book.rules[rule].once) count(rule, unguarded_reason::view);
    }
  }

  void inserted(const target& meant, const PgQuery__InsertStmt& insert, const message* found) {
    const auto* conflict = insert.on_conflict_clause;
    if (const auto reason = aside(found)) return count(meant.rule, *reason);
    if (insert.with_clause != nullptr) return count(meant.rule, unguarded_reason::cte);
    if (conflict != nullptr && assigns_any(conflict->target_list, conflict->n_target_list, meant.table->key))
      count(meant.rule, unguarded_reason::expression);
    touch counted;
    counted.rule = meant.rule;
    if (client_decides(conflict, *meant.table)) return add_touch(both_, counted);

    const insert_rows rows{context_, insert, meant.table->table};
    once_request request{meant.rule, meant.table, meant.one_schema, relation_sql(*insert.relation), {}};
    bool all = insert.select_stmt != nullptr;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto how = knows_key(rows, row, meant.table->key);
      all = all && how == known_value::exactly;
      if (how != known_value::no) request.rows.push_back(row);
    }
    counted.action = statement_action::check;
    if (!request.rows.empty()) add_touch(both_, counted);
    if (!all) count(meant.rule, unguarded_reason::expression);
    if (request.rows.empty()) return;
    both_.preludes.push_back(write_once_lock(rows, request));
    both_.preludes.push_back(write_once_lookup(rows, request));
    if (!doubt_) doubt_ = write_once_doubt(request);
  }

  static known_value knows_key(const insert_rows& rows, std::size_t row,
                               const std::vector<std::string>& key) {
    auto least = known_value::exactly;
    for (const auto& column : key) least = std::max(least, rows.knows(row, column));
    return least;
  }

  void count(std::uint16_t rule, unguarded_reason reason) {
    add_touch(both_, unguarded(rule, statement_kind::other, reason));
  }

  const statement_context& context_;
  const message* statement_;
  plan& both_;
  std::optional<prelude> doubt_;
};

}  // namespace

void plan_once(const statement_context& context, const message* statement, plan& both) {
  const auto& all = context.book.rules;
  const bool any = std::any_of(all.begin(), all.end(), [](const rule& one) { return one.once; });
  if (any && statement != nullptr && !context.tokens.empty()) once_planner{context, statement, both}.run();
}

}  // namespace rules
