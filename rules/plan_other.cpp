#include <algorithm>
#include <functional>

#include "rules/statement_context.hpp"

namespace rules {
namespace {

const PgQuery__WithClause* with_of(const message* found) {
  if (const auto* select = as<PgQuery__SelectStmt>(found)) return select->with_clause;
  if (const auto* update = as<PgQuery__UpdateStmt>(found)) return update->with_clause;
  if (const auto* insert = as<PgQuery__InsertStmt>(found)) return insert->with_clause;
  if (const auto* removal = as<PgQuery__DeleteStmt>(found)) return removal->with_clause;
  if (const auto* merge = as<PgQuery__MergeStmt>(found)) return merge->with_clause;
  return nullptr;
}

struct write {
  const PgQuery__RangeVar* relation = nullptr;  // null: not a statement that writes
  unguarded_reason reason = unguarded_reason::shape;
};

write write_of(const message* found) {
  if (const auto* update = as<PgQuery__UpdateStmt>(found)) return {update->relation, unguarded_reason::shape};
  if (const auto* insert = as<PgQuery__InsertStmt>(found))
    return {insert->relation, unguarded_reason::insert};
  if (const auto* removal = as<PgQuery__DeleteStmt>(found))
    return {removal->relation, unguarded_reason::delete_};
  if (const auto* merge = as<PgQuery__MergeStmt>(found)) return {merge->relation, unguarded_reason::merge};
  return {};
}

template <class Each>
void each_relation(const message* root, const with_scope* outer, Each&& each);

// A query in WITH does not see its own name, nor those after it, unless it says RECURSIVE.
template <class Each>
void each_relation_in_with(const PgQuery__WithClause& clause, const with_scope* outer, Each&& each) {
  for (std::size_t i = 0; i < clause.n_ctes; ++i) {
    const auto* cte = as<PgQuery__CommonTableExpr>(clause.ctes[i]);
    const with_scope inside = inside_cte(clause, outer, i);
    if (cte != nullptr) each_relation(content(cte->ctequery), &inside, each);
  }
}

/// Every relation below `root` that is not a common table expression's name.
template <class Each>
void each_relation(const message* root, const with_scope* outer, Each&& each) {
  if (root == nullptr) return;
  const with_scope own{with_of(root), outer};
  const with_scope* with = own.clause == nullptr ? outer : &own;
  const auto* written = write_of(root).relation;
  walk(root, [&](const message* found) {
    if (as<PgQuery__LockingClause>(found) != nullptr) return false;  // names aliases
    if (own.clause != nullptr && found == &own.clause->base) {
      each_relation_in_with(*own.clause, outer, each);
      return false;
    }
    if (found != root && (with_of(found) != nullptr || write_of(found).relation != nullptr)) {
      each_relation(found, with, each);
      return false;
    }
    const auto* named = as<PgQuery__RangeVar>(found);
    if (named != nullptr && (named == written || !is_cte(with, *named))) each(*named);
    return true;
  });
}

const PgQuery__RangeVar* made_by(const message* found) {
  const PgQuery__IntoClause* into = nullptr;
  if (const auto* select = as<PgQuery__SelectStmt>(found)) into = select->into_clause;
  if (const auto* copy = as<PgQuery__CreateTableAsStmt>(found)) into = copy->into;
  return into == nullptr ? nullptr : into->rel;
}

bool assigns(node* const* targets, std::size_t count, const rule& guarding) {
  return std::any_of(targets, targets + count, [&](const node* item) {
    const auto* target = as<PgQuery__ResTarget>(item);
    return target != nullptr && contains(guarding.columns, text_of(target->name));
  });
}

bool changes_rows(const PgQuery__MergeStmt& merge, const rule& guarding) {
  const auto* const* first = merge.merge_when_clauses;
  return std::any_of(first, first + merge.n_merge_when_clauses, [&](const node* item) {
    const auto* when = as<PgQuery__MergeWhenClause>(item);
    if (when == nullptr) return true;
    switch (when->command_type) {
      case PG_QUERY__CMD_TYPE__CMD_NOTHING:
        return false;
      case PG_QUERY__CMD_TYPE__CMD_UPDATE:
        return assigns(when->target_list, when->n_target_list, guarding);
      default:
        return true;
    }
  });
}

// Some column reference in it may mean a guarded column, or the whole row.
bool mentions_in(const message* root, std::string_view alias, const rule& guarding) {
  bool found_one = false;
  walk(root, [&](const message* found) {
    const auto* column = as<PgQuery__ColumnRef>(found);
    if (column == nullptr || column->n_fields == 0) return !found_one;
    const auto* last = column->fields[column->n_fields - 1];
    const auto name = string_of(last);
    found_one =
        found_one || as<PgQuery__AStar>(last) != nullptr || name == alias || contains(guarding.columns, name);
    return !found_one;
  });
  return found_one;
}

std::string_view alias_of(const PgQuery__RangeVar& named) {
  return named.alias == nullptr ? text_of(named.relname) : text_of(named.alias->aliasname);
}

// `tells`: what it returns is seen. Rows that come and go count whatever their columns.
bool touches_guarded(const message* found, const rule& guarding, bool tells) {
  if (const auto* merge = as<PgQuery__MergeStmt>(found)) return changes_rows(*merge, guarding);
  const auto* update = as<PgQuery__UpdateStmt>(found);
  if (update == nullptr || assigns(update->target_list, update->n_target_list, guarding)) return true;
  return tells && std::any_of(update->returning_list, update->returning_list + update->n_returning_list,
                              [&](const node* item) {
                                return mentions_in(content(item), alias_of(*update->relation), guarding);
                              });
}

class bystander {
 public:
  bystander(const statement_context& context, const message* statement, plan& both)
      : context_{context}, book_{context.book}, statement_{statement}, both_{both} {
    const auto begin = context.text.tokens()[context.tokens.first].begin;
    const auto end = context.text.tokens()[context.tokens.last - 1].end;
    text_ = context.text.text().substr(begin, end - begin);
  }

