// Whether a SELECT's LIMIT counts rows of its FROM clause, and what its ORDER BY refers to.
// Judges by function names; where they leave a doubt, the answer is the one that locks more rows.
#pragma once

#include "rules/parse_tree.hpp"

namespace rules {

/// GROUP BY, DISTINCT, HAVING, a window, or a function that may be an aggregate: a result row is not a table
/// row.
[[nodiscard]] bool counts_groups(const PgQuery__SelectStmt& select);

/// ORDER BY names an output column, by position or alias.
[[nodiscard]] bool orders_by_output(const PgQuery__SelectStmt& select);

}  // namespace rules
