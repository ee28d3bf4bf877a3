#include "tests/race/expectation.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace race {
namespace {

std::string percent(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", value);
  return text.data();
}

surroundings around(const scenario& played, const options& chosen) {
  return {.clients = std::min(chosen.clients, played.most_clients),
          .users = pooled(played) ? 0 : chosen.users,
          .alone = chosen.also.empty() && chosen.bypass == 0};
}

promise promise_for(const report& seen, const options& chosen) {
  if (chosen.guard == nullptr) return {};
  return promised(*chosen.guard, *seen.scenario, around(*seen.scenario, chosen));
}

class holder {
 public:
  explicit holder(const report& seen) : seen_(seen) {}

  void books_are(bool wanted_clean) {
    const bool played = seen_.known.acknowledged > 0 && seen_.audit.problem.empty();
    if (played && seen_.audit.clean() == wanted_clean) return;
    add(wanted_clean ? "is not safe" : "is not seen to lose anything");
  }

  void has_no(const std::string& sqlstate) {
    const std::uint64_t count = seen_.errors(sqlstate);
    if (count > 0) add("met " + sqlstate + " " + std::to_string(count) + " times");
  }

  void has_fewer_deadlocks(double share) {
    // One is how the rows come to share a turn; a slow machine may make few attempts beside it.
    if (seen_.deadlock_share() < share || seen_.errors("40P01") == 1) return;
    add("deadlocked in " + percent(seen_.deadlock_share()) + " of attempts, not in less than " +
        percent(share));
  }

  std::vector<std::string> broken;

 private:
  void add(const std::string& what) { broken.push_back(std::string(seen_.scenario->name) + " " + what); }

  const report& seen_;
};

}  // namespace

std::vector<std::string> broken_expectations(const report& seen, const options& chosen) {
  const promise made = promise_for(seen, chosen);
  holder hold(seen);
  if (chosen.expectation == expectation::safe || made.safe) hold.books_are(true);
  if (chosen.expectation == expectation::loss) hold.books_are(false);
  if (made.no_conflicts) hold.has_no("40001");
  for (const std::string& each : chosen.forbidden) hold.has_no(each);
  if (made.fewer_deadlocks > 0) hold.has_fewer_deadlocks(made.fewer_deadlocks);
  if (chosen.fewer_deadlocks) hold.has_fewer_deadlocks(*chosen.fewer_deadlocks);
  return hold.broken;
}

std::string_view verdict_of(const report& seen, const options& chosen) {
  const bool asked =
      chosen.expectation != expectation::none || !chosen.forbidden.empty() || chosen.fewer_deadlocks;
  if (!asked && !promise_for(seen, chosen).safe) return "nothing promised";
  return broken_expectations(seen, chosen).empty() ? "as expected" : "BROKEN";
}

}  // namespace race
