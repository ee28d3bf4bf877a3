#include "rules/read_sources.hpp"

#include <algorithm>
#include <utility>

#include "rules/aggregates.hpp"
#include "rules/closed_query.hpp"
#include "rules/conjuncts.hpp"

namespace rules {
namespace {

bool is_plain_select(const PgQuery__SelectStmt& select) {
  return select.op <= PG_QUERY__SET_OPERATION__SETOP_NONE && select.n_values_lists == 0;
}

// FOR KEY SHARE does not keep a balance from changing.
bool locks(const PgQuery__SelectStmt& select, std::string_view alias) {
  for (std::size_t i = 0; i < select.n_locking_clause; ++i) {
    const auto* clause = as<PgQuery__LockingClause>(select.locking_clause[i]);
    if (clause == nullptr || clause->strength < PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE) continue;
    if (clause->n_locked_rels == 0) return true;
    for (std::size_t k = 0; k < clause->n_locked_rels; ++k) {
      const auto* named = as<PgQuery__RangeVar>(clause->locked_rels[k]);
      if (named != nullptr && text_of(named->relname) == alias) return true;
    }
  }
  return false;
}

class read_finder {
 public:
  read_finder(const statement_context& context, std::vector<read_source>& found)
      : context_{context}, found_{found} {}

  void visit(const PgQuery__SelectStmt& select, const scope* outer, const with_scope* with, bool locked) {
    const with_scope own{select.with_clause, with};
    if (select.with_clause != nullptr) {
      visit_ctes(*select.with_clause, outer, with);
      with = &own;
    }
    if (!is_plain_select(select)) {
      if (select.n_values_lists > 0) visit_values(select, outer, with);
      if (select.larg != nullptr) visit(*select.larg, outer, with, locked);
      if (select.rarg != nullptr) visit(*select.rarg, outer, with, locked);
      return;
    }
    visit_plain(select, outer, with, locked);
  }

 private:
  // Out of line: a chain of UNIONs recurses through visit(), whose frame has to be small.
  [[gnu::noinline]] void visit_plain(const PgQuery__SelectStmt& select, const scope* outer,
                                     const with_scope* with, bool locked) {
    const scope inside = make_scope(context_.book, select.from_clause, select.n_from_clause, outer, with);
    for (std::size_t i = 0; i < select.n_from_clause; ++i) {
      visit_derived(select.from_clause[i], select, inside, locked);
    }
    mark_targets(select, inside);
    if (outer != nullptr) mark_outer(select, inside);
    take_sources(select, inside, locked);
  }

  // Sub-selects in VALUES, and columns that a LATERAL one takes from its neighbours.
  [[gnu::noinline]] void visit_values(const PgQuery__SelectStmt& select, const scope* outer,
                                      const with_scope* with) {
    const scope inside = make_scope(context_.book, nullptr, 0, outer, with);
    for (std::size_t i = 0; i < select.n_values_lists; ++i) mark(content(select.values_lists[i]), inside);
  }

  [[gnu::noinline]] void visit_ctes(const PgQuery__WithClause& clause, const scope* outer,
                                    const with_scope* around) {
    for (std::size_t i = 0; i < clause.n_ctes; ++i) {
      const with_scope with = inside_cte(clause, around, i);
      const auto* cte = as<PgQuery__CommonTableExpr>(clause.ctes[i]);
      const auto* query = cte == nullptr ? nullptr : as<PgQuery__SelectStmt>(cte->ctequery);
      if (query != nullptr) visit(*query, outer, &with, false);
    }
  }

