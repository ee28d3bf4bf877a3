#include "rules/statement_shape.hpp"

#include <algorithm>
#include <array>

#include "rules/value_text.hpp"

namespace rules {
namespace {

constexpr std::uint64_t offset_basis = 14695981039346656037ULL;
constexpr std::uint64_t prime = 1099511628211ULL;

bool is_constant(token_kind kind) noexcept {
  return kind == token_kind::string || kind == token_kind::number || kind == token_kind::parameter;
}

std::string_view text_at(const token_text& text, std::size_t index) noexcept {
  const token at = text.tokens()[index];
  return text.text().substr(at.begin, at.end - at.begin);
}

class fingerprint {
 public:
  fingerprint(const token_text& text, token_range statement) noexcept : text_{text}, range_{statement} {}

  std::uint64_t of_all() noexcept {
    for (std::size_t i = range_.first; i < range_.last; ++i) {
      if (is_sign(i)) continue;
      const auto kind = text_.tokens()[i].kind;
      if (is_constant(kind)) {
        add_byte('?');
        i = end_of_list(i);
      } else {
        add_word(text_at(text_, i), kind == token_kind::word);
      }
      add_byte('\0');
    }
    return hash_ == 0 ? 1 : hash_;
  }

 private:
  void add_byte(char byte) noexcept { hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * prime; }

  void add_word(std::string_view word, bool fold) noexcept {
    for (const char c : word) add_byte(fold && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  }

  // A sign that cannot be subtraction: nothing to subtract from stands before it.
  [[nodiscard]] bool is_sign(std::size_t index) const noexcept {
    constexpr std::array words{"SELECT",  "WHERE",  "AND",   "OR",     "NOT", "THEN",      "ELSE", "WHEN",
                               "BETWEEN", "VALUES", "LIMIT", "OFFSET", "BY",  "RETURNING", "ON",   "IN"};
    const auto& tokens = text_.tokens();
    if (tokens[index].kind != token_kind::op || index + 1 >= range_.last ||
        tokens[index + 1].kind != token_kind::number) {
      return false;
    }
    const auto sign = text_at(text_, index);
    if (sign != "-" && sign != "+") return false;
    if (index == range_.first) return true;
    const auto before = tokens[index - 1].kind;
    if (before == token_kind::op || before == token_kind::open || before == token_kind::comma) return true;
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return text_.is(index - 1, word); });
  }

  // The last constant of the list that begins at `index`, where a list of any length means the same.
  [[nodiscard]] std::size_t end_of_list(std::size_t index) const noexcept {
    const std::size_t bracket = index > range_.first && is_sign(index - 1) ? index - 1 : index;
    if (bracket < range_.first + 2 || text_.tokens()[bracket - 1].kind != token_kind::open) return index;
    if (!text_.is(bracket - 2, "IN") && !text_.is(bracket - 2, "ARRAY")) return index;
    const auto& tokens = text_.tokens();
    std::size_t last = index;
    for (std::size_t next = index + 1; next + 1 < range_.last && tokens[next].kind == token_kind::comma;) {
      ++next;
      if (is_sign(next)) ++next;
      if (!is_constant(tokens[next].kind)) break;
      last = next++;
    }
    return last;
  }

  const token_text& text_;
  token_range range_;
  std::uint64_t hash_ = offset_basis;
};

}  // namespace

std::uint64_t shape_of(const token_text& text, token_range statement) noexcept {
  return fingerprint{text, statement}.of_all();
}

std::uint16_t highest_parameter(const token_text& text, token_range statement) noexcept {
  std::uint16_t highest = 0;
  for (std::size_t i = statement.first; i < statement.last; ++i) {
    if (text.tokens()[i].kind != token_kind::parameter) continue;
    highest = std::max(highest, parameter_number(text, text.tokens()[i]));
  }
  return highest;
}

}  // namespace rules
