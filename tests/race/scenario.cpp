#include "tests/race/scenario.hpp"

namespace race {
namespace {

constexpr cents plenty = 1'000'000'00;
constexpr cents little = 100'00;
// Transfers between two wallets only do little but deadlock, with a second's wait each.
constexpr std::int64_t wide = 50;

}  // namespace

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> table = {
      {.name = "tx-read-modify-write",
       .title = "read-modify-write in a transaction",
       .what = "BEGIN; SELECT balance; UPDATE SET balance = <what the application computed>; COMMIT",
       .guarded = true,
       .ledger = true,
       .opening_balance = plenty,
       .play = play_transaction_read_modify_write},
      {.name = "check-then-decrement",
       .title = "check, then decrement",
       .what = "SELECT balance; if it is enough: UPDATE SET balance = balance - price",
       .guarded = true,
       .opening_balance = little,
       .play = play_check_then_decrement},
      {.name = "transfer",
       .title = "transfers in both directions",
       .what = "BEGIN; SELECT both wallets; UPDATE both with computed balances; COMMIT",
       .guarded = true,
       .ledger = true,
       .opening_balance = plenty,
       .spread = wide,
       .play = play_transfer},
      {.name = "autocommit-read-modify-write",
       .title = "read-modify-write without a transaction",
       .what = "SELECT balance; UPDATE SET balance = <computed>, each on its own",
       .opening_balance = plenty,
       .play = play_autocommit_read_modify_write},
      {.name = "read-outside-write-inside",
       .title = "read outside, write inside a transaction",
       .what = "SELECT balance; BEGIN; UPDATE SET balance = <computed>; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_read_outside_write_inside},
      {.name = "pool",
       .title = "read and write over different connections",
       .what = "as autocommit-read-modify-write, the SELECT on one connection, the UPDATE on another",
       .opening_balance = plenty,
       .pooled = true,
       .play = play_pool},
      {.name = "double-submit",
       .title = "the same payment submitted twice",
       .what =
           "BEGIN; SELECT the order in the ledger; if it is not there: INSERT it, credit the wallet; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_double_submit},
      {.name = "take-off-twice",
       .title = "an item taken off twice",
       .what = "BEGIN; SELECT the item; if it is there: DELETE it, hand it out; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_take_off_twice},
  };
  return table;
}

}  // namespace race
