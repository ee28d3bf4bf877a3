#include <algorithm>
#include <array>

#include "rules/identifiers.hpp"
#include "rules/statement_context.hpp"

namespace rules {
namespace {

// Reasons that mean "reached in a way that cannot be analysed": on_opaque applies.
bool is_opaque(const touch& counted) {
  constexpr std::array reasons{unguarded_reason::copy,    unguarded_reason::cursor,
                               unguarded_reason::prepare, unguarded_reason::view,
                               unguarded_reason::shape,   unguarded_reason::expression,
                               unguarded_reason::opaque,  unguarded_reason::cte};
  return counted.unguarded && std::find(reasons.begin(), reasons.end(), counted.reason) != reasons.end();
}

std::string_view remedy(unguarded_reason reason) {
  switch (reason) {
    case unguarded_reason::copy:
      return "use SELECT or UPDATE instead of COPY";
    case unguarded_reason::cursor:
      return "read and update by key instead of through a cursor";
    case unguarded_reason::prepare:
      return "prepare through the protocol instead of with PREPARE";
    case unguarded_reason::view:
      return "name the table itself";
    case unguarded_reason::cte:
      return "write the UPDATE without WITH";
    case unguarded_reason::expression:
      return "compute the new value first, without sub-selects, DEFAULT or volatile functions";
    case unguarded_reason::shape:
      return "name the rows in a plain SELECT or UPDATE";
    default:
      return "write it in a form that pgteller can parse";
  }
}

std::string refusal(const rule& refusing, const touch& counted) {
  return "rule \"" + refusing.name + "\" refuses this statement: it reaches table \"" + refusing.table +
         "\" in a way that cannot be guarded (" + std::string{name(counted.reason)} + "); " +
         std::string{remedy(counted.reason)} + ", or set on_opaque = \"allow\"";
}

void observe(const compiled_book& book, plan& made) {
  const auto observed = [&](std::uint16_t rule) { return book.rules[rule].mode == mode::observe; };
  std::erase_if(made.preludes, [&](const prelude& one) { return observed(one.rule); });
  for (auto& counted : made.touches) {
    if (observed(counted.rule) && counted.action != statement_action::forward) {
      counted.action = statement_action::observe;
    }
  }
}

std::string explain(const compiled_book& book, const plan& made) {
  if (made.touches.empty()) return "No guarded column is read or written.";
  const auto& first = made.touches.front();
  const std::string rule = "rule \"" + book.rules[first.rule].name + "\"";
  switch (first.action) {
    case statement_action::lock:
      return "The rows are locked in key order first, for " + rule + ".";
    case statement_action::check:
      return "The rows are locked in key order and the new values checked first, for " + rule + ".";
    case statement_action::observe:
      return "It would be guarded, but " + rule + " only observes.";
    case statement_action::reject:
      return "It is refused by " + rule + ".";
    case statement_action::forward:
      break;
  }
  if (first.unguarded) return "It passes unguarded by " + rule + ": " + std::string{name(first.reason)} + ".";
  return "It passes as it is; " + rule + " counts it.";
}

}  // namespace

token_range statement_tokens(const token_text& text, const PgQuery__RawStmt& raw) {
  const auto begin = static_cast<std::uint32_t>(std::max(raw.stmt_location, 0));
  const auto size = static_cast<std::uint32_t>(std::max(raw.stmt_len, 0));
  const auto end = size == 0 ? static_cast<std::uint32_t>(text.text().size()) : begin + size;
  token_range range = text.within(begin, end);
  while (!range.empty() && text.tokens()[range.last - 1].kind == token_kind::semicolon) --range.last;
  return range;
}

void settle(const compiled_book& book, plan& made) {
  for (auto& counted : made.touches) {
    if (is_opaque(counted) && book.rules[counted.rule].on_opaque == policy::reject) {
      counted.action = statement_action::reject;
    }
  }
  observe(book, made);
  const auto refused = std::find_if(made.touches.begin(), made.touches.end(), [](const touch& counted) {
    return counted.action == statement_action::reject;
  });
  if (refused != made.touches.end()) {
    std::rotate(made.touches.begin(), refused, refused + 1);
    made.kind = plan_kind::reject;
    made.preludes.clear();
    made.refusal = refusal(book.rules[made.touches.front().rule], made.touches.front());
  } else {
    made.kind = made.preludes.empty() ? plan_kind::forward : plan_kind::wrap;
  }
  made.why = explain(book, made);
}

statement plan_statement(const statement_context& context, const node* parsed) {
  statement planned;
  const auto& tokens = context.text.tokens();
  if (!context.tokens.empty()) {
    planned.begin = tokens[context.tokens.first].begin;
    planned.end = tokens[context.tokens.last - 1].end;
  }
  planned.effect = effect_of(context.text.text().substr(planned.begin, planned.end - planned.begin));
  plan& in_block = planned.in_block;
  if (const auto* select = as<PgQuery__SelectStmt>(parsed);
      select != nullptr && select->into_clause == nullptr) {
    plan_read(context, *select, in_block, planned.autonomous);
    plan_other(context, content(parsed), in_block);
    plan_other(context, content(parsed), planned.autonomous);
  } else {
    if (const auto* update = as<PgQuery__UpdateStmt>(parsed)) plan_update(context, *update, in_block);
    plan_other(context, content(parsed), in_block);
    planned.autonomous = in_block;
  }
  settle(context.book, in_block);
  settle(context.book, planned.autonomous);
  return planned;
}

plan opaque_plan(const compiled_book& book, std::string_view text, std::string why) {
  plan made;
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    const auto rule = static_cast<std::uint16_t>(i);
    std::vector<std::string> names{book.rules[i].table};
    for (const auto& alias : book.aliases) {
      if (std::find(alias.rules.begin(), alias.rules.end(), rule) != alias.rules.end())
        names.push_back(alias.name);
    }
    if (!name_filter{names}.may_name(text)) continue;
    add_touch(made, unguarded(rule, statement_kind::other, unguarded_reason::opaque));
  }
  settle(book, made);
  made.why += " " + why;
  return made;
}

