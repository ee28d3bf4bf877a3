// Reads the values that a statement's text gives: constants and parameters, as such or in lists and arrays.
// Looks at values alone; what they are compared with or assigned to is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/parse_tree.hpp"

namespace rules {

/// A parameter or a constant, as pinned_column has it.
struct given_value {
  std::uint16_t parameter = 0;  // the client's $k; 0: `constant`
  std::string constant;         // without quotes and escapes; numbers as they are written
};

/// Longer lists name no rows.
inline constexpr std::size_t most_given_values = 1000;

/// A constant or a parameter, behind casts to plain types without a length. Nothing for NULL and anything
/// else.
[[nodiscard]] std::optional<given_value> given_value_of(const node* value);

/// All values of a list, of ARRAY[…], or of an array constant of plain numbers. Empty if one of them is
/// something else, or if there are too many.
[[nodiscard]] std::vector<given_value> given_values_of(const node* values);

/// Whether `value` is a number that an assignment to a number column takes just as a cast would: constants,
/// parameters and casts to numbers, and arithmetic and rounding over these.
[[nodiscard]] bool is_number(const node* value);

}  // namespace rules
