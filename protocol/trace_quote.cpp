#include "protocol/trace_quote.hpp"

#include <charconv>

namespace protocol::trace {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_escaped(char c, char quote, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (c == quote) {
    out += '\\';
    out += c;
  } else if (byte < 0x20 || byte > 0x7e) {
    out += "\\x";
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
  } else {
    out += c;
  }
}

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}

}  // namespace

void append_quoted(std::string_view bytes, std::string& out) {
  out += '"';
  for (const char c : bytes) append_escaped(c, '"', out);
  out += '"';
}

void append_value(const std::optional<std::string_view>& value, std::string& out) {
  if (value) {
    append_quoted(*value, out);
  } else {
    out += "NULL";
  }
}

void append_tag(char tag, std::string& out) {
  out += '\'';
  append_escaped(tag, '\'', out);
  out += '\'';
}

void cursor::skip_spaces() noexcept {
  while (!left_.empty() && left_[0] == ' ') left_.remove_prefix(1);
}

bool cursor::next_is(char c) {
  skip_spaces();
  return !left_.empty() && left_[0] == c;
}

bool cursor::at_end() {
  skip_spaces();
  return left_.empty();
}

std::string_view cursor::word() {
  skip_spaces();
  std::size_t size = 0;
  while (size < left_.size() && is_word(left_[size])) ++size;
  if (size == 0) fail();
  const std::string_view found = left_.substr(0, size);
  left_.remove_prefix(found.size());
  return found;
}

bool cursor::accept(std::string_view text) {
  skip_spaces();
  if (!left_.starts_with(text)) return false;
  left_.remove_prefix(text.size());
  return true;
}

void cursor::expect(std::string_view text) {
  if (!accept(text)) fail();
}

char cursor::hex_byte() {
  unsigned value = 0;
  if (left_.size() >= 2) {
    const char* end = left_.data() + 2;
    const auto [at, error] = std::from_chars(left_.data(), end, value, 16);
    if (error == std::errc{} && at == end) {
      left_.remove_prefix(2);
      return static_cast<char>(value);
    }
  }
  fail();
  return 0;
}

/// One character of a quoted text, which the caller knows is there.
char cursor::unescaped() {
  const char c = left_[0];
  left_.remove_prefix(1);
  if (c != '\\') return c;
  if (left_.empty()) {
    fail();
    return 0;
  }
  const char escaped = left_[0];
  left_.remove_prefix(1);
  switch (escaped) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'x':
      return hex_byte();
    case '\\':
    case '"':
    case '\'':
      return escaped;
    default:
      fail();
      return 0;
  }
}

std::string cursor::quoted() {
  std::string bytes;
  expect("\"");
  while (ok_ && !left_.empty() && left_[0] != '"') bytes += unescaped();
  if (left_.empty()) fail();
  if (!ok_) return {};
  left_.remove_prefix(1);
  return bytes;
}

std::optional<std::string> cursor::value() {
  if (accept("NULL")) return std::nullopt;
  return quoted();
}

char cursor::tag() {
  expect("'");
  if (left_.empty()) {
    fail();
    return 0;
  }
  const char found = unescaped();
  if (left_.empty() || left_[0] != '\'') {
    fail();
    return 0;
  }
  left_.remove_prefix(1);
  return found;
}

std::int64_t cursor::number(std::int64_t low, std::int64_t high) {
  skip_spaces();
  std::int64_t value = 0;
  const char* end = left_.data() + left_.size();
  const auto [at, error] = std::from_chars(left_.data(), end, value);
  if (error != std::errc{} || value < low || value > high) {
    fail();
    return 0;
  }
  left_.remove_prefix(static_cast<std::size_t>(at - left_.data()));
  return value;
}

}  // namespace protocol::trace