  void run() {
    if (is_harmless()) return;
    views();
    if (runs_code()) plan_calls(context_, statement_, both_);
    if (as<PgQuery__SelectStmt>(statement_) != nullptr || write_of(statement_).relation != nullptr) {
      query();
    } else if (!procedural()) {
      utility();
    }
  }

 private:
  // Neither reads nor changes a row of the client's, and changes no table's meaning.
  [[nodiscard]] bool is_harmless() const {
    return as<PgQuery__LockStmt>(statement_) != nullptr || as<PgQuery__VacuumStmt>(statement_) != nullptr ||
           as<PgQuery__GrantStmt>(statement_) != nullptr || as<PgQuery__CommentStmt>(statement_) != nullptr ||
           as<PgQuery__IndexStmt>(statement_) != nullptr || as<PgQuery__ReindexStmt>(statement_) != nullptr ||
           as<PgQuery__ClusterStmt>(statement_) != nullptr ||
           as<PgQuery__CreateStatsStmt>(statement_) != nullptr ||
           as<PgQuery__RefreshMatViewStmt>(statement_) != nullptr || is_plain_explain();
  }

  [[nodiscard]] bool is_plain_explain() const {
    const auto* explained = as<PgQuery__ExplainStmt>(statement_);
    return explained != nullptr && !explain_runs(*explained);
  }

  [[nodiscard]] bool runs_code() const {
    return as<PgQuery__SelectStmt>(statement_) != nullptr || write_of(statement_).relation != nullptr ||
           as<PgQuery__CallStmt>(statement_) != nullptr || as<PgQuery__CopyStmt>(statement_) != nullptr ||
           as<PgQuery__DeclareCursorStmt>(statement_) != nullptr ||
           as<PgQuery__PrepareStmt>(statement_) != nullptr ||
           as<PgQuery__ExecuteStmt>(statement_) != nullptr ||
           as<PgQuery__ExplainStmt>(statement_) != nullptr ||
           as<PgQuery__CreateTableAsStmt>(statement_) != nullptr;
  }

  // It makes, changes or drops relations.
  [[nodiscard]] bool defines() const {
    return !runs_code() && as<PgQuery__DoStmt>(statement_) == nullptr &&
           reason_of_utility() == unguarded_reason::ddl && write_of(statement_).relation == nullptr;
  }

  void views() {
    const auto reason = defines() ? unguarded_reason::ddl : unguarded_reason::view;
    each_relation(statement_, nullptr, [&](const PgQuery__RangeVar& named) {
      for (const auto rule : book_.behind(text_of(named.schemaname), text_of(named.relname))) {
        // What a [[once]] table shows to a read is of no account.
        if (!book_.rules[rule].once) count(rule, reason);
      }
    });
  }

  // SELECT, INSERT, UPDATE, DELETE, MERGE: what they write, themselves or in a CTE.
  void query() {
    if (made_by(statement_) != nullptr) return copied(statement_);
    walk(statement_, [&](const message* found) {
      const auto target = write_of(found);
      if (target.relation == nullptr) return true;
      const bool top = found == statement_;
      // A top-level INSERT, UPDATE or DELETE of a guarded table has a plan of its own.
      if (!top || as<PgQuery__MergeStmt>(found) != nullptr) {
        count_target(found, *target.relation, top ? target.reason : unguarded_reason::cte, true);
      }
      return true;
    });
    if (write_of(statement_).relation != nullptr) used_on_the_side();
  }

  void count_target(const message* found, const PgQuery__RangeVar& written, unguarded_reason reason,
                    bool tells) {
    for (const auto& meant : book_.targets_of(text_of(written.schemaname), text_of(written.relname))) {
      if (!touches_guarded(found, book_.rules[meant.rule], tells)) continue;
      count(meant.rule, meant.defect == unguarded_reason::view ? unguarded_reason::view : reason, true);
    }
  }

