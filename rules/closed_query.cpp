#include "rules/closed_query.hpp"

#include <algorithm>

namespace rules {
namespace {

class closure {
 public:
  closure(const compiled_book& book, const scope& limit) : book_{book}, limit_{limit} {}

  bool check(const PgQuery__SelectStmt& select, const scope& inside) {
    for (std::size_t i = 0; i < select.n_from_clause; ++i) check_all(content(select.from_clause[i]), inside);
    check_all(content(select.where_clause), inside);
    check_nodes(select.sort_clause, select.n_sort_clause, inside);
    check_all(content(select.limit_count), inside);
    check_all(content(select.limit_offset), inside);
    if (&inside == &limit_) return closed_;
    // Inner queries: everything in them counts.
    check_nodes(select.target_list, select.n_target_list, inside);
    check_nodes(select.distinct_clause, select.n_distinct_clause, inside);
    check_nodes(select.group_clause, select.n_group_clause, inside);
    check_nodes(select.window_clause, select.n_window_clause, inside);
    check_nodes(select.values_lists, select.n_values_lists, inside);
    check_all(content(select.having_clause), inside);
    check_all(base_of(select.with_clause), inside);
    return closed_;
  }

 private:
  void check_nodes(node* const* nodes, std::size_t count, const scope& inside) {
    for (std::size_t i = 0; i < count; ++i) check_all(content(nodes[i]), inside);
  }

  void check_all(const message* root, const scope& inside) {
    walk(root, [&](const message* found) {
      if (const auto* column = as<PgQuery__ColumnRef>(found)) {
        closed_ = closed_ && stays_inside(*column, inside);
      } else if (const auto* nested = as<PgQuery__SelectStmt>(found)) {
        enter(*nested, inside);
        return false;
      }
      return closed_;
    });
  }

  void enter(const PgQuery__SelectStmt& select, const scope& around) {
    if (select.larg != nullptr) enter(*select.larg, around);
    if (select.rarg != nullptr) enter(*select.rarg, around);
    const scope inside = make_scope(book_, select.from_clause, select.n_from_clause, &around, around.with);
    (void)check(select, inside);
  }

  // Up to and including the limit's level.
  [[nodiscard]] bool stays_inside(const PgQuery__ColumnRef& column, const scope& inside) const {
    if (column.n_fields == 1 && as<PgQuery__AStar>(column.fields[0]) != nullptr) return true;
    const auto name = string_of(column.fields[0]);
    for (const scope* level = &inside;; level = level->outer) {
      const bool here =
          std::any_of(level->relations.begin(), level->relations.end(), [&](const relation& candidate) {
            if (column.n_fields == 1) {
              const auto* known = candidate.known();
              return known != nullptr && candidate.renamed.empty() && find_column(*known, name) != nullptr;
            }
            if (candidate.alias == name) return true;
            return column.n_fields > 2 && candidate.alias == string_of(column.fields[1]);
          });
      if (here) return true;
      if (level == &limit_) return false;
    }
  }

  const compiled_book& book_;
  const scope& limit_;
  bool closed_ = true;
};

}  // namespace

bool is_closed(const compiled_book& book, const PgQuery__SelectStmt& select, const scope& inside) {
  return closure{book, inside}.check(select, inside);
}

}  // namespace rules
