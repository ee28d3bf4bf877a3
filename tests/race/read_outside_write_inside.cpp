// A deposit as ActiveRecord, Django and Hibernate make it: find() reads in autocommit, save() opens a
// transaction for the write alone.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_read_outside_write_inside(worker& by, std::int64_t operation) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(deposit.wallet_id);
  if (!found) return work.decline();
  by.think();
  work.begin();
  work.write(*found, found->balance + deposit.amount);
  work.enter(operation, {deposit});
  return work.finish({deposit});
}

}  // namespace race
