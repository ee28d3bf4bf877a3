#include <algorithm>
#include <array>

#include "rules/identifiers.hpp"
#include "rules/plan_insert.hpp"
#include "rules/statement_context.hpp"
#include "rules/statement_shape.hpp"

namespace rules {
namespace {

// Reasons that mean "reached in a way that cannot be analysed": on_opaque applies.
bool is_opaque(const touch& counted) {
  constexpr std::array reasons{unguarded_reason::copy,    unguarded_reason::cursor,
                               unguarded_reason::prepare, unguarded_reason::view,
                               unguarded_reason::shape,   unguarded_reason::expression,
                               unguarded_reason::opaque,  unguarded_reason::cte,
                               unguarded_reason::merge,   unguarded_reason::delete_};
  if (counted.unguarded && counted.opaque) return true;
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
    case unguarded_reason::merge:
      return "write INSERT and UPDATE instead of MERGE";
    case unguarded_reason::insert:
      return "insert values that the text tells, without ON CONFLICT DO UPDATE";
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

statement_action would_be(statement_action action) {
  switch (action) {
    case statement_action::lock:
      return statement_action::would_lock;
    case statement_action::check:
      return statement_action::would_check;
    case statement_action::validate:
      return statement_action::would_validate;
    case statement_action::rebase:
      return statement_action::would_rebase;
    case statement_action::reject:
      return statement_action::would_reject;
    default:
      return action;
  }
}

// Preludes of observing rules go, and those that only lock what another one locks by the same SQL. The notes
// learn the new places of theirs.
void sift_preludes(const compiled_book& book, plan& made) {
  std::vector<prelude> kept;
  std::vector<std::int16_t> places;
  for (auto& one : made.preludes) {
    places.push_back(-1);
    if (book.rules[one.rule].mode == mode::observe) continue;
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const prelude& known) {
      return known.sql == one.sql && known.parameters == one.parameters;
    });
    const bool only_locks = one.checks.empty() && one.insertions.empty() && !one.once;
    if (same != kept.end() && only_locks) {
      same->only_with_checks = same->only_with_checks && one.only_with_checks;
      places.back() = static_cast<std::int16_t>(same - kept.begin());
      continue;
    }
    places.back() = static_cast<std::int16_t>(kept.size());
    kept.push_back(std::move(one));
  }
  made.preludes = std::move(kept);
  for (auto& note : made.writes) {
    if (note.prelude >= 0) note.prelude = places[static_cast<std::size_t>(note.prelude)];
  }
}

void observe(const compiled_book& book, plan& made) {
  const auto observed = [&](std::uint16_t rule) { return book.rules[rule].mode == mode::observe; };
  for (auto& counted : made.touches) {
    if (observed(counted.rule)) counted.action = would_be(counted.action);
  }
}

bool is_would(statement_action action) {
  return action > statement_action::reject;
}

// What happens to a write of which nothing but records decides more.
std::string explain_write(const compiled_book& book, const plan& made, const touch& first,
                          const std::string& rule) {
  const bool validates = std::any_of(made.writes.begin(), made.writes.end(), [&](const write_note& note) {
    return note.prelude >= 0 && book.relations[note.relation].rule == first.rule;
  });
  const bool rebases = std::any_of(made.writes.begin(), made.writes.end(), [&](const write_note& note) {
    return !note.rebase.empty() && book.relations[note.relation].rule == first.rule;
  });
  if (rebases) return "The new value is put on the newest one where the row is on record, for " + rule + ".";
  if (validates)
    return "It passes as it is unless the row is on record: then the row is compared with what was read, "
           "for " +
           rule + ".";
  return "It passes as it is; " + rule + " counts it.";
}

std::string explain(const compiled_book& book, const plan& made) {
  if (made.touches.empty()) return "No guarded column is read or written.";
  const auto& first = made.touches.front();
  const std::string rule = "rule \"" + book.rules[first.rule].name + "\"";
  if (is_would(first.action)) return "It would be guarded, but " + rule + " only observes.";
  switch (first.action) {
    case statement_action::lock:
      return "The rows are locked in key order first, for " + rule + ".";
    case statement_action::check:
      if (book.rules[first.rule].once)
        return "The new keys are locked and looked for first, for " + rule + ".";
      return "The rows are locked in key order and the new values checked first, for " + rule + ".";
    case statement_action::reject:
      return "It is refused by " + rule + ".";
    default:
      break;
  }
  if (first.unguarded) return "It passes unguarded by " + rule + ": " + std::string{name(first.reason)} + ".";
  if (first.kind == statement_kind::read && !made.reads.empty())
    return "It passes as it is; what it returns is put on record for " + rule + ".";
  return explain_write(book, made, first, rule);
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
  sift_preludes(book, made);
  observe(book, made);
  const auto refused = std::find_if(made.touches.begin(), made.touches.end(), [](const touch& counted) {
    return counted.action == statement_action::reject;
  });
  if (refused != made.touches.end()) {
    std::rotate(made.touches.begin(), refused, refused + 1);
    made.kind = plan_kind::reject;
    made.preludes.clear();
    made.reads.clear();
    made.writes.clear();
    made.shares_commit = false;
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
  planned.parameters = highest_parameter(context.text, context.tokens);
  planned.shape = shape_of(context.text, context.tokens);
  plan& in_block = planned.in_block;
  if (const auto* select = as<PgQuery__SelectStmt>(parsed);
      select != nullptr && select->into_clause == nullptr) {
    plan_read(context, *select, in_block, planned.autonomous);
    for (plan* each : {&in_block, &planned.autonomous}) {
      plan_other(context, content(parsed), *each);
      plan_once(context, content(parsed), *each);
    }
  } else {
    if (const auto* update = as<PgQuery__UpdateStmt>(parsed)) plan_update(context, *update, in_block);
    if (const auto* removal = as<PgQuery__DeleteStmt>(parsed)) plan_delete(context, *removal, in_block);
    if (const auto* insert = as<PgQuery__InsertStmt>(parsed)) plan_insert(context, *insert, in_block);
    plan_once(context, content(parsed), in_block);
    plan_other(context, content(parsed), in_block);
    planned.autonomous = in_block;
    if (const auto* update = as<PgQuery__UpdateStmt>(parsed))
      planned.autonomous.shares_commit = may_share_commit(context, *update, in_block);
    // Outside a transaction no lock outlives the statement.
    for (auto& note : planned.autonomous.reads) note.locks = false;
  }
  settle(context.book, in_block);
  settle(context.book, planned.autonomous);
  return planned;
}

plan opaque_plan(const compiled_book& book, std::string_view text, std::string why) {
  plan made;
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    const auto rule = static_cast<std::uint16_t>(i);
    if (!book.may_reach(rule, text)) continue;
    add_touch(made, unguarded(rule, statement_kind::other, unguarded_reason::opaque));
  }
  settle(book, made);
  made.why += " " + why;
  return made;
}

std::int16_t add_prelude(plan& into, prelude made) {
  into.preludes.push_back(std::move(made));
  return static_cast<std::int16_t>(into.preludes.size() - 1);
}

void add_touch(plan& into, touch counted) {
  const auto same = [&](const touch& known) {
    return known.rule == counted.rule && known.kind == counted.kind && known.action == counted.action &&
           known.unguarded == counted.unguarded && (!counted.unguarded || known.reason == counted.reason);
  };
  const auto known = std::find_if(into.touches.begin(), into.touches.end(), same);
  if (known == into.touches.end()) return into.touches.push_back(counted);
  known->opaque = known->opaque || counted.opaque;
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
