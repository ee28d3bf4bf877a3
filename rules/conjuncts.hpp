// Cuts a WHERE clause's text into the conditions that AND joins, and picks those that pin a relation's key.
// Where text and tree do not match piece by piece it gives nothing.
#pragma once

#include <vector>

#include "rules/clauses.hpp"
#include "rules/scope.hpp"

namespace rules {

/// The conditions of `where`, whose text is `range`, that pin the columns of one key of `of` to values or
/// lists. Together they choose at least the rows that `where` does, and rows cannot come into them by a
/// change of other columns. Empty where the key is not pinned so.
[[nodiscard]] std::vector<token_range> key_conditions(const token_text& text, token_range range,
                                                      const node* where, const relation& of,
                                                      const scope& inside, const guarded_table& guarded);

}  // namespace rules
