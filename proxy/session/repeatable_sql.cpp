#include "proxy/session/repeatable_sql.hpp"

#include <algorithm>
#include <initializer_list>

#include "proxy/session/names_in_sql.hpp"
#include "rules/name_filter.hpp"
#include "rules/scanner.hpp"

namespace proxy::session {
namespace {

using rules::token;
using rules::token_kind;

bool is_any(std::string_view sql, const token& found, std::initializer_list<std::string_view> of) noexcept {
  return std::any_of(of.begin(), of.end(),
                     [&](std::string_view word) { return rules::is_word(sql, found, word); });
}

bool is_planned(std::string_view sql, const token& first) noexcept {
  return is_any(sql, first, {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "MERGE", "TABLE"});
}

bool is_harmless(std::string_view sql, const token& first) noexcept {
  return is_any(sql, first,
                {"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SHOW",
                 "FETCH", "MOVE", "CLOSE", "DECLARE", "LISTEN", "UNLISTEN", "NOTIFY", "LOCK", "PREPARE"});
}

/// 'a' 'b' on two lines, which is read as 'ab'.
bool is_joined(std::string_view text) noexcept {
  for (std::size_t at = text.find('\''); at != std::string_view::npos && text.back() == '\'';) {
    at = text.find('\'', at + 1);
    if (at == std::string_view::npos || at + 1 == text.size()) return false;
    if (text[at + 1] != '\'') return true;
    ++at;
  }
  return false;
}

/// A literal whose value is that of the time when it is read, or that may spell such a one.
bool tells_time(std::string_view text) noexcept {
  if (text.find('\\') != std::string_view::npos || text.front() == 'U' || text.front() == 'u' ||
      is_joined(text))
    return true;
  constexpr std::string_view words[] = {"now", "today", "tomorrow", "yesterday"};
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(),
                       [](char any, char letter) { return (any | 0x20) == letter; }) != text.end();
  });
}

/// Settings that no text is read by.
bool sets_harmless(std::string_view sql, rules::scanner tokens) noexcept {
  token name = tokens.next();
  if (is_any(sql, name, {"LOCAL", "SESSION"})) name = tokens.next();
  return is_any(sql, name,
                {"TRANSACTION", "CHARACTERISTICS", "CONSTRAINTS", "APPLICATION_NAME", "STATEMENT_TIMEOUT",
                 "LOCK_TIMEOUT", "IDLE_IN_TRANSACTION_SESSION_TIMEOUT", "SYNCHRONOUS_COMMIT"});
}

/// DEALLOCATE of one name, which is none of ours.
bool frees_one(std::string_view sql, rules::scanner tokens) noexcept {
  token name = tokens.next();
  if (rules::is_word(sql, name, "PREPARE")) name = tokens.next();
  return !rules::is_word(sql, name, "ALL") && !rules::may_spell(sql, "_pgteller");
}

/// The rest of a statement, and that there is none behind it.
repetition of_rest(std::string_view sql, token last, rules::scanner& tokens, bool planned) noexcept {
  repetition found = planned ? repetition::repeats : repetition::passes;
  for (token next = tokens.next(); next.kind != token_kind::end; next = tokens.next()) {
    if (next.kind == token_kind::invalid) return repetition::changes;
    if (last.kind == token_kind::semicolon && next.kind != token_kind::semicolon) return repetition::changes;
    // SELECT … INTO makes a table.
    if (planned && rules::is_word(sql, next, "INTO") && !is_any(sql, last, {"INSERT", "MERGE"}))
      return repetition::changes;
    const bool joined = last.kind == token_kind::string;  // with a comment between them
    if (next.kind == token_kind::string &&
        (joined || tells_time(sql.substr(next.begin, next.end - next.begin))))
      found = repetition::passes;
    last = next;
  }
  return found;
}

}  // namespace

repetition repetition_of(std::string_view sql, bool standard_strings) noexcept {
  if (rules::has_escaped_name(sql) || rules::may_spell(sql, "set_config") ||
      rules::may_spell(sql, "pg_settings"))  // that view may be updated
    return repetition::changes;
  rules::scanner tokens{sql, !standard_strings};
  token first = tokens.next();
  while (first.kind == token_kind::open || first.kind == token_kind::semicolon) first = tokens.next();
  if (first.kind == token_kind::end) return repetition::passes;
  const bool planned = is_planned(sql, first);
  // COMMIT PREPARED makes, and ROLLBACK PREPARED undoes, what another session has done.
  if (!planned && is_any(sql, first, {"COMMIT", "ROLLBACK"}) && rules::may_spell(sql, "prepared"))
    return repetition::changes;
  const bool harmless = planned || is_harmless(sql, first) ||
                        (rules::is_word(sql, first, "SET") && sets_harmless(sql, tokens)) ||
                        (rules::is_word(sql, first, "DEALLOCATE") && frees_one(sql, tokens));
  return harmless ? of_rest(sql, first, tokens, planned) : repetition::changes;
}

bool changes_meanings(std::string_view sql, bool standard_strings) noexcept {
  static const rules::name_filter words{{"set_config", "pg_settings", "prepared", "into"}};
  rules::scanner tokens{sql, !standard_strings};
  const token first = tokens.next();
  const bool plain = is_any(sql, first, {"SELECT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "END", "ROLLBACK"});
  if (plain && !may_be_several(sql) && !words.may_name(sql)) return false;
  return repetition_of(sql, standard_strings) == repetition::changes;
}

}  // namespace proxy::session
