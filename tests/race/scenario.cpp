#include "tests/race/scenario.hpp"

namespace race {
namespace {

constexpr cents plenty = 1'000'000'00;
constexpr cents little = 100'00;
// Transfers between two wallets only do little but deadlock, with a second's wait each.
constexpr std::int64_t wide = 50;

constexpr std::string_view transfer_text =
    "BEGIN; SELECT both wallets; UPDATE both with computed balances; COMMIT";

std::vector<scenario> deposits_and_payments() {
  return {
      {.name = "tx-read-modify-write",
       .title = "read-modify-write in a transaction",
       .what = "BEGIN; SELECT balance; UPDATE SET balance = <what the application computed>; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_transaction_read_modify_write},
      {.name = "check-then-decrement",
       .title = "check, then decrement",
       .what = "SELECT balance; if it is enough: UPDATE SET balance = balance - price",
       .opening_balance = little,
       .play = play_check_then_decrement},
      {.name = "transfer",
       .title = "transfers in both directions",
       .what = transfer_text,
       .ledger = true,
       .opening_balance = plenty,
       .spread = wide,
       .play = play_transfer},
      {.name = hot_transfer,
       .title = "transfers between the same accounts",
       .what = "as transfer, by eight clients on so few wallets that directly most of them deadlock",
       .ledger = true,
       .opening_balance = plenty,
       .most_clients = 8,
       .play = play_transfer},
  };
}

std::vector<scenario> reads_outside_transactions() {
  return {
      {.name = "autocommit-read-modify-write",
       .title = "read-modify-write without a transaction",
       .what = "SELECT balance; UPDATE SET balance = <computed>, each on its own",
       .opening_balance = plenty,
       .autocommit = true,
       .play = play_autocommit_read_modify_write},
      {.name = "read-by-another-key",
       .title = "the same, read by another key than written",
       .what = "SELECT id, balance WHERE user_id = …; UPDATE SET balance = <computed> WHERE id = …",
       .opening_balance = plenty,
       .autocommit = true,
       .play = play_read_by_another_key},
      {.name = "read-outside-write-inside",
       .title = "read outside, write inside a transaction",
       .what = "SELECT balance; BEGIN; UPDATE SET balance = <computed>; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_read_outside_write_inside},
      {.name = "read-again-before-write",
       .title = "the same, read once more just before",
       .what = "SELECT balance; SELECT it again; BEGIN; UPDATE SET balance = <from the first>; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_read_again_before_write},
      {.name = "pool",
       .title = "read and write over different connections",
       .what = "as autocommit-read-modify-write, the SELECT on one connection, the UPDATE on another",
       .opening_balance = plenty,
       .bond = bond::client,
       .autocommit = true,
       .play = play_pool},
      {.name = "pool-traced",
       .title = "the same, with a trace in each statement",
       .what = "as pool, with traceparent in a trailing comment (sqlcommenter)",
       .opening_balance = plenty,
       .bond = bond::trace,
       .autocommit = true,
       .play = play_pool_traced},
  };
}

std::vector<scenario> done_twice() {
  return {
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
      {.name = "take-off-outside",
       .title = "the same, seen outside the transaction",
       .what = "SELECT the item; if it is there: BEGIN; DELETE it, hand it out; COMMIT",
       .ledger = true,
       .opening_balance = plenty,
       .play = play_take_off_outside},
  };
}

std::vector<scenario> all_of_them() {
  std::vector<scenario> all = deposits_and_payments();
  for (const std::vector<scenario>& more : {reads_outside_transactions(), done_twice()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> table = all_of_them();
  return table;
}

const scenario* find_scenario(std::string_view name) {
  for (const scenario& each : scenarios()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace race
