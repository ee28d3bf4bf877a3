// Turns the columns that a statement's predicates pin into the rows that they name in one table.
// Does not look at the statement; what is done with the rows is decided elsewhere.
#pragma once

#include <vector>

#include "rules/compiled_book.hpp"
#include "rules/pins.hpp"
#include "rules/plan.hpp"

namespace rules {

/// The rows that `pinned` names in `guarded`: by its key where that is pinned, else by all columns that are.
/// Empty: any row.
[[nodiscard]] std::vector<pinned_row> rows_named(const pinned_columns& pinned, const guarded_table& guarded);

/// `rows`, made of `pinned`, say all that WHERE does.
[[nodiscard]] bool says_no_more(const pinned_columns& pinned, const guarded_table& guarded,
                                const std::vector<pinned_row>& rows);

/// The column is compared with one value.
[[nodiscard]] bool compares(const pinned_columns& pinned, std::string_view column);

}  // namespace rules