void add_prelude(plan& into, prelude made) {
  const bool same = std::any_of(into.preludes.begin(), into.preludes.end(), [&](const prelude& known) {
    return known.sql == made.sql && known.parameters == made.parameters;
  });
  if (!same || !made.checks.empty()) into.preludes.push_back(std::move(made));
}

void add_touch(plan& into, touch counted) {
  const auto same = [&](const touch& known) {
    return known.rule == counted.rule && known.kind == counted.kind && known.action == counted.action &&
           known.unguarded == counted.unguarded && (!counted.unguarded || known.reason == counted.reason);
  };
  if (std::none_of(into.touches.begin(), into.touches.end(), same)) into.touches.push_back(counted);
}

touch unguarded(std::uint16_t rule, statement_kind kind, unguarded_reason reason) {
  touch counted;
  counted.rule = rule;
  counted.kind = kind;
  counted.unguarded = true;
  counted.reason = reason;
  return counted;
}

std::string relation_sql(const PgQuery__RangeVar& named) {
  std::string sql = named.inh ? "" : "ONLY ";
  if (!text_of(named.schemaname).empty()) sql += quoted_name(text_of(named.schemaname)) + ".";
  return sql += quoted_name(text_of(named.relname));
}

namespace {

bool is_volatile_call(const compiled_book& book, const message* found) {
  const auto* call = as<PgQuery__FuncCall>(found);
  return call != nullptr && call->n_funcname > 0 &&
         book.is_volatile(string_of(call->funcname[call->n_funcname - 1]));
}

}  // namespace

bool calls_volatile(const compiled_book& book, const message* root) {
  bool calls = false;
  walk(root, [&](const message* found) {
    calls = calls || is_volatile_call(book, found);
    return !calls;
  });
  return calls;
}

bool calls_volatile(const compiled_book& book, node* const* nodes, std::size_t count) {
  return std::any_of(nodes, nodes + count,
                     [&](const node* item) { return calls_volatile(book, content(item)); });
}

}  // namespace rules
