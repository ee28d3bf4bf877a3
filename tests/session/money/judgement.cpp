// What must hold when a schedule has come to its end.
#include <algorithm>

#include "tests/session/money/world.hpp"

namespace money {

/// Where commits are shared, nobody's count of them tells whose writes they were: some choice of those that
/// were lost sight of must explain what is there.
bool world::is_explained() const {
  std::vector<const effects*> maybe;
  for (const auto& each : links_) {
    if (!each->maybe.empty()) maybe.push_back(&each->maybe);
  }
  for (unsigned chosen = 0; chosen < 1U << maybe.size(); ++chosen) {
    auto due = opening_;
    for (const auto& [id, delta] : book_.deltas) due[id] += delta;
    for (std::size_t i = 0; i < maybe.size(); ++i) {
      for (const effect& each : *maybe[i]) due[each.row] += (chosen >> i & 1U) != 0 ? each.delta : 0;
    }
    const bool fits = std::all_of(estate_.wallets.begin(), estate_.wallets.end(), [&](std::int64_t id) {
      return due[id] == database_.rows().at(id).committed->balance;
    });
    if (fits) return true;
  }
  return false;
}

std::string world::judge() {
  std::string wrong;
  const bool shares = how_.under != nullptr && how_.under->rule().group_commit;
  for (const auto& each : links_) {
    if (!each->server->finished()) wrong += "\n  connection " + std::to_string(each->id) + " has not ended";
    if (shares) continue;
    const std::uint64_t unknown = each->server->write_commits() - each->acknowledged;
    if (unknown == 1 && !each->maybe.empty()) {
      book_.add(each->maybe);
    } else if (unknown != 0) {
      wrong += "\n  connection " + std::to_string(each->id) + " committed " +
               std::to_string(each->server->write_commits()) + " transactions and told of " +
               std::to_string(each->acknowledged);
    }
  }
  if (shares && !is_explained()) wrong += "\n  what wallets hold is not what clients were told";
  for (const std::int64_t id : estate_.wallets) {
    const std::int64_t due = opening_[id] + book_.deltas[id];
    const std::int64_t is = database_.rows().at(id).committed->balance;
    if (is == due || shares) continue;
    wrong += "\n  wallet " + std::to_string(id) + " should hold " + number_text(due, 2) + " and holds " +
             number_text(is, 2);
  }
  for (const auto& [item, times] : book_.taken) {
    if (times > 1)
      wrong += "\n  item " + std::to_string(item) + " was taken " + std::to_string(times) + " times";
  }
  if (database_.overdrafts > 0) wrong += "\n  a balance went below zero";
  for (const auto& each : houses_) {
    if (each->groups.rows() != 0) wrong += "\n  somebody is left in a group";
    for (const auto& count : each->turns.count()) {
      if (count.active != 0) wrong += "\n  turns are left over";
      if (count.waiting != 0) wrong += "\n  somebody is still queued for a turn";
    }
  }
  return wrong;
}

}  // namespace money
