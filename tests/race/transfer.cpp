// A transfer: both balances are read, both are written back. Of two at once, one side of one of them is gone,
// and in opposite directions they deadlock.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_transfer(worker& by, std::int64_t operation) {
  const std::int64_t from = by.pick_wallet();
  const std::int64_t to = 1 + (from - 1 + by.pick(1, by.wallets - 1)) % by.wallets;
  const cents amount = by.pick(100, 999);
  unit_of_work work = by.start();
  work.begin();
  const std::optional<wallet> payer = work.read(from);
  const std::optional<wallet> payee = work.read(to);
  if (!payer || !payee || payer->balance < amount) return work.decline();
  by.think();
  work.write(*payer, payer->balance - amount);
  work.write(*payee, payee->balance + amount);
  const std::vector<entry> entries = {{from, -amount}, {to, amount}};
  work.enter(operation, entries);
  return work.finish(entries);
}

}  // namespace race
