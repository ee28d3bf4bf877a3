#include "rules/scanner.hpp"

namespace rules {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_word_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_word_part(char c) noexcept {
  return is_word_start(c) || is_digit(c) || c == '$';
}

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_newline(char c) noexcept {
  return c == '\n' || c == '\r';
}

bool is_operator(char c) noexcept {
  return std::string_view{"~!@#^&|`?+-*/%<>="}.find(c) != std::string_view::npos;
}

char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

bool scanner::skip_block_comment() noexcept {
  std::size_t depth = 0;
  while (offset_ < text_.size()) {
    if (at(offset_) == '/' && at(offset_ + 1) == '*') {
      ++depth;
      offset_ += 2;
    } else if (at(offset_) == '*' && at(offset_ + 1) == '/') {
      offset_ += 2;
      if (--depth == 0) return true;
    } else {
      ++offset_;
    }
  }
  return false;
}

bool scanner::skip_blank() noexcept {
  while (offset_ < text_.size()) {
    const char c = text_[offset_];
    if (is_space(c)) {
      ++offset_;
    } else if (c == '-' && at(offset_ + 1) == '-') {
      while (offset_ < text_.size() && !is_newline(text_[offset_])) ++offset_;
    } else if (c == '/' && at(offset_ + 1) == '*') {
      if (!skip_block_comment()) return false;
    } else {
      break;
    }
  }
  return true;
}

// A string goes on in the next quote if only white space (and -- comments) with at least one newline is
// between.
bool scanner::continues_after_newline() noexcept {
  std::size_t ahead = offset_;
  bool newline = false;
  while (ahead < text_.size()) {
    const char c = text_[ahead];
    if (is_space(c)) {
      newline = newline || is_newline(c);
      ++ahead;
    } else if (newline && c == '-' && at(ahead + 1) == '-') {
      // A comment joins two segments only where a newline came before it and another ends it.
      while (ahead < text_.size() && !is_newline(text_[ahead])) ++ahead;
    } else {
      break;
    }
  }
  if (!newline || at(ahead) != '\'') return false;
  offset_ = ahead + 1;
  return true;
}

bool scanner::quoted(char quote, bool escapes, bool doubled) noexcept {
  ++offset_;
  while (offset_ < text_.size()) {
    const char c = text_[offset_++];
    if (c == '\\' && escapes) {
      ++offset_;
    } else if (c == quote) {
      if (doubled && at(offset_) == quote) {
        ++offset_;
      } else if (quote != '\'' || !continues_after_newline()) {
        return true;
      }
    }
  }
  offset_ = text_.size();
  return false;
}

bool scanner::dollar_quoted() noexcept {
  std::size_t tag_end = offset_ + 1;
  while (tag_end < text_.size() && text_[tag_end] != '$' && is_word_part(text_[tag_end])) ++tag_end;
  const auto tag = text_.substr(offset_, tag_end + 1 - offset_);
  const auto closing = text_.find(tag, tag_end + 1);
  if (closing == std::string_view::npos) return false;
  offset_ = closing + tag.size();
  return true;
}

token_kind scanner::dollar() noexcept {
  if (is_digit(at(offset_ + 1))) {
    ++offset_;
    while (is_digit(at(offset_))) ++offset_;
    return token_kind::parameter;
  }
  std::size_t tag_end = offset_ + 1;
  if (is_word_start(at(tag_end))) {
    while (is_word_start(at(tag_end)) || is_digit(at(tag_end))) ++tag_end;
  }
  if (at(tag_end) != '$') return token_kind::invalid;
  return dollar_quoted() ? token_kind::string : token_kind::invalid;
}

token_kind scanner::prefixed_or_word() noexcept {
  const char first = upper(at(offset_));
  const char second = at(offset_ + 1);
  if (second == '\'' && (first == 'E' || first == 'B' || first == 'X')) {
    ++offset_;
    // In bit strings a doubled quote is not a quote.
    return quoted('\'', first == 'E', first == 'E') ? token_kind::string : token_kind::invalid;
  }
  const char third = at(offset_ + 2);
  if (first == 'U' && second == '&' && (third == '\'' || third == '"')) {
    offset_ += 2;
    if (!quoted(third, false)) return token_kind::invalid;
    return third == '"' ? token_kind::quoted_word : token_kind::string;
  }
  while (offset_ < text_.size() && is_word_part(text_[offset_])) ++offset_;
  return token_kind::word;
}

token_kind scanner::number() noexcept {
  while (is_digit(at(offset_))) ++offset_;
  // "1..2" is an integer and two dots, as in PL/pgSQL's loops.
  if (at(offset_) == '.' && at(offset_ + 1) != '.') {
    ++offset_;
    while (is_digit(at(offset_))) ++offset_;
  }
  if (upper(at(offset_)) == 'E') {
    std::size_t digits = offset_ + 1;
    if (at(digits) == '+' || at(digits) == '-') ++digits;
    if (is_digit(at(digits))) {
      offset_ = digits;
      while (is_digit(at(offset_))) ++offset_;
    }
  }
  return token_kind::number;
}

token_kind scanner::operator_run() noexcept {
  const std::size_t begin = offset_;
  while (offset_ < text_.size() && is_operator(text_[offset_])) {
    const char c = text_[offset_];
    const char following = at(offset_ + 1);
    if (offset_ > begin && ((c == '-' && following == '-') || (c == '/' && following == '*'))) break;
    ++offset_;
  }
  // "A multiple-character operator name cannot end in + or -, unless the name also contains at least one of
  // these characters: ~ ! @ # % ^ & | ` ?"  (PostgreSQL manual, 4.1.3)
  const auto run = text_.substr(begin, offset_ - begin);
  if (run.find_first_of("~!@#%^&|`?") == std::string_view::npos) {
    while (offset_ - begin > 1 && (text_[offset_ - 1] == '+' || text_[offset_ - 1] == '-')) --offset_;
  }
  return token_kind::op;
}

token_kind scanner::punctuation() noexcept {
  const char c = text_[offset_];
  const char following = at(offset_ + 1);
  const auto take = [this](std::size_t size, token_kind kind) {
    offset_ += size;
    return kind;
  };
  switch (c) {
    case '(':
    case '[':
      return take(1, token_kind::open);
    case ')':
    case ']':
      return take(1, token_kind::close);
    case ',':
      return take(1, token_kind::comma);
    case ';':
      return take(1, token_kind::semicolon);
    case ':':
      if (following == ':' || following == '=') return take(2, token_kind::op);
      return take(1, token_kind::colon);
    case '.':
      if (is_digit(following)) return number();
      if (following == '.') return take(2, token_kind::op);
      return take(1, token_kind::dot);
    default:
      return take(1, token_kind::invalid);
  }
}

token_kind scanner::cut() noexcept {
  const char c = text_[offset_];
  if (is_word_start(c)) return prefixed_or_word();
  if (is_digit(c)) return number();
  if (c == '\'') return quoted('\'', backslash_escapes_) ? token_kind::string : token_kind::invalid;
  if (c == '"') return quoted('"', false) ? token_kind::quoted_word : token_kind::invalid;
  if (c == '$') return dollar();
  if (is_operator(c)) return operator_run();
  return punctuation();
}

token scanner::next() noexcept {
  if (!skip_blank()) {
    const auto end = static_cast<std::uint32_t>(text_.size());
    return {token_kind::invalid, end, end};
  }
  const auto begin = static_cast<std::uint32_t>(offset_);
  if (offset_ >= text_.size()) return {token_kind::end, begin, begin};
  const token_kind kind = cut();
  if (kind == token_kind::invalid) offset_ = begin;  // stay: every later call says invalid again
  return {kind, begin, static_cast<std::uint32_t>(offset_)};
}

bool is_word(std::string_view text, token token, std::string_view keyword) noexcept {
  if (token.kind != token_kind::word || token.end - token.begin != keyword.size()) return false;
  for (std::size_t i = 0; i < keyword.size(); ++i) {
    if (upper(text[token.begin + i]) != keyword[i]) return false;
  }
  return true;
}

std::optional<std::vector<token>> scan_all(std::string_view text) {
  std::vector<token> tokens;
  tokens.reserve(text.size() / 5 + 4);
  scanner cursor{text};
  for (;;) {
    const token next = cursor.next();
    if (next.kind == token_kind::invalid) return std::nullopt;
    if (next.kind == token_kind::end) return tokens;
    tokens.push_back(next);
  }
}

}  // namespace rules
