// A payment that arrives twice (an impatient click, a webhook sent again): each looks whether the order is in
// the ledger already, sees that it is not, and credits the wallet. Two operations in a row carry the same
// order.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_double_submit(worker& by, std::int64_t operation) {
  // Past the proxy nobody looks whether an order comes a second time: those have orders of their own.
  const std::int64_t order_id = by.bypasses ? -1 - operation : operation / 2;
  const entry credit{1 + operation / 2 % by.wallets, 5'00};
  unit_of_work work = by.start();
  work.begin();
  if (by.locking && !work.read(credit.wallet_id)) return work.decline();
  const reply found = work.run(find_order(work.how(), order_id));
  if (!work.ok() || found.rows() > 0) return work.decline();
  by.think();
  work.run(enter_order(work.how(), operation, order_id, credit));
  work.move(credit.wallet_id, credit.amount);
  return work.finish({credit});
}

}  // namespace race
