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

// After COMMIT, END, ROLLBACK or ABORT.
block_effect ends(words& rest) noexcept {
  if (rest.is("PREPARED")) return block_effect::none;  // another transaction's
  if (rest.take("WORK") || rest.take("TRANSACTION")) {
  }
  if (rest.is("TO")) return block_effect::none;  // a savepoint
  if (rest.take("AND") && !rest.is("NO")) return block_effect::chain;
  return block_effect::end;
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

}  // namespace

block_effect effect_of(std::string_view statement) noexcept {
  words rest{statement};
  if (rest.kind() != token_kind::word) return block_effect::none;
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

}  // namespace rules
