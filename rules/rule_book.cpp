#include "rules/rule_book.hpp"

#include <algorithm>
#include <utility>

#include "rules/changed_names.hpp"
#include "rules/nesting.hpp"
#include "rules/statement_context.hpp"

namespace rules {
namespace {

bool has_high_bytes(std::string_view text) noexcept {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return true;
  }
  return false;
}

// The server refuses anything else: overlong forms, surrogates, what is above U+10FFFF, a character cut
// short.
bool is_utf8(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead < 0xC2 || lead > 0xF4) return false;
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(i + 1) < least || byte(i + 1) > most) return false;
    for (std::size_t k = 2; k < size; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return false;
    }
    i += size;
  }
  return true;
}

/// Why the text cannot be trusted to mean here what it means to the server; empty if it can.
std::string_view doubt(const compiled_book& book, std::string_view text, parse_settings settings) noexcept {
  if (text.size() > longest_parsed_text) return "The text is longer than 1 MiB.";
  if (text.find('\0') != std::string_view::npos) return "The text has a zero byte.";
  if (!settings.standard_conforming_strings && text.find('\\') != std::string_view::npos) {
    return "It has a backslash while standard_conforming_strings is off.";
  }
  if (!settings.ascii_safe_encoding && has_high_bytes(text)) {
    return "client_encoding is not ASCII-safe.";
  }
  if (settings.utf8 && !is_utf8(text)) return "The text is not valid UTF-8.";
  if (!settings.utf8 && book.wide_names && has_high_bytes(text)) {
    return "Its names cannot be compared in a client_encoding other than UTF8.";
  }
  return {};
}

bool changes_block(block_effect effect) noexcept {
  return effect != block_effect::none && effect != block_effect::savepoint &&
         effect != block_effect::release && effect != block_effect::rollback_to;
}

// The last change of the transaction block that the string makes, as far as its words can be told apart.
block_effect last_effect(std::string_view text, bool backslash_escapes) {
  block_effect last = block_effect::none;
  scanner cursor{text, backslash_escapes};
  std::size_t begin = 0;
  for (;;) {
    const token next = cursor.next();
    const bool over = next.kind == token_kind::end || next.kind == token_kind::invalid;
    if (!over && next.kind != token_kind::semicolon) continue;
    const auto effect = effect_of(text.substr(begin, next.begin - begin));
    if (changes_block(effect)) last = effect;
    if (over) return last;
    begin = next.end;
  }
}

std::shared_ptr<const analysis> opaque(const compiled_book& book, std::shared_ptr<analysis> made,
                                       parse_settings settings, std::string_view why) {
  made->exact = false;
  statement whole;
  whole.end = static_cast<std::uint32_t>(made->text.size());
  whole.effect = last_effect(made->text, !settings.standard_conforming_strings);
  whole.in_block = opaque_plan(book, made->text, std::string{why});
  whole.autonomous = whole.in_block;
  made->statements.assign(1, std::move(whole));
  return made;
}

bool any_applies(const rule_set& configured, std::string_view database, std::string_view user) noexcept {
  for (const auto& rule : configured.rules) {
    if (applies(rule, database, user)) return true;
  }
  return !configured.once.empty();
}

}  // namespace

rule_book::rule_book(std::unique_ptr<const compiled_book> book) noexcept : compiled_{std::move(book)} {}
rule_book::~rule_book() = default;

bool rule_book::empty() const noexcept {
  return compiled_->rules.empty();
}

bool rule_book::log_values() const noexcept {
  return compiled_->log_values;
}

bool rule_book::traces() const noexcept {
  return std::any_of(compiled_->rules.begin(), compiled_->rules.end(),
                     [](const rule& known) { return known.correlate == correlate::trace; });
}

const std::vector<foreign_record>& rule_book::of_others() const noexcept {
  return compiled_->of_others;
}

const std::vector<rule>& rule_book::rules() const noexcept {
  return compiled_->rules;
}

const std::vector<guarded_relation>& rule_book::relations() const noexcept {
  return compiled_->relations;
}

const std::vector<std::string>& rule_book::ambiguous() const noexcept {
  return compiled_->ambiguous;
}

std::vector<std::string> rule_book::table_names() const {
  std::vector<std::string> names;
  for (const auto& each : compiled_->rules) {
    if (!contains(names, each.table)) names.push_back(each.table);
  }
  return names;
}

std::shared_ptr<const rule_book> rule_book::resolved(const name_meanings& meanings) const {
  // A database with more schemas of the same tables makes new books again and again.
  constexpr std::size_t most_remembered = 256;
  const std::lock_guard lock{resolving_};
  if (const auto known = resolved_.find(meanings); known != resolved_.end()) return known->second;
  auto copy = std::make_unique<compiled_book>(*compiled_);
  copy->meanings = meanings;
  std::shared_ptr<const rule_book> made{new rule_book{std::move(copy)}};
  if (resolved_.size() >= most_remembered) resolved_.clear();
  resolved_.emplace(meanings, made);
  return made;
}

bool rule_book::may_touch(std::string_view sql) const noexcept {
  return compiled_->filter.may_name(sql);
}

std::shared_ptr<const analysis> rule_book::analyse(std::string_view sql, parse_settings settings) const {
  auto made = std::make_shared<analysis>();
  made->text = sql;
  if (const auto why = doubt(*compiled_, sql, settings); !why.empty())
    return opaque(*compiled_, std::move(made), settings, why);
  auto tokens = scan_all(made->text);
  if (!tokens)
    return opaque(*compiled_, std::move(made), settings, "The text ends inside a string or comment.");
  if (nesting_of(made->text, *tokens) > deepest_nesting) {
    return opaque(*compiled_, std::move(made), settings, "It nests too deep.");
  }
  if (with_queries_of(made->text, *tokens) > most_with_queries) {
    return opaque(*compiled_, std::move(made), settings, "It has too many queries in WITH.");
  }
  const auto tree = parse_tree::parse(made->text);
  if (!tree)
    return opaque(*compiled_, std::move(made), settings, "PostgreSQL 15's grammar does not accept it.");
  const token_text text{made->text, std::move(*tokens)};
  changed_names changed;
  for (std::size_t i = 0; i < tree->root().n_stmts; ++i) {
    const auto& raw = *tree->root().stmts[i];
    const statement_context context{*compiled_, text, statement_tokens(text, raw)};
    made->statements.push_back(plan_statement(context, raw.stmt));
    auto& planned = made->statements.back();
    if (i > 0) changed.doubt(*compiled_, content(raw.stmt), planned);
    if (i + 1 < tree->root().n_stmts) changed.note(content(raw.stmt), planned);
  }
  return made;
}

bool may_touch(const rule_set& configured, std::string_view database, std::string_view user,
               std::string_view sql) noexcept {
  if (!any_applies(configured, database, user)) return false;
  if (has_escaped_name(sql)) return true;
  for (const auto& rule : configured.rules) {
    if (applies(rule, database, user) && may_spell(sql, rule.table)) return true;
  }
  for (const auto& rule : configured.once) {
    if (may_spell(sql, rule.table)) return true;
  }
  return false;
}

}  // namespace rules
