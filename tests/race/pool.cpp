// A deposit through a pool of connections, as in Node: the SELECT goes over one, the UPDATE over another.
#include <utility>

#include "tests/race/scenario.hpp"

namespace race {
namespace {

attempt deposit_over_two(worker& by, unit_of_work work) {
  const entry deposit{by.pick_wallet(), by.pick(100, 999)};
  const std::optional<wallet> found = work.read(deposit.wallet_id, found_by::id);
  if (!found) return work.decline();
  by.think();
  work.move_to(by.second);
  work.write(*found, found->balance + deposit.amount);
  return work.finish({deposit});
}

}  // namespace

attempt play_pool(worker& by, std::int64_t) {
  return deposit_over_two(by, by.start());
}

attempt play_pool_traced(worker& by, std::int64_t) {
  unit_of_work work = by.start();
  work.trace(by.new_trace());
  return deposit_over_two(by, std::move(work));
}

}  // namespace race
