#include "rules/plan.hpp"

namespace rules {

std::string_view name(statement_kind kind) noexcept {
  switch (kind) {
    case statement_kind::read:
      return "read";
    case statement_kind::relative:
      return "relative";
    case statement_kind::absolute:
      return "absolute";
    case statement_kind::computed:
      return "computed";
    case statement_kind::other:
      break;
  }
  return "other";
}

std::string_view name(statement_action action) noexcept {
  switch (action) {
    case statement_action::forward:
      return "forward";
    case statement_action::lock:
      return "lock";
    case statement_action::check:
      return "check";
    case statement_action::observe:
      return "observe";
    case statement_action::reject:
      break;
  }
  return "reject";
}

std::string_view name(unguarded_reason reason) noexcept {
  switch (reason) {
    case unguarded_reason::insert:
      return "insert";
    case unguarded_reason::delete_:
      return "delete";
    case unguarded_reason::merge:
      return "merge";
    case unguarded_reason::cte:
      return "cte";
    case unguarded_reason::copy:
      return "copy";
    case unguarded_reason::truncate:
      return "truncate";
    case unguarded_reason::cursor:
      return "cursor";
    case unguarded_reason::prepare:
      return "prepare";
    case unguarded_reason::view:
      return "view";
    case unguarded_reason::wide_read:
      return "wide_read";
    case unguarded_reason::shape:
      return "shape";
    case unguarded_reason::expression:
      return "expression";
    case unguarded_reason::ddl:
      return "ddl";
    case unguarded_reason::opaque:
      return "opaque";
    case unguarded_reason::privilege:
      break;
  }
  return "privilege";
}

namespace {

std::string_view kind_name(plan_kind kind) noexcept {
  switch (kind) {
    case plan_kind::forward:
      return "forward";
    case plan_kind::wrap:
      return "wrap";
    case plan_kind::reject:
      break;
  }
  return "reject";
}

void append(std::string& text, const touch& counted) {
  text += "touch: rule " + std::to_string(counted.rule) + ", ";
  text.append(name(counted.kind)).append(", ").append(name(counted.action));
  if (counted.unguarded) text.append(", unguarded: ").append(name(counted.reason));
  text += '\n';
}

// Continuation lines are indented, so that every fact still begins at a line's start.
void append_sql(std::string& text, std::string_view sql) {
  text += "  ";
  for (const char c : sql) {
    text += c;
    if (c == '\n') text += "  ";
  }
  text += '\n';
}

void append(std::string& text, const prelude& hidden) {
  text += "prelude: rule " + std::to_string(hidden.rule) + ", table ";
  if (!hidden.schema.empty()) text += hidden.schema + ".";
  text += hidden.table;
  text += hidden.before_bind ? ", before Bind\n" : ", before Execute\n";
  append_sql(text, hidden.sql);
  for (std::size_t i = 0; i < hidden.parameters.size(); ++i) {
    text += "parameter: $" + std::to_string(i + 1) + " is the client's $" +
            std::to_string(hidden.parameters[i]) + '\n';
  }
  for (std::size_t i = 0; i < hidden.checks.size(); ++i) {
    const auto& check = hidden.checks[i];
    text += "check: " + std::to_string(i) + ", " + check.column + (check.is_min ? " >= " : " <= ") +
            check.bound + '\n';
  }
  for (const auto& own : hidden.insertions) {
    text += "inserted into the client's statement at " + std::to_string(own.client_offset) + ": " + own.text +
            '\n';
  }
  text += "copied:";
  for (const auto& stretch : hidden.copied) {
    text += " " + std::to_string(stretch.client_offset) + "+" + std::to_string(stretch.size) + " at " +
            std::to_string(stretch.prelude_offset) + ";";
  }
  text += '\n';
}

}  // namespace

std::string to_text(const plan& planned) {
  std::string text = "plan: ";
  text.append(kind_name(planned.kind)) += '\n';
  if (!planned.why.empty()) text += "why: " + planned.why + '\n';
  if (!planned.refusal.empty()) text += "refusal: " + planned.refusal + '\n';
  for (const auto& counted : planned.touches) append(text, counted);
  for (const auto& hidden : planned.preludes) append(text, hidden);
  return text;
}

}  // namespace rules
