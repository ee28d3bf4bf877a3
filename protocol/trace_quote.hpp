// Owns the lexical form of trace lines: quoting, and a cursor over words, numbers, strings and lists.
// It refuses to know messages; its first error sticks.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace protocol::trace {

void append_quoted(std::string_view bytes, std::string& out);
void append_value(const std::optional<std::string_view>& value, std::string& out);
void append_tag(char tag, std::string& out);

/// Reads a line from left to right. Each read skips leading spaces; after a failure all give 0 or empty.
class cursor {
 public:
  explicit cursor(std::string_view line) noexcept : left_(line) {}

  /// Letters, digits, '_', '.', '-'. Fails if there is none.
  [[nodiscard]] std::string_view word();
  /// Whether `text` comes next (after spaces); takes it if so.
  [[nodiscard]] bool accept(std::string_view text);
  void expect(std::string_view text);
  [[nodiscard]] std::string quoted();
  /// A quoted string or NULL.
  [[nodiscard]] std::optional<std::string> value();
  /// A tag in single quotes.
  [[nodiscard]] char tag();
  /// A decimal number; fails outside [low, high].
  [[nodiscard]] std::int64_t number(std::int64_t low, std::int64_t high);
  template <class Int>
  [[nodiscard]] Int number() {
    return static_cast<Int>(number(std::numeric_limits<Int>::min(), std::numeric_limits<Int>::max()));
  }

  /// [a b c] of numbers.
  template <class Int>
  [[nodiscard]] std::vector<Int> numbers() {
    std::vector<Int> all;
    expect("[");
    while (ok_ && !accept("]")) all.push_back(number<Int>());
    return all;
  }
  /// The same; empty if no bracket comes next.
  template <class Int>
  [[nodiscard]] std::vector<Int> numbers_if_any() {
    return next_is('[') ? numbers<Int>() : std::vector<Int>();
  }

  [[nodiscard]] bool next_is(char c);
  [[nodiscard]] bool at_end();
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Nothing left and no error.
  [[nodiscard]] bool complete() { return at_end() && ok_; }
  void fail() noexcept {
    ok_ = false;
    left_ = {};
  }

 private:
  void skip_spaces() noexcept;
  [[nodiscard]] char unescaped();
  [[nodiscard]] char hex_byte();

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace protocol::trace
