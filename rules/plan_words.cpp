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
    case statement_action::validate:
      return "validate";
    case statement_action::rebase:
      return "rebase";
    case statement_action::reject:
      return "reject";
    case statement_action::would_lock:
      return "would_lock";
    case statement_action::would_check:
      return "would_check";
    case statement_action::would_validate:
      return "would_validate";
    case statement_action::would_rebase:
      return "would_rebase";
    case statement_action::would_reject:
      break;
  }
  return "would_reject";
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
      return "privilege";
    case unguarded_reason::blind:
      return "blind";
    case unguarded_reason::key_unread:
      return "key_unread";
    case unguarded_reason::forgotten:
      break;
  }
  return "forgotten";
}

}  // namespace rules
