// What a session keeps of the transaction in progress beside the records: rows, turns, writes that were
// refused. Plain values; the session fills and empties them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/session/outbox.hpp"
#include "proxy/session/plan_cache.hpp"
#include "proxy/session/row_activity.hpp"

namespace proxy::session {

/// What the transaction in progress has done to guarded rows, as far as it has been answered.
struct transaction_account {
  std::vector<row_id> rows;  // that it locked or wrote, also by what is still in flight
  std::vector<std::pair<std::uint64_t, std::vector<row_id>>> written;  // whose turns end with it
  std::vector<std::pair<row_id, seen_write>> seen;                     // mode = "observe"
  std::vector<std::string> seen_rules;                                 // by `seen`
};

/// The wait for a turn, from the first time that it was asked for.
struct turn_wait {
  clock::time_point since;
  std::optional<clock::time_point> until;  // lock_timeout
  std::string rule;
  std::string schema;
  std::string table;
  bool pooled = false;  // counted in the client_census
};

/// A write that failed its validation.
struct refused_write {
  book_ptr book;
  std::uint16_t relation = 0;
  std::string key;
  std::vector<row_id> rows;
  std::string trace;
  bool taken = false;  // its read does not count any more
};

}  // namespace proxy::session
