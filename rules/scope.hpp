// Which relations a FROM clause brings into scope, and which of their columns a column reference may mean.
// Where SQL leaves several readings open, all of them are given; what follows from one is decided elsewhere.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/compiled_book.hpp"
#include "rules/parse_tree.hpp"

namespace rules {

/// One relation of a FROM clause.
struct relation {
  std::string alias;                         // the name it goes by: alias or table name
  std::vector<std::string> join_aliases;     // of aliased joins around it; they hide `alias`
  const PgQuery__RangeVar* named = nullptr;  // null: a sub-select, a function, …
  std::vector<target> targets;               // rules that guard it
  std::vector<std::string> renamed;          // AS alias(columns)
  bool nullable = false;                     // on the nullable side of an outer join
  bool sampled = false;                      // TABLESAMPLE
  bool aliased = false;

  [[nodiscard]] const table* known() const noexcept;
};

/// A common table expression's names that are visible, innermost WITH first.
struct with_scope {
  const PgQuery__WithClause* clause = nullptr;
  const with_scope* outer = nullptr;
  std::size_t visible = SIZE_MAX;  // without RECURSIVE, a query in WITH sees only those before it
};

/// What the query of the WITH's CTE number `index` sees.
[[nodiscard]] with_scope inside_cte(const PgQuery__WithClause& clause, const with_scope* outer,
                                    std::size_t index) noexcept;

/// The relations of one query level.
struct scope {
  std::vector<relation> relations;
  const scope* outer = nullptr;      // the query around a sub-select that may refer to it
  const with_scope* with = nullptr;  // null: no CTE is visible
};

/// Whether an unqualified relation name means a common table expression here.
[[nodiscard]] bool is_cte(const with_scope* with, const PgQuery__RangeVar& named) noexcept;

[[nodiscard]] scope make_scope(const compiled_book& book, node* const* from, std::size_t count,
                               const scope* outer, const with_scope* with);

/// Adds one relation by name, as UPDATE's target.
void add_relation(scope& into, const compiled_book& book, const PgQuery__RangeVar& named, bool nullable);

/// One reading of a column reference.
struct reference {
  const relation* of = nullptr;
  std::string_view column;  // empty: the whole row, or a column whose name cannot be told
};

/// Every relation in scope that `written` may refer to.
[[nodiscard]] std::vector<reference> resolve(const PgQuery__ColumnRef& written, const scope& inside);

/// Whether this reading gives a column that `guarding` guards, or the whole row.
[[nodiscard]] bool reaches_guarded(const reference& meant, const rule& guarding);

}  // namespace rules
