// A deposit as ActiveRecord, Django and Hibernate make it: find() reads in autocommit, save() opens a
// transaction for the write alone. TypeORM's save() and JPA's merge() read once more just before, and write
// what was computed from the first read all the same.
#include "tests/race/scenario.hpp"

namespace race {
namespace {

attempt save_deposit(worker& by, std::int64_t operation, bool reads_again) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(deposit.wallet_id);
  if (!found) return work.decline();
  by.think();
  if (reads_again && !work.read(deposit.wallet_id)) return work.decline();
  work.begin();
  work.write(*found, found->balance + deposit.amount);
  work.enter(operation, {deposit});
  return work.finish({deposit});
}

}  // namespace

attempt play_read_outside_write_inside(worker& by, std::int64_t operation) {
  return save_deposit(by, operation, false);
}

attempt play_read_again_before_write(worker& by, std::int64_t operation) {
  return save_deposit(by, operation, true);
}

}  // namespace race
