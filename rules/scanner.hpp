// Cuts SQL text into PostgreSQL 15's lexical tokens, with their byte offsets.
// Knows no grammar: what a token means where it stands is decided elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

enum class token_kind : std::uint8_t {
  word,         // unquoted identifier or keyword
  quoted_word,  // "…" or U&"…"
  string,  // '…', E'…', U&'…', B'…', X'…', $tag$…$tag$; segments joined over a newline are one
  number,
  parameter,  // $1
  op,         // operator characters, as PostgreSQL cuts them; also :: := => ..
  open,       // ( or [
  close,      // ) or ]
  comma,
  semicolon,
  dot,
  colon,
  end,      // nothing is left
  invalid,  // an unterminated string or comment, or a byte no token begins with
};

struct token {
  token_kind kind = token_kind::end;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// A cursor over the tokens of a text of less than 4 GiB. Skips white space and comments. Allocates nothing.
/// After `end` or `invalid` it stays there.
class scanner {
 public:
  /// `backslash_escapes`: '…' is read as E'…' (standard_conforming_strings = off).
  explicit scanner(std::string_view text, bool backslash_escapes = false) noexcept
      : text_{text}, backslash_escapes_{backslash_escapes} {}

  [[nodiscard]] token next() noexcept;

 private:
  [[nodiscard]] char at(std::size_t offset) const noexcept {
    return offset < text_.size() ? text_[offset] : '\0';
  }
  [[nodiscard]] bool skip_blank() noexcept;
  [[nodiscard]] bool skip_block_comment() noexcept;
  [[nodiscard]] bool quoted(char quote, bool escapes, bool doubled = true) noexcept;
  [[nodiscard]] bool continues_after_newline() noexcept;
  [[nodiscard]] bool dollar_quoted() noexcept;
  [[nodiscard]] token_kind prefixed_or_word() noexcept;
  [[nodiscard]] token_kind number() noexcept;
  [[nodiscard]] token_kind dollar() noexcept;
  [[nodiscard]] token_kind punctuation() noexcept;
  [[nodiscard]] token_kind operator_run() noexcept;
  [[nodiscard]] token_kind cut() noexcept;

  std::string_view text_;
  std::size_t offset_ = 0;
  bool backslash_escapes_;
};

/// Whether `token` is the unquoted word `keyword` (given in upper case ASCII).
[[nodiscard]] bool is_word(std::string_view text, token token, std::string_view keyword) noexcept;

/// All tokens of `text`, or nothing if one is invalid.
[[nodiscard]] std::optional<std::vector<token>> scan_all(std::string_view text);

}  // namespace rules
