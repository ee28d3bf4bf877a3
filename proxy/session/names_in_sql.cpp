// Statements of SQL that act on the names of the protocol: EXECUTE runs them, DEALLOCATE and DISCARD free
// them.
#include "proxy/session/names_in_sql.hpp"

#include <algorithm>

#include "proxy/session/session.hpp"
#include "rules/name_filter.hpp"
#include "rules/scanner.hpp"

namespace proxy::session {
namespace {

bool same_word(std::string_view word, std::string_view lower) {
  if (word.size() != lower.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char folded = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + ('a' - 'A')) : word[i];
    if (folded != lower[i]) return false;
  }
  return true;
}

/// A name as the server stores it: folded to lower case unless it is quoted.
std::string stored_name(std::string_view written) {
  if (written.size() > 2 && written.front() == '"' && written.back() == '"') {
    return std::string(written.substr(1, written.size() - 2));
  }
  std::string folded(written);
  for (char& letter : folded) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter | 0x20);
  }
  return folded;
}

std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t start = text.find_first_not_of(blanks);
  if (start == std::string_view::npos) return {};
  const std::size_t end = text.find_first_of(" \t\r\n;", start);
  const std::string_view word = text.substr(start, end == std::string_view::npos ? end : end - start);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return word;
}

}  // namespace

bool gives_connection_back(std::string_view sql) {
  // Cheap for what cannot be it: the strings that drivers send are short.
  constexpr std::size_t longest = 1024;
  if (sql.size() > longest) return false;
  rules::scanner tokens{sql};
  bool first = true;  // of a statement
  bool verb = false;  // DISCARD or RESET came just before
  for (;;) {
    const rules::token next = tokens.next();
    if (next.kind == rules::token_kind::end || next.kind == rules::token_kind::invalid) return false;
    if (verb && rules::is_word(sql, next, "ALL")) return true;
    verb = first && (rules::is_word(sql, next, "DISCARD") || rules::is_word(sql, next, "RESET"));
    first = next.kind == rules::token_kind::semicolon;
  }
}

bool runs_prepared(std::string_view sql) {
  return same_word(next_word(sql), "execute");
}

namespace {

bool has_word(std::string_view sql, std::string_view lower) {
  return std::search(sql.begin(), sql.end(), lower.begin(), lower.end(),
                     [](char text, char letter) { return (text | 0x20) == letter; }) != sql.end();
}

}  // namespace

bool may_be_several(std::string_view sql) {
  const std::size_t first = sql.find(';');
  return first != std::string_view::npos &&
         sql.find_first_not_of("; \t\r\n", first) != std::string_view::npos;
}

bool may_commit(std::string_view sql, bool in_block) {
  using rules::block_effect;
  if (may_be_several(sql)) {
    constexpr std::string_view ends[] = {"commit", "end", "prepare", "rollback", "abort"};
    return !in_block || std::any_of(std::begin(ends), std::end(ends),
                                    [sql](std::string_view word) { return has_word(sql, word); });
  }
  const block_effect effect = rules::effect_of(sql);
  const bool ends_block = effect == block_effect::end || effect == block_effect::chain;
  if (in_block && !ends_block) return false;
  if (effect == block_effect::begin || effect == block_effect::begin_read_only ||
      effect == block_effect::begin_read_write) {
    return false;
  }
  if (!ends_block) return true;
  const std::string_view verb = next_word(sql);  // behind a comment it is not found: then it may be COMMIT
  return !same_word(verb, "rollback") && !same_word(verb, "abort");
}

bool may_free_names(std::string_view sql) {
  return has_word(sql, "discard") || has_word(sql, "deallocate");
}

bool may_return_rows(std::string_view sql) {
  return has_word(sql, "returning");
}

bool may_change_reading(std::string_view sql) {
  // SET NAMES is SET client_encoding; set_config() may be given the setting's name in pieces.
  static const rules::name_filter words{
      {"standard_conforming_strings", "client_encoding", "names", "set_config", "discard", "reset"}};
  return words.may_name(sql);
}