  void visit_derived(const node* item, const PgQuery__SelectStmt& select, const scope& inside, bool locked) {
    if (const auto* join = as<PgQuery__JoinExpr>(item)) {
      visit_derived(join->larg, select, inside, locked);
      visit_derived(join->rarg, select, inside, locked);
    } else if (const auto* derived = as<PgQuery__RangeSubselect>(item)) {
      const auto* query = as<PgQuery__SelectStmt>(derived->subquery);
      const auto alias = derived->alias == nullptr ? std::string_view{} : text_of(derived->alias->aliasname);
      if (query == nullptr) return;
      visit(*query, derived->lateral ? &inside : inside.outer, inside.with, locked || locks(select, alias));
    } else {
      // A whole row or a balance given to a function or an XMLTABLE in FROM comes back as its result.
      mark(content(item), inside);
    }
  }

  // Guarded columns below `root` are returned, wherever in it they stand.
  void mark(const message* root, const scope& inside) {
    walk(root, [&](const message* found) {
      if (const auto* column = as<PgQuery__ColumnRef>(found)) mark_column(*column, inside, nullptr);
      if (const auto* nested = as<PgQuery__SelectStmt>(found)) {
        visit(*nested, &inside, inside.with, false);
        return false;
      }
      return true;
    });
  }

  void mark_targets(const PgQuery__SelectStmt& select, const scope& inside) {
    for (std::size_t i = 0; i < select.n_target_list; ++i) mark(content(select.target_list[i]), inside);
  }

  // What a sub-select's conditions say of the outer query's columns is part of the value it returns.
  void mark_outer(const PgQuery__SelectStmt& select, const scope& inside) {
    walk(&select.base, [&](const message* found) {
      if (const auto* column = as<PgQuery__ColumnRef>(found)) mark_column(*column, inside, &inside);
      return true;
    });
  }

  [[gnu::noinline]] void mark_column(const PgQuery__ColumnRef& column, const scope& inside,
                                     const scope* except) {
    for (const auto& meant : resolve(column, inside)) {
      if (except != nullptr && is_own(*meant.of, *except)) continue;
      for (const auto& guarding : meant.of->targets) {
        if (reaches_guarded(meant, context_.book.rules[guarding.rule]))
          marked_.emplace_back(meant.of, guarding.rule);
      }
    }
  }

  static bool is_own(const relation& candidate, const scope& level) {
    return !level.relations.empty() && &candidate >= level.relations.data() &&
           &candidate < level.relations.data() + level.relations.size();
  }

  [[gnu::noinline]] void take_sources(const PgQuery__SelectStmt& select, const scope& inside, bool locked) {
    for (const auto& read : inside.relations) {
      for (const auto& guarding : read.targets) {
        const std::pair<const relation*, std::uint16_t> mark{&read, guarding.rule};
        if (std::find(marked_.begin(), marked_.end(), mark) == marked_.end()) continue;
        read_source source;
        source.meant = guarding;
        source.named = read.named;
        source.locks_itself = locked || locks(select, read.alias);
        source.pinned = pins_of(read, inside, select.where_clause, select.from_clause, select.n_from_clause);
        // On the nullable side of a join, a row may come back that ON does not hold for.
        source.named_by =
            read.nullable ? pins_of(read, inside, select.where_clause, nullptr, 0) : source.pinned;
        source.hides_columns = !read.renamed.empty() || !read.join_aliases.empty();
        source.obstacle = guarding.defect;
        if (!source.obstacle && !take_rows(select, inside, read, source))
          source.obstacle = unguarded_reason::shape;
        found_.push_back(std::move(source));
      }
    }
    std::erase_if(marked_, [&](const auto& mark) { return is_own(*mark.first, inside); });
  }

