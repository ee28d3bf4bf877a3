#include "rules/nesting.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

// Words that add a level each time they occur in a chain without brackets.
constexpr std::array<std::string_view, 18> chaining{
    "NOT",     "IS", "ISNULL", "NOTNULL", "COLLATE", "AT",        "LIKE",     "ILIKE",    "SIMILAR",
    "BETWEEN", "IN", "JOIN",   "UNION",   "EXCEPT",  "INTERSECT", "OPERATOR", "OVERLAPS", "EXPLAIN"};

bool is_any(std::string_view text, token token, const auto& words) noexcept {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return is_word(text, token, word); });
}

}  // namespace

std::uint32_t nesting_of(std::string_view text, const std::vector<token>& tokens) {
  std::vector<std::uint32_t> chains{0};  // one for each open bracket
  std::uint32_t sum = 0;
  std::uint32_t deepest = 0;
  const auto add = [&](std::uint32_t levels) {
    chains.back() += levels;
    sum += levels;
  };
  const auto reset = [&] {
    sum -= chains.back();
    chains.back() = 0;
  };
  const auto leave = [&] {
    if (chains.size() == 1) return;
    sum -= chains.back();
    chains.pop_back();
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const token current = tokens[i];
    if (current.kind == token_kind::open) {
      chains.push_back(0);
    } else if (current.kind == token_kind::close) {
      leave();
    } else if (current.kind == token_kind::comma || current.kind == token_kind::semicolon) {
      reset();
    } else if (current.kind == token_kind::op) {
      add(current.end - current.begin);
    } else if (current.kind == token_kind::word) {
      // After AS or a dot every word is a name.
      if (i > 0 && (tokens[i - 1].kind == token_kind::dot || is_word(text, tokens[i - 1], "AS"))) continue;
      if (is_word(text, current, "CASE")) chains.push_back(0);
      if (is_word(text, current, "END")) leave();
      if (is_word(text, current, "AND") || is_word(text, current, "OR")) reset();
      if (is_any(text, current, chaining)) add(1);
    }
    deepest = std::max(deepest, static_cast<std::uint32_t>(chains.size() - 1) + sum);
  }
  return deepest;
}

}  // namespace rules
