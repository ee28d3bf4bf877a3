// Whether a sub-select's FROM and WHERE mean the same when they stand alone, outside the query around them.
// Answers yes only where it is certain.
#pragma once

#include "rules/scope.hpp"

namespace rules {

/// No column reference in `select`'s FROM, WHERE, ORDER BY or LIMIT can mean a relation outside `inside`, its
/// scope.
[[nodiscard]] bool is_closed(const compiled_book& book, const PgQuery__SelectStmt& select,
                             const scope& inside);

}  // namespace rules
