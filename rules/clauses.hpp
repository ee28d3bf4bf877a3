// Where the clauses of a SELECT or UPDATE stand in the client's text, found by tokens and checked against the
// tree. Any disagreement between the two is "not found": text is never cut on a guess.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "rules/parse_tree.hpp"
#include "rules/scanner.hpp"

namespace rules {

/// Tokens [first, last) by index.
struct token_range {
  std::size_t first = 0;
  std::size_t last = 0;

  [[nodiscard]] bool empty() const noexcept { return first >= last; }
};

/// A SQL string with its tokens and their bracket depths.
class token_text {
 public:
  token_text(std::string_view text, std::vector<token> tokens);

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<token>& tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::size_t depth(std::size_t index) const noexcept { return depths_[index]; }
  [[nodiscard]] bool is(std::size_t index, std::string_view keyword) const noexcept;

  /// The keyword stands for itself: not a name after AS or a dot, not part of IS [NOT] DISTINCT FROM.
  [[nodiscard]] bool is_clause(std::size_t index, std::string_view keyword) const noexcept;

  /// The token that begins exactly at this byte offset.
  [[nodiscard]] std::optional<std::size_t> at(std::uint32_t offset) const noexcept;

  /// The tokens that begin within bytes [begin, end).
  [[nodiscard]] token_range within(std::uint32_t begin, std::uint32_t end) const noexcept;

  /// The opening bracket that the closing one at `index` belongs to.
  [[nodiscard]] std::optional<std::size_t> opening(std::size_t index) const noexcept;

  /// Every located node below `root` stands inside `range`.
  [[nodiscard]] bool covers(token_range range, const message* root) const;
  [[nodiscard]] bool covers(token_range range, node* const* nodes, std::size_t count) const;

 private:
  std::string_view text_;
  std::vector<token> tokens_;
  std::vector<std::size_t> depths_;  // number of brackets open around each token, its own not counted
};

struct select_text {
  std::size_t select = 0;  // the word SELECT
  token_range targets;     // without ALL, DISTINCT, DISTINCT ON (…)
  token_range from;        // each without its keyword
  token_range where;
  token_range order_and_limit;  // from ORDER, LIMIT, OFFSET or FETCH on, with the keyword; no locking clause
};

/// `parsed` must be a plain SELECT (no set operation, no VALUES) with a target list, within `statement`.
[[nodiscard]] std::optional<select_text> find_select(const token_text& text, token_range statement,
                                                     const PgQuery__SelectStmt& parsed);

/// From WITH to just before the query it belongs to, of which the SELECT at token `select` is a part; nothing
/// if that query is in brackets, or if the SELECT stands inside the WITH clause itself.
[[nodiscard]] std::optional<token_range> find_with(const token_text& text, const PgQuery__WithClause& parsed,
                                                   std::size_t select);

struct update_text {
  token_range relation;  // [ONLY] name [*] [AS alias]
  token_range from;
  token_range where;
  std::vector<token_range> values;  // one for each item of the target list; empty where it is not plain text
};

/// A top-level UPDATE without WITH that fills `statement`.
[[nodiscard]] std::optional<update_text> find_update(const token_text& text, token_range statement,
                                                     const PgQuery__UpdateStmt& parsed);

struct delete_text {
  token_range relation;  // [ONLY] name [*] [AS alias]
  token_range others;    // USING
  token_range where;
};

/// A top-level DELETE without WITH that fills `statement`.
[[nodiscard]] std::optional<delete_text> find_delete(const token_text& text, token_range statement,
                                                     const PgQuery__DeleteStmt& parsed);

}  // namespace rules
