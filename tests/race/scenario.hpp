// The bugs that can be played, in one table. A scenario is what one client does once; who repeats it, counts
// and audits stands elsewhere.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/race/money.hpp"
#include "tests/race/unit_of_work.hpp"
#include "tests/race/worker.hpp"

namespace race {

struct scenario {
  std::string_view name;   // for the command line
  std::string_view title;  // for people
  std::string_view what;   // one line
  bool guarded = false;    // this version of pgteller keeps its books right
  bool ledger = false;     // each operation also enters itself in the table transactions, in its transaction
  cents opening_balance = 0;
  bool pooled = false;      // a client uses two connections
  std::int64_t spread = 1;  // wallets for each that --rows asks for
  attempt (*play)(worker&, std::int64_t operation) = nullptr;
};

/// In the order they are listed and played.
[[nodiscard]] const std::vector<scenario>& scenarios();

// Each in a file of its own, named alike.
[[nodiscard]] attempt play_transaction_read_modify_write(worker&, std::int64_t operation);
[[nodiscard]] attempt play_check_then_decrement(worker&, std::int64_t operation);
[[nodiscard]] attempt play_transfer(worker&, std::int64_t operation);
[[nodiscard]] attempt play_autocommit_read_modify_write(worker&, std::int64_t operation);
[[nodiscard]] attempt play_read_outside_write_inside(worker&, std::int64_t operation);
[[nodiscard]] attempt play_pool(worker&, std::int64_t operation);
[[nodiscard]] attempt play_double_submit(worker&, std::int64_t operation);
[[nodiscard]] attempt play_take_off_twice(worker&, std::int64_t operation);

}  // namespace race
