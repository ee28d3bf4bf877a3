// What must hold when a schedule has come to its end.
#include "tests/session/money/world.hpp"

namespace money {

std::string world::judge() {
  std::string wrong;
  for (const auto& each : links_) {
    const std::uint64_t unknown = each->server->write_commits() - each->acknowledged;
    if (unknown == 1 && !each->maybe.empty()) {
      book_.add(each->maybe);
    } else if (unknown != 0) {
      wrong += "\n  connection " + std::to_string(each->id) + " committed " +
               std::to_string(each->server->write_commits()) + " transactions and told of " +
               std::to_string(each->acknowledged);
    }
    if (!each->server->finished()) wrong += "\n  connection " + std::to_string(each->id) + " has not ended";
  }
  for (const std::int64_t id : estate_.wallets) {
    const std::int64_t due = opening_[id] + book_.deltas[id];
    const std::int64_t is = database_.rows().at(id).committed->balance;
    if (is == due) continue;
    wrong += "\n  wallet " + std::to_string(id) + " should hold " + number_text(due, 2) + " and holds " +
             number_text(is, 2);
  }
  for (const auto& [item, times] : book_.taken) {
    if (times > 1)
      wrong += "\n  item " + std::to_string(item) + " was taken " + std::to_string(times) + " times";
  }
  if (database_.overdrafts > 0) wrong += "\n  a balance went below zero";
  for (const auto& each : houses_) {
    for (const auto& count : each->turns.count()) {
      if (count.active != 0) wrong += "\n  turns are left over";
      if (count.waiting != 0) wrong += "\n  somebody is still queued for a turn";
    }
  }
  return wrong;
}

}  // namespace money