bool may_make_relations(std::string_view sql) {
  return has_word(sql, "create") || has_word(sql, "rename") || has_word(sql, "schema");
}

bool must_come_first(std::string_view sql) {
  constexpr std::string_view verbs[] = {"SET",     "LOCK", "VACUUM", "CLUSTER",
                                        "REINDEX", "DROP", "CREATE", "ALTER"};
  rules::scanner tokens{sql};
  const rules::token first = tokens.next();
  return std::any_of(std::begin(verbs), std::end(verbs),
                     [&](std::string_view verb) { return rules::is_word(sql, first, verb); });
}

bool may_use_relations(std::string_view sql) {
  constexpr std::string_view harmless[] = {"BEGIN", "START",   "COMMIT",    "END",     "ROLLBACK",  "ABORT",
                                           "SET",   "SHOW",    "RESET",     "LISTEN",  "UNLISTEN",  "NOTIFY",
                                           "CLOSE", "DISCARD", "SAVEPOINT", "RELEASE", "DEALLOCATE"};
  rules::scanner tokens{sql};
  const rules::token first = tokens.next();
  if (first.kind == rules::token_kind::end) return false;
  if (may_be_several(sql)) return true;
  if (rules::is_word(sql, first, "SELECT"))
    return sql.find('(') != std::string_view::npos || has_word(sql, "from");
  return std::none_of(std::begin(harmless), std::end(harmless),
                      [&](std::string_view verb) { return rules::is_word(sql, first, verb); });
}

bool may_join(std::string_view sql) {
  return has_word(sql, "from");
}

/// SQL's EXECUTE runs what was prepared by the protocol, too, under a name that says nothing. It is counted,
/// and refused where a rule says so; true if it was refused.
bool session::executes_guarded(std::string_view sql, outbox& out) {
  if (!book_ || statements_.size() == 0 || !same_word(next_word(sql), "execute")) return false;
  std::string_view name = next_word(sql);
  name = name.substr(0, name.find('('));
  const auto [statement, certain] = statements_.find(stored_name(name), batch_);
  if (!statement || statement->guarded() == nullptr || !statement->book) return false;
  for (const rules::touch& touch : statement->guarded()->in_block.touches) {
    const rules::rule& rule = statement->book->rules()[touch.rule];
    out.events.push_back({.what = event::type::unguarded,
                          .rule = rule.name,
                          .reason = rules::unguarded_reason::prepare,
                          .sqlstate = {}});
    if (rule.on_opaque != rules::policy::reject || rule.mode == rules::mode::observe) continue;
    raise_query({.sqlstate = "42501",
                 .message = "rule \"" + rule.name + "\" refuses EXECUTE of a statement that it guards",
                 .detail = {},
                 .hint = "Execute it through the protocol, or set on_opaque = \"allow\".",
                 .rule = rule.name,
                 .schema = rule.schema,
                 .table = rule.table,
                 .column = {}},
                out);
    return true;
  }
  return false;
}

/// DEALLOCATE and DISCARD ALL free names as Close does; PDO sends one after each statement. Forgetting a name
/// is only about memory: a statement that is gone cannot run.
void session::forget_deallocated(std::string_view sql, owed& entry) {
  if (statements_.size() == 0) return;
  const std::string_view verb = next_word(sql);
  std::string_view what = next_word(sql);
  if (same_word(verb, "deallocate") && same_word(what, "prepare")) what = next_word(sql);
  const bool all = same_word(what, "all");
  if (!same_word(verb, "deallocate") && !(all && same_word(verb, "discard"))) return;
  if (may_be_several(sql)) return;  // one of the others may fail, or read what comes next
  if (all) {
    statements_.change_all(batch_);
  } else {
    const std::string name = stored_name(what);
    if (!statements_.would_change(name, false)) return;
    statements_.change(name, nullptr, batch_);
  }
  entry.kept = note::statement_name;
}

}  // namespace proxy::session
