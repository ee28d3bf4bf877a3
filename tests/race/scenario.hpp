// The bugs that can be played, in one table. A scenario is what one client does once; who repeats it, counts
// and audits, and what guards against it, stands elsewhere.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/race/money.hpp"
#include "tests/race/unit_of_work.hpp"
#include "tests/race/worker.hpp"

namespace race {

/// The transfers that are measured by the share of attempts that end in 40P01.
inline constexpr std::string_view hot_transfer = "transfer-hot";

/// What tells which read a write rests on.
enum class bond : std::uint8_t {
  connection,  // both came over one connection
  client,      // only that one client sent both, over different connections
  trace,       // the same, and both name their trace
};

struct scenario {
  std::string_view name;   // for the command line
  std::string_view title;  // for people
  std::string_view what;   // one line
  bool ledger = false;     // each operation also enters itself in the table transactions, in its transaction
  cents opening_balance = 0;
  race::bond bond = bond::connection;
  bool autocommit = false;  // read and write are a transaction each, and one write is all
  std::uint32_t most_clients = 10000;
  std::int64_t spread = 1;  // wallets for each that --rows asks for
  attempt (*play)(worker&, std::int64_t operation) = nullptr;
};

/// A client of it uses two connections.
[[nodiscard]] inline bool pooled(const scenario& one) {
  return one.bond != bond::connection;
}

/// In the order they are listed and played.
[[nodiscard]] const std::vector<scenario>& scenarios();

/// Null: there is none of that name.
[[nodiscard]] const scenario* find_scenario(std::string_view name);

// In files named after the bug.
[[nodiscard]] attempt play_transaction_read_modify_write(worker&, std::int64_t operation);
[[nodiscard]] attempt play_check_then_decrement(worker&, std::int64_t operation);
[[nodiscard]] attempt play_transfer(worker&, std::int64_t operation);
[[nodiscard]] attempt play_autocommit_read_modify_write(worker&, std::int64_t operation);
[[nodiscard]] attempt play_read_by_another_key(worker&, std::int64_t operation);
[[nodiscard]] attempt play_read_outside_write_inside(worker&, std::int64_t operation);
[[nodiscard]] attempt play_read_again_before_write(worker&, std::int64_t operation);
[[nodiscard]] attempt play_pool(worker&, std::int64_t operation);
[[nodiscard]] attempt play_pool_traced(worker&, std::int64_t operation);
[[nodiscard]] attempt play_double_submit(worker&, std::int64_t operation);
[[nodiscard]] attempt play_take_off_twice(worker&, std::int64_t operation);
[[nodiscard]] attempt play_take_off_outside(worker&, std::int64_t operation);

}  // namespace race
