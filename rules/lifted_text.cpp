#include "rules/lifted_text.hpp"

#include <array>

namespace rules {
namespace {

enum class part : std::uint8_t {
  refused,
  space,
  word,
  digit,
  quote,
  name_quote,
  opens,  // a value may follow
  other,
};

constexpr bool is_between(char c, char first, char last) noexcept {
  return c >= first && c <= last;
}

constexpr part part_of(char c) noexcept {
  if (is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') || c == '_') return part::word;
  if (is_between(c, '0', '9')) return part::digit;
  switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '\f':
      return part::space;
    case '\'':
      return part::quote;
    case '"':
      return part::name_quote;
    case '=':
    case '<':
    case '>':
    case '+':
    case '-':
    case '*':
    case '/':
    case '(':
    case ',':
      return part::opens;
    case '$':
    case '\\':
      return part::refused;
    default:
      return is_between(c, ' ', '~') ? part::other : part::refused;
  }
}

constexpr std::array<part, 256> make_parts() noexcept {
  std::array<part, 256> made{};
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = part_of(static_cast<char>(i));
  return made;
}

constexpr std::array<part, 256> parts = make_parts();

part look(char c) noexcept {
  return parts[static_cast<unsigned char>(c)];
}

bool is_word_part(char c) noexcept {
  return look(c) == part::word || look(c) == part::digit;
}

bool fits_int4(std::string_view digits) noexcept {
  constexpr std::string_view most = "2147483647";
  return digits.size() < most.size() || (digits.size() == most.size() && digits <= most);
}

}  // namespace

bool lifted_text::take(std::string_view sql) {
  sql_ = sql;
  frame_.clear();
  literals_.clear();
  at_ = copied_ = 0;
  value_follows_ = behind_string_ = false;
  if (sql.size() > longest_text) return false;
  while (at_ < sql_.size()) {
    const char c = sql_[at_];
    switch (look(c)) {
      case part::space:
        ++at_;
        continue;
      case part::word:
        while (is_word_part(at(at_))) ++at_;
        value_follows_ = false;
        break;
      case part::digit:
        if (!take_number()) return false;
        break;
      case part::quote:
        if (!take_string()) return false;
        continue;
      case part::name_quote:
        if (!take_name()) return false;
        break;
      case part::opens:
        if ((c == '-' || c == '/') && at(at_ + 1) == (c == '-' ? '-' : '*')) return false;  // a comment
        value_follows_ = true;
        ++at_;
        break;
      case part::other:
        value_follows_ = false;
        ++at_;
        break;
      case part::refused:
        return false;
    }
    behind_string_ = false;
  }
  if (literals_.empty() || literals_.size() > most_literals) return false;
  frame_.append(sql_.substr(copied_));
  return true;
}

bool lifted_text::take_number() {
  const std::size_t begin = at_;
  while (look(at(at_)) == part::digit) ++at_;
  const std::size_t whole = at_ - begin;
  std::size_t behind_point = 0;
  if (at(at_) == '.') {
    const std::size_t point = at_++;
    while (look(at(at_)) == part::digit) ++at_;
    behind_point = at_ - point - 1;
    if (behind_point == 0 || at(at_) == '.') return false;
  }
  if (is_word_part(at(at_))) return false;
  if (value_follows_ && behind_point > 0) {
    if (whole <= 18 && behind_point <= 18) lift(literal_class::decimal, begin, at_);
  } else if (value_follows_ && sql_[begin] != '0' && whole <= 18) {
    const bool narrow = fits_int4(sql_.substr(begin, whole));
    lift(narrow ? literal_class::integer : literal_class::wide, begin, at_);
  }
  value_follows_ = false;
  return true;
}

bool lifted_text::take_string() {
  // E'…', U&'…' and the like; or the next part of a string over several lines.
  if (behind_string_ || (at_ > 0 && (is_word_part(sql_[at_ - 1]) || sql_[at_ - 1] == '&'))) return false;
  const std::size_t begin = ++at_;
  while (at(at_) != '\'') {
    const char c = at(at_);
    if (!is_between(c, ' ', '~') || c == '\\') return false;
    ++at_;
  }
  const std::size_t end = at_++;
  if (at(at_) == '\'') return false;
  if (value_follows_ && end > begin && end - begin <= longest_string) lift(literal_class::string, begin, end);
  value_follows_ = false;
  behind_string_ = true;
  return true;
}

bool lifted_text::take_name() {
  if (at_ > 0 && sql_[at_ - 1] == '&') return false;
  ++at_;
  while (at(at_) != '"') {
    const char c = at(at_);
    if (!is_between(c, ' ', '~') || c == '\\') return false;
    ++at_;
  }
  ++at_;  // a doubled quote begins the next part of the same name
  value_follows_ = false;
  return true;
}

void lifted_text::lift(literal_class of, std::size_t begin, std::size_t end) {
  // One too many is enough to tell.
  if (literals_.size() > most_literals) return;
  frame_.append(sql_.substr(copied_, begin - copied_));
  frame_ += static_cast<char>(of);
  copied_ = end;
  literals_.push_back({of, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)});
}

std::string lifted_text::with(const std::vector<std::string>& values) const {
  std::string made;
  std::size_t from = 0;
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    made.append(sql_.substr(from, literals_[i].begin - from)).append(values[i]);
    from = literals_[i].begin + literals_[i].size;
  }
  return made.append(sql_.substr(from));
}

}  // namespace rules
