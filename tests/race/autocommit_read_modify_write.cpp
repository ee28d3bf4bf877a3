// A deposit as many applications make it: no transaction at all around the SELECT and the UPDATE.
#include "tests/race/scenario.hpp"

namespace race {
namespace {

attempt deposit_in_autocommit(worker& by, found_by column) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(deposit.wallet_id, column);
  if (!found) return work.decline();
  by.think();
  work.write(*found, found->balance + deposit.amount);
  return work.finish({deposit});
}

}  // namespace

attempt play_autocommit_read_modify_write(worker& by, std::int64_t) {
  return deposit_in_autocommit(by, found_by::id);
}

attempt play_read_by_another_key(worker& by, std::int64_t) {
  return deposit_in_autocommit(by, found_by::user);
}

}  // namespace race
