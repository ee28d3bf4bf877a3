// The conditions under which a write may stand, as SQL for the hole in its prelude: the rows are as they were
// read, and still there. Writes SQL over what is on record; which records matter comes in as arguments.
#pragma once

#include <vector>

#include "proxy/session/recorded_reads.hpp"
#include "proxy/session/values.hpp"
#include "rules/plan.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

struct check_request {
  const rules::rule_book& book;
  const rules::guarded_relation& relation;
  std::vector<const recorded_read*> records;  // what the rows are compared with
  bool one_row = false;        // the only record is that of the only row which the prelude locks
  bool tells_gone = false;     // with one_row: no row means that it is gone
  bool reject_unread = false;  // rows that are not on record may not be written
};

/// Branches " WHEN … THEN …" for a hole of kind checks.
[[nodiscard]] sql_value write_checks(const check_request& request);

}  // namespace proxy::session
