// Which literals of a statement may have any other value of their class without changing how it is analysed.
// Answers by a list of places that are known to be so; everything else is not.
#pragma once

#include <string>
#include <vector>

#include "rules/parse_tree.hpp"

namespace rules {

/// `values` are a parsed text's literals as they are written (strings without quotes), each of them unlike
/// all others and found nowhere else. True for those that stand as an operand of a plain operator, in a list
/// of IN or BETWEEN, as a value of SET or VALUES, there also behind a cast. None where the string has a
/// statement that is no query, write or transaction command, or runs SQL that is given as text.
[[nodiscard]] std::vector<bool> liftable(const parse_tree& tree, const std::vector<std::string>& values);

}  // namespace rules