  // INSERT … SELECT balance FROM wallets, UPDATE other … FROM wallets: a balance flows into another table.
  void used_on_the_side() {
    const auto* written = write_of(statement_).relation;
    each_relation(statement_, nullptr, [&](const PgQuery__RangeVar& named) {
      if (&named == written) return;
      for (const auto& meant : book_.targets_of(text_of(named.schemaname), text_of(named.relname))) {
        if (is_touched(meant.rule) || !mentions_in(statement_, alias_of(named), book_.rules[meant.rule]))
          continue;
        count(meant.rule, meant.defect.value_or(unguarded_reason::shape));
      }
    });
  }

  [[nodiscard]] bool is_touched(std::uint16_t rule) const {
    return std::any_of(both_.touches.begin(), both_.touches.end(),
                       [rule](const touch& known) { return known.rule == rule; });
  }

  // Code that is text to the parser.
  [[nodiscard]] bool procedural() {
    const bool block = as<PgQuery__DoStmt>(statement_) != nullptr;
    if (!block && as<PgQuery__CreateFunctionStmt>(statement_) == nullptr) return false;
    for (std::size_t i = 0; i < book_.rules.size(); ++i) {
      const auto rule = static_cast<std::uint16_t>(i);
      if (!book_.may_reach(rule, text_)) continue;
      count(rule, block ? unguarded_reason::opaque : unguarded_reason::ddl);
    }
    return true;
  }

  void utility() {
    if (const auto* explained = as<PgQuery__ExplainStmt>(statement_)) return explain_analyze(*explained);
    if (as<PgQuery__CreateTableAsStmt>(statement_) != nullptr) return copied(statement_);
    if (as<PgQuery__DropStmt>(statement_) != nullptr) dropped();
    if (const auto* renamed = as<PgQuery__RenameStmt>(statement_)) {
      for (const auto& meant : book_.targets_of({}, text_of(renamed->newname)))
        count(meant.rule, unguarded_reason::ddl);
    }
    named_anywhere(reason_of_utility());
  }

  [[nodiscard]] unguarded_reason reason_of_utility() const {
    if (as<PgQuery__CopyStmt>(statement_) != nullptr) return unguarded_reason::copy;
    if (as<PgQuery__TruncateStmt>(statement_) != nullptr) return unguarded_reason::truncate;
    if (as<PgQuery__DeclareCursorStmt>(statement_) != nullptr) return unguarded_reason::cursor;
    if (as<PgQuery__PrepareStmt>(statement_) != nullptr) return unguarded_reason::prepare;
    if (as<PgQuery__ExecuteStmt>(statement_) != nullptr) return unguarded_reason::prepare;
    return unguarded_reason::ddl;
  }

  // EXPLAIN ANALYZE runs the statement and hides its result: only what it writes counts.
  void explain_analyze(const PgQuery__ExplainStmt& explained) {
    if (as<PgQuery__CreateTableAsStmt>(explained.query) != nullptr) return copied(content(explained.query));
    walk(explained.query, [&](const message* found) {
      const auto target = write_of(found);
      if (target.relation != nullptr) count_target(found, *target.relation, target.reason, false);
      return true;
    });
  }

  void dropped() {
    walk(statement_, [&](const message* found) {
      const auto* list = as<PgQuery__List>(found);
      if (list == nullptr || list->n_items == 0) return true;
      const auto name = string_of(list->items[list->n_items - 1]);
      const auto schema = list->n_items > 1 ? string_of(list->items[list->n_items - 2]) : std::string_view{};
      for (const auto& meant : book_.targets_of(schema, name)) count(meant.rule, unguarded_reason::ddl);
      return true;
    });
  }

  void named_anywhere(unguarded_reason reason) {
    each_relation(statement_, nullptr, [&](const PgQuery__RangeVar& named) {
      for (const auto& meant : book_.targets_of(text_of(named.schemaname), text_of(named.relname))) {
        count(meant.rule, reason);
      }
    });
  }

  // SELECT INTO, CREATE TABLE AS: the new table, and the balances that flow into it.
  void copied(const message* copy) {
    const auto* made = made_by(copy);
    each_relation(copy, nullptr, [&](const PgQuery__RangeVar& named) {
      for (const auto& meant : book_.targets_of(text_of(named.schemaname), text_of(named.relname))) {
        count(meant.rule, unguarded_reason::ddl,
              &named != made && mentions_in(copy, alias_of(named), book_.rules[meant.rule]));
      }
    });
  }

  void count(std::uint16_t rule, unguarded_reason reason, bool opaque = false) {
    auto counted = unguarded(rule, statement_kind::other, reason);
    counted.opaque = opaque;
    add_touch(both_, counted);
  }

  const statement_context& context_;
  const compiled_book& book_;
  const message* statement_;
  plan& both_;
  std::string_view text_;
};

}  // namespace

void plan_other(const statement_context& context, const message* statement, plan& both) {
  if (statement != nullptr && !context.tokens.empty()) bystander{context, statement, both}.run();
}

}  // namespace rules
