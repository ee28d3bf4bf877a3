// A deposit as many applications make it: no transaction at all around the SELECT and the UPDATE.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_autocommit_read_modify_write(worker& by, std::int64_t) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(deposit.wallet_id);
  if (!found) return work.decline();
  by.think();
  work.write(*found, found->balance + deposit.amount);
  return work.finish({deposit});
}

}  // namespace race
