// A deposit through a pool of connections, as in Node: the SELECT goes over one, the UPDATE over another.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_pool(worker& by, std::int64_t) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(deposit.wallet_id);
  if (!found) return work.decline();
  by.think();
  work.move_to(by.second);
  work.write(*found, found->balance + deposit.amount);
  return work.finish({deposit});
}

}  // namespace race
