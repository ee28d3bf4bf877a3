#include <charconv>
#include <cstdint>
#include <cstring>

#include "rules/identifiers.hpp"
#include "rules/plan.hpp"
#include "rules/scanner.hpp"

namespace rules {
namespace {

/// The words of one statement, one at a time.
class words {
 public:
  explicit words(std::string_view text) noexcept : text_{text}, scanner_{text} {
    do advance();
    while (current_.kind == token_kind::semicolon);
  }

  [[nodiscard]] bool is(std::string_view keyword) const noexcept { return is_word(text_, current_, keyword); }

  [[nodiscard]] bool take(std::string_view keyword) noexcept {
    if (!is(keyword)) return false;
    advance();
    return true;
  }

  void advance() noexcept { current_ = scanner_.next(); }

  [[nodiscard]] token_kind kind() const noexcept { return current_.kind; }

  [[nodiscard]] bool at_end() const noexcept {
    return current_.kind == token_kind::end || current_.kind == token_kind::invalid ||
           current_.kind == token_kind::semicolon;
  }

  [[nodiscard]] std::string_view text() const noexcept {
    return text_.substr(current_.begin, current_.end - current_.begin);
  }

 private:
  std::string_view text_;
  scanner scanner_;
  token current_;
};

enum class access : std::uint8_t { unsaid, read_only, read_write };

// "transaction_mode: ISOLATION LEVEL … | READ WRITE | READ ONLY | [NOT] DEFERRABLE"; the last one said holds.
access access_mode(words& rest) noexcept {
  access said = access::unsaid;
  while (!rest.at_end()) {
    if (!rest.take("READ")) {
      rest.advance();
    } else if (rest.is("ONLY")) {
      said = access::read_only;
    } else if (rest.is("WRITE")) {
      said = access::read_write;
    }
  }
  return said;
}

block_effect begins(words& rest) noexcept {
  switch (access_mode(rest)) {
    case access::read_only:
      return block_effect::begin_read_only;
    case access::read_write:
      return block_effect::begin_read_write;
    default:
      return block_effect::begin;
  }
}

// After COMMIT, END or ABORT, or after ROLLBACK where no TO follows.
block_effect ends(words& rest) noexcept {
  if (rest.is("PREPARED")) return block_effect::none;  // another transaction's
  if (rest.take("WORK") || rest.take("TRANSACTION")) {
  }
  if (rest.take("AND") && !rest.is("NO")) return block_effect::chain;
  return block_effect::end;
}

// SAVEPOINT, RELEASE and ROLLBACK TO; afterwards the savepoint's name is the current word.
block_effect savepoints(words& rest) noexcept {
  block_effect effect = block_effect::rollback_to;
  if (rest.take("SAVEPOINT")) return block_effect::savepoint;
  if (rest.take("RELEASE")) {
    effect = block_effect::release;
  } else {
    if (!rest.take("ROLLBACK")) return block_effect::none;
    if (rest.take("WORK") || rest.take("TRANSACTION")) {
    }
    if (!rest.take("TO")) return block_effect::none;
  }
  // A savepoint may be named "savepoint".
  words beyond = rest;
  if (beyond.take("SAVEPOINT") && !beyond.at_end()) rest = beyond;
  return effect;
}

bool starts_with_ignoring_case(std::string_view whole, std::string_view part) noexcept {
  if (part.empty() || part.size() > whole.size()) return false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if ((part[i] | 0x20) != whole[i]) return false;
  }
  return true;
}

// A Boolean setting's value as parse_bool reads it: unique prefixes of true, yes, on, and 1.
bool is_true(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
    value = value.substr(1, value.size() - 2);
  if (value == "1") return true;
  return starts_with_ignoring_case("true", value) || starts_with_ignoring_case("yes", value) ||
         (value.size() == 2 && starts_with_ignoring_case("on", value));
}

// After SET.
block_effect sets(words& rest) noexcept {
  if (rest.take("LOCAL") || rest.take("SESSION")) {
  }
  if (rest.take("TRANSACTION")) {
    switch (access_mode(rest)) {
      case access::read_only:
        return block_effect::set_read_only;
      case access::read_write:
        return block_effect::set_read_write;
      case access::unsaid:
        return block_effect::none;
    }
  }
  if (!rest.take("TRANSACTION_READ_ONLY")) return block_effect::none;
  rest.advance();  // TO or =
  return is_true(rest.text()) ? block_effect::set_read_only : block_effect::set_read_write;
}

// "…" or U&"…" with its doubled quotes made single; Unicode escapes stay.
std::string unquoted(std::string_view written) {
  const auto open = written.find('"');
  std::string name;
  for (std::size_t i = open + 1; i + 1 < written.size(); ++i) {
    name += written[i];
    if (written[i] == '"') ++i;
  }
  return name;
}

// What UESCAPE '…' behind U&"…" says; a backslash by default.
char escape_character(words& rest) noexcept {
  if (!rest.take("UESCAPE")) return '\\';
  const auto constant = rest.text();
  return rest.kind() == token_kind::string && constant.size() == 3 ? constant[1] : '\\';
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      byte(0xE0U | code >> 12U);
    } else {
      byte(0xF0U | code >> 18U);
      byte(0x80U | (code >> 12U & 0x3FU));
    }
    byte(0x80U | (code >> 6U & 0x3FU));
  }
  byte(0x80U | (code & 0x3FU));
}

