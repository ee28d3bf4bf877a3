#include "tests/race/tally.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace race {
namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::uint64_t tally::attempts() const {
  return acknowledged + declined + failed + unknown + retries;
}

void tally::count_error(const attempt& one) {
  if (!one.sqlstate.empty()) ++errors[one.sqlstate];
}

void tally::settle(std::int64_t operation, const attempt& one, std::chrono::microseconds took) {
  if (one.overdrawn) ++overdrawn;
  switch (one.verdict) {
    case verdict::declined:
      ++declined;
      return;
    case verdict::failed:
      ++failed;
      return;
    case verdict::acknowledged:
      ++acknowledged;
      acknowledged_operations.push_back(operation);
      durations.push_back(took);
      for (const entry& each : one.entries) wallets[each.wallet_id].sure += each.amount;
      return;
    case verdict::unknown:
      ++unknown;
      unknown_operations.push_back(operation);
      for (const entry& each : one.entries) {
        movement& moved = wallets[each.wallet_id];
        (each.amount > 0 ? moved.perhaps_in : moved.perhaps_out) += each.amount;
      }
      return;
  }
}

void tally::add(tally&& other) {
  acknowledged += other.acknowledged;
  declined += other.declined;
  failed += other.failed;
  unknown += other.unknown;
  retries += other.retries;
  overdrawn += other.overdrawn;
  for (const auto& [state, count] : other.errors) errors[state] += count;
  for (const auto& [id, moved] : other.wallets) {
    wallets[id].sure += moved.sure;
    wallets[id].perhaps_in += moved.perhaps_in;
    wallets[id].perhaps_out += moved.perhaps_out;
  }
  append(acknowledged_operations, other.acknowledged_operations);
  append(unknown_operations, other.unknown_operations);
  append(durations, other.durations);
}

std::chrono::microseconds percentile(std::vector<std::chrono::microseconds>& durations, double share) {
  if (durations.empty()) return {};
  std::sort(durations.begin(), durations.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(durations.size())));
  return durations[std::clamp<std::size_t>(rank, 1, durations.size()) - 1];
}

}  // namespace race
