#include "tests/race/scenario.hpp"

namespace race {
namespace {

constexpr cents plenty = 1'000'000'00;
constexpr cents little = 100'00;

}  // namespace

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> table = {
      {"tx-read-modify-write", "read-modify-write in a transaction",
       "BEGIN; SELECT balance; UPDATE SET balance = <what the application computed>; COMMIT", true, true,
       plenty, play_transaction_read_modify_write},
      {"check-then-decrement", "check, then decrement",
       "SELECT balance; if it is enough: UPDATE SET balance = balance - price", true, false, little,
       play_check_then_decrement},
      {"transfer", "transfers in both directions",
       "BEGIN; SELECT both wallets; UPDATE both with computed balances; COMMIT", true, true, plenty,
       play_transfer},
      {"autocommit-read-modify-write", "read-modify-write without a transaction",
       "SELECT balance; UPDATE SET balance = <computed>, each on its own", false, false, plenty,
       play_autocommit_read_modify_write},
      {"read-outside-write-inside", "read outside, write inside a transaction",
       "SELECT balance; BEGIN; UPDATE SET balance = <computed>; COMMIT", false, true, plenty,
       play_read_outside_write_inside},
      {"pool", "read and write over different connections",
       "as autocommit-read-modify-write, the SELECT on one connection, the UPDATE on another", false, false,
       plenty, play_pool},
      {"double-submit", "the same payment submitted twice",
       "BEGIN; SELECT the order in the ledger; if it is not there: INSERT it, credit the wallet; COMMIT",
       false, true, plenty, play_double_submit},
      {"take-off-twice", "an item taken off twice",
       "BEGIN; SELECT the item; if it is there: DELETE it, hand it out; COMMIT", false, true, plenty,
       play_take_off_twice},
  };
  return table;
}

}  // namespace race
