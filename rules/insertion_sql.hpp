// Writes what is put into the client's own UPDATE: bounds that the statement itself must check, and new
// values put on the newest ones. Decides nothing: which values are treated so comes in as an argument.
#pragma once

#include <vector>

#include "rules/clauses.hpp"
#include "rules/plan.hpp"
#include "rules/prelude_sql.hpp"

namespace rules {

/// The bounds of the values that are not rebased as part of the client's own statement. Empty if a column's
/// type has no known way of being given a number.
[[nodiscard]] std::vector<insertion> write_insertions(const token_text& text, const prelude_request& request);

/// The rebased values as part of the client's own statement; with their bounds where it must `carry` them.
[[nodiscard]] std::vector<insertion> write_rebase(const token_text& text, const prelude_request& request,
                                                  bool carry);

}  // namespace rules
