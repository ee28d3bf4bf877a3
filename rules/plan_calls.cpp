#include <algorithm>
#include <array>

#include "rules/statement_context.hpp"

namespace rules {
namespace {

// PostgreSQL's functions that run a query given as text or by the name of a table, and those of dblink and
// tablefunc.
constexpr std::array<std::string_view, 19> text_runners{
    "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema",
    "table_to_xml", "table_to_xmlschema", "table_to_xml_and_xmlschema",
    "ts_stat",      "ts_rewrite",         "dblink",
    "dblink_exec",  "dblink_open",        "dblink_send_query",
    "crosstab",     "crosstab2",          "crosstab3",
    "crosstab4",    "crosstab_hash",      "connectby",
    "xpath_table"};

std::string_view name_of(const PgQuery__FuncCall& call) {
  return call.n_funcname == 0 ? std::string_view{} : string_of(call.funcname[call.n_funcname - 1]);
}

bool is_switched_off(const PgQuery__DefElem& option) {
  if (option.arg == nullptr) return false;
  if (const auto* number = as<PgQuery__Integer>(option.arg)) return number->ival == 0;
  const auto word = string_of(option.arg);
  constexpr std::array<std::string_view, 3> off{"false", "off", "0"};
  return std::any_of(off.begin(), off.end(), [word](std::string_view one) {
    return std::equal(word.begin(), word.end(), one.begin(), one.end(),
                      [](char left, char right) { return (left | 0x20) == (right | 0x20); });
  });
}

}  // namespace

bool explain_runs(const PgQuery__ExplainStmt& explained) {
  bool runs = false;  // of options given twice, the last counts
  for (std::size_t i = 0; i < explained.n_options; ++i) {
    const auto* option = as<PgQuery__DefElem>(explained.options[i]);
    if (option != nullptr && text_of(option->defname) == "analyze") runs = !is_switched_off(*option);
  }
  return runs;
}

bool runs_text(const PgQuery__FuncCall& call) {
  return std::find(text_runners.begin(), text_runners.end(), name_of(call)) != text_runners.end();
}

void plan_calls(const statement_context& context, const message* statement, plan& both) {
  const auto& tokens = context.text.tokens();
  const auto begin = tokens[context.tokens.first].begin;
  const auto text = context.text.text().substr(begin, tokens[context.tokens.last - 1].end - begin);
  const auto count = [&](std::uint16_t rule) {
    if (context.book.rules[rule].once) return;
    add_touch(both, unguarded(rule, statement_kind::other, unguarded_reason::opaque));
  };
  walk(statement, [&](const message* found) {
    const auto* call = as<PgQuery__FuncCall>(found);
    if (call == nullptr || call->n_funcname == 0) return true;
    const auto schema =
        call->n_funcname > 1 ? string_of(call->funcname[call->n_funcname - 2]) : std::string_view{};
    for (const auto rule : context.book.called(schema, name_of(*call))) count(rule);
    if (!runs_text(*call)) return true;
    for (std::size_t i = 0; i < context.book.rules.size(); ++i) {
      const auto rule = static_cast<std::uint16_t>(i);
      if (context.book.may_reach(rule, text)) count(rule);
    }
    return true;
  });
}

}  // namespace rules
