// A deposit: the application reads the balance, adds to it and writes the sum back, all in one transaction.
// At READ COMMITTED that protects nothing: of two at once, one deposit is gone.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_transaction_read_modify_write(worker& by, std::int64_t operation) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  work.begin();
  const std::optional<wallet> found = work.read(deposit.wallet_id);
  if (!found) return work.decline();
  by.think();
  work.write(*found, found->balance + deposit.amount);
  work.enter(operation, {deposit});
  return work.finish({deposit});
}

}  // namespace race
