// What one client, and then all of them together, know of a race: what was acknowledged, what failed and how,
// how long it took. Knows nothing of what the database really holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/race/money.hpp"
#include "tests/race/unit_of_work.hpp"

namespace race {

/// Of one wallet: what acknowledged operations moved, and what those of unknown outcome may have moved.
struct movement {
  cents sure = 0;
  cents perhaps_in = 0;   // >= 0
  cents perhaps_out = 0;  // <= 0
};

struct tally {
  std::uint64_t acknowledged = 0;
  std::uint64_t declined = 0;  // by the application itself
  std::uint64_t failed = 0;    // operations given up after an error
  std::uint64_t unknown = 0;
  std::uint64_t retries = 0;
  std::uint64_t overdrawn = 0;                  // writes that reported a balance below zero
  std::map<std::string, std::uint64_t> errors;  // every attempt's, by SQLSTATE; "lost": the connection
  std::map<std::int64_t, movement> wallets;
  std::vector<std::int64_t> acknowledged_operations;
  std::vector<std::int64_t> unknown_operations;
  std::vector<std::chrono::microseconds> durations;  // of acknowledged operations, retries included

  /// Of all operations, first and repeated ones.
  [[nodiscard]] std::uint64_t attempts() const;

  /// An attempt that is not tried again.
  void settle(std::int64_t operation, const attempt&, std::chrono::microseconds took);
  /// An attempt that failed, tried again or not.
  void count_error(const attempt&);
  void add(tally&& other);
};

/// The smallest duration that `share` (0 to 1) of all do not exceed. Sorts; zero if there is none.
[[nodiscard]] std::chrono::microseconds percentile(std::vector<std::chrono::microseconds>&, double share);

}  // namespace race