// \XXXX, \+XXXXXX and \\, surrogate pairs joined. Where an escape is wrong PostgreSQL refuses the statement.
std::string unescaped(std::string_view text, char escape) {
  std::string plain;
  std::uint32_t high = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != escape || i + 1 == text.size() || text[i + 1] == escape) {
      plain += text[i];
      i += text[i] == escape ? 2 : 1;
      continue;
    }
    const bool wide = text[i + 1] == '+';
    const auto digits = text.substr(i + (wide ? 2 : 1), wide ? 6 : 4);
    std::uint32_t code = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    i += (wide ? 2 : 1) + digits.size();
    if (code >= 0xD800 && code < 0xDC00) {
      high = code;
      continue;
    }
    if (code >= 0xDC00 && code < 0xE000) code = 0x10000 + ((high - 0xD800) << 10U) + (code - 0xDC00);
    append_utf8(plain, code);
  }
  return plain;
}

}  // namespace

bool begins_with_plain_verb(std::string_view statement) noexcept {
  const auto first_seven = [](std::string_view text) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), 7);
    return bytes;
  };
  if (statement.size() < 7) return false;
  // Bit 5 makes letters lower case and leaves a blank one.
  const std::uint64_t verb = first_seven(statement) | first_seven(std::string_view("       "));
  return verb == first_seven("select ") || verb == first_seven("update ") || verb == first_seven("insert ") ||
         verb == first_seven("delete ");
}

block_effect effect_of(std::string_view statement) noexcept {
  if (begins_with_plain_verb(statement)) return block_effect::none;
  words rest{statement};
  if (rest.kind() != token_kind::word) return block_effect::none;
  words named = rest;
  if (const auto effect = savepoints(named); effect != block_effect::none) return effect;
  if (rest.take("BEGIN")) return begins(rest);
  if (rest.take("START")) return rest.is("TRANSACTION") ? begins(rest) : block_effect::none;
  if (rest.take("COMMIT") || rest.take("END") || rest.take("ROLLBACK") || rest.take("ABORT"))
    return ends(rest);
  if (rest.take("PREPARE")) {
    // PREPARE transaction AS … prepares a statement of that name.
    if (!rest.take("TRANSACTION")) return block_effect::none;
    return rest.kind() == token_kind::string ? block_effect::end : block_effect::none;
  }
  if (rest.take("SET")) return sets(rest);
  return block_effect::none;
}

std::string savepoint_name(std::string_view statement) {
  if (begins_with_plain_verb(statement)) return {};
  words rest{statement};
  if (rest.kind() != token_kind::word || savepoints(rest) == block_effect::none) return {};
  const std::string_view written = rest.text();
  std::string name;
  if (rest.kind() == token_kind::word) {
    for (const char c : written) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  } else if (rest.kind() == token_kind::quoted_word) {
    name = unquoted(written);
    const bool escaped = written.front() != '"';
    rest.advance();
    if (escaped) name = unescaped(name, escape_character(rest));
  }
  return std::string{stored_name(name)};
}

}  // namespace rules