  // False where the rows cannot be named by a query of their own.
  [[nodiscard]] bool take_rows(const PgQuery__SelectStmt& select, const scope& inside, const relation& read,
                               read_source& source) const {
    const auto twin = std::count_if(inside.relations.begin(), inside.relations.end(),
                                    [&](const relation& other) { return other.alias == read.alias; });
    if (read.sampled || !read.renamed.empty() || !read.join_aliases.empty() || twin > 1) return false;
    const auto text = find_select(context_.text, context_.tokens, select);
    if (!text || calls_volatile(context_.book, select.from_clause, select.n_from_clause) ||
        calls_volatile(context_.book, content(select.where_clause))) {
      return false;
    }
    row_source& rows = source.rows;
    rows.alias = read.alias;
    rows.from = text->from;
    rows.where = text->where;
    rows.by_key = read.nullable;
    if (inside.relations.size() == 1) {
      rows.key_conditions =
          key_conditions(context_.text, text->where, select.where_clause, read, inside, *source.meant.table);
      rows.few = !rows.key_conditions.empty();
    }
    limit(select, *text, source);
    source.by_key_alone = !rows.key_conditions.empty() && !rows.by_key;
    if (inside.outer != nullptr && !is_closed(context_.book, select, inside)) return false;
    return take_with(select, inside, *text, rows);
  }

  // LIMIT is dropped where the key pins the rows anyway, or where it counts groups and not rows. Elsewhere it
  // stays, so that one page of a list does not lock the whole list.
  void limit(const PgQuery__SelectStmt& select, const select_text& text, read_source& source) const {
    const bool limited = select.limit_count != nullptr || select.limit_offset != nullptr;
    if (!limited || pins_key(source.pinned, *source.meant.table, pin::list) || counts_groups(select)) return;
    const bool by_output = orders_by_output(select);
    if (by_output && calls_volatile(context_.book, select.target_list, select.n_target_list)) return;
    if (calls_volatile(context_.book, select.sort_clause, select.n_sort_clause)) return;
    source.rows.by_key = true;
    source.rows.order_and_limit = text.order_and_limit;
    if (by_output) source.rows.targets = text.targets;
  }

  [[nodiscard]] bool take_with(const PgQuery__SelectStmt& select, const scope& inside,
                               const select_text& text, row_source& rows) const {
    if (inside.with == nullptr || !refers_to_cte(select, inside.with)) return true;
    const auto& clause = *inside.with->clause;
    if (inside.with->outer != nullptr || !only_selects(clause) || names_later_cte(select, *inside.with) ||
        calls_volatile(context_.book, &clause.base)) {
      return false;
    }
    const auto with = find_with(context_.text, clause, text.select);
    if (!with) return false;
    rows.with = *with;
    return true;
  }

  static bool only_selects(const PgQuery__WithClause& clause) {
    return std::all_of(clause.ctes, clause.ctes + clause.n_ctes, [](const node* item) {
      const auto* cte = as<PgQuery__CommonTableExpr>(item);
      return cte != nullptr && as<PgQuery__SelectStmt>(cte->ctequery) != nullptr;
    });
  }

  // The whole WITH is copied: a table's name must not come to mean a CTE.
  static bool names_later_cte(const PgQuery__SelectStmt& select, const with_scope& with) {
    const with_scope all{with.clause, nullptr};
    bool later = false;
    walk(&select.base, [&](const message* found) {
      const auto* named = as<PgQuery__RangeVar>(found);
      later = later || (named != nullptr && is_cte(&all, *named) && !is_cte(&with, *named));
      return !later;
    });
    return later;
  }

  static bool refers_to_cte(const PgQuery__SelectStmt& select, const with_scope* with) {
    bool refers = false;
    walk(&select.base, [&](const message* found) {
      const auto* named = as<PgQuery__RangeVar>(found);
      refers = refers || (named != nullptr && is_cte(with, *named));
      return as<PgQuery__WithClause>(found) == nullptr;
    });
    return refers;
  }

  const statement_context& context_;
  std::vector<read_source>& found_;
  std::vector<std::pair<const relation*, std::uint16_t>> marked_;  // of the levels being visited
};

}  // namespace

std::vector<read_source> find_read_sources(const statement_context& context, const PgQuery__SelectStmt& top) {
  std::vector<read_source> found;
  read_finder{context, found}.visit(top, nullptr, nullptr, false);
  return found;
}

}  // namespace rules
