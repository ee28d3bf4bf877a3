// How deep the parser's recursion on a SQL text can go, estimated from its tokens before it is parsed.
// Knows nothing of what the text means.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rules/scanner.hpp"

namespace rules {

/// Texts that nest deeper are not parsed. protobuf-c's unpacking needs about 2 KB of stack a level: on a
/// stack of 512 KiB, the smallest this is made for, 254 levels passed with sanitizers on (on 8 MiB, 4,200).
inline constexpr std::uint32_t deepest_nesting = 200;

/// Longer texts are not parsed, in bytes.
inline constexpr std::size_t longest_parsed_text = 1024 * 1024;

/// Texts with more queries in WITH are not parsed: each name in them is looked up among all of them.
inline constexpr std::size_t most_with_queries = 500;

[[nodiscard]] std::size_t with_queries_of(std::string_view text, const std::vector<token>& tokens);

/// An upper bound of the syntax tree's depth: open brackets and CASEs, and inside each the operators and
/// joining keywords since the last comma, AND or OR, because chains of these nest to the left or the right.
[[nodiscard]] std::uint32_t nesting_of(std::string_view text, const std::vector<token>& tokens);

}  // namespace rules
