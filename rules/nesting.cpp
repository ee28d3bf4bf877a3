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

/// The levels around the current token.
class level_count {
 public:
  void enter(std::uint32_t levels) {
    open_.push_back({levels, 0});
    sum_ += levels;
  }

  void chain(std::uint32_t levels) {
    open_.back().chain += levels;
    sum_ += levels;
  }

  void end_chain() {
    sum_ -= open_.back().chain;
    open_.back().chain = 0;
  }

  void leave() {
    if (open_.size() == 1) return;
    sum_ -= open_.back().own + open_.back().chain;
    open_.pop_back();
  }

  [[nodiscard]] std::uint32_t sum() const noexcept { return sum_; }

 private:
  struct level {
    std::uint32_t own = 0;
    std::uint32_t chain = 0;
  };
  std::vector<level> open_{level{}};
  std::uint32_t sum_ = 0;
};

void count_word(std::string_view text, token current, level_count& levels) {
  constexpr std::uint32_t levels_of_case = 2;
  if (is_word(text, current, "CASE")) {
    levels.enter(levels_of_case);
  } else if (is_word(text, current, "END")) {
    levels.leave();
  } else if (is_word(text, current, "AND") || is_word(text, current, "OR")) {
    levels.end_chain();
  } else if (is_any(text, current, chaining)) {
    levels.chain(1);
  }
}

}  // namespace

std::size_t with_queries_of(std::string_view text, const std::vector<token>& tokens) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (tokens[i].kind != token_kind::open || tokens[i - 1].kind != token_kind::word) continue;
    if (is_word(text, tokens[i - 1], "AS") || is_word(text, tokens[i - 1], "MATERIALIZED")) ++count;
  }
  return count;
}

std::uint32_t nesting_of(std::string_view text, const std::vector<token>& tokens) {
  constexpr std::array<std::string_view, 3> queries{"SELECT", "WITH", "VALUES"};
  constexpr std::uint32_t levels_of_query = 3;
  level_count levels;
  std::uint32_t deepest = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const token current = tokens[i];
    switch (current.kind) {
      case token_kind::open:
        levels.enter(i + 1 < tokens.size() && is_any(text, tokens[i + 1], queries) ? levels_of_query : 1);
        break;
      case token_kind::close:
        levels.leave();
        break;
      case token_kind::comma:
      case token_kind::semicolon:
        levels.end_chain();
        break;
      case token_kind::op:
        levels.chain(current.end - current.begin);
        break;
      case token_kind::word:
        // After AS or a dot every word is a name.
        if (i == 0 || !(tokens[i - 1].kind == token_kind::dot || is_word(text, tokens[i - 1], "AS"))) {
          count_word(text, current, levels);
        }
        break;
      default:
        break;
    }
    deepest = std::max(deepest, levels.sum());
  }
  return deepest;
}

}  // namespace rules
