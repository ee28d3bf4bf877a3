// The client's text of an assigned value as a piece of SQL that can be evaluated elsewhere: its parameters
// and the column that it starts from are cut out. Copies text only where it fits the tree.
#pragma once

#include <string_view>

#include "rules/clauses.hpp"
#include "rules/parse_tree.hpp"
#include "rules/plan.hpp"

namespace rules {

/// `CAST(… AS type)` of `value`, whose text is `range`. Every column in it is the assigned one. Empty where
/// the text does not fit, or where the value may be another one at another time.
[[nodiscard]] sql_expression value_expression(const token_text& text, token_range range, const node* value,
                                              std::string_view type);

/// The number of a parameter's token; 0 beyond what PostgreSQL accepts.
[[nodiscard]] std::uint16_t parameter_number(const token_text& text, const token& parameter) noexcept;

}  // namespace rules
