#include "tests/race/runner.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace race {
namespace {

using steady = std::chrono::steady_clock;

// What all clients of a run share.
struct course {
  course(const scenario& what, const options& how, const address& where)
      : played(what),
        chosen(how),
        targets(how.also),
        clients(std::min(how.clients, what.most_clients)),
        gate(static_cast<std::ptrdiff_t>(clients) + 1) {
    targets.insert(targets.begin(), where);
  }

  const scenario& played;
  const options& chosen;
  std::vector<address> targets;
  std::uint32_t clients;
  std::barrier<> gate;
  std::atomic<bool> called_off{false};
  std::atomic<std::int64_t> next_operation{0};
  steady::time_point finish;

  bool is_over() const { return called_off || (chosen.operations == 0 && steady::now() >= finish); }

  // The last ones do.
  bool bypasses(std::uint32_t number) const { return number >= clients - std::min(chosen.bypass, clients); }

  // Of one client all connections lead the same way.
  connection way_of(std::uint32_t number) const {
    if (bypasses(number)) return {chosen.audit_conninfo, chosen.patience};
    address to = targets[number % targets.size()];
    if (chosen.users > 0 && !pooled(played)) to.user = role_of(number % chosen.users);
    return {std::move(to), chosen.patience};
  }

  // False: there is nothing left to do.
  bool take(std::int64_t& operation) {
    if (is_over()) return false;
    operation = next_operation++;
    return chosen.operations == 0 || static_cast<std::uint64_t>(operation) < chosen.operations;
  }
};

class client {
 public:
  client(course& shared, std::uint32_t number)
      : shared_(&shared),
        first_(shared.way_of(number)),
        second_(shared.way_of(number)),
        worker_{.style = shared.chosen.style,
                .wallets = shared.chosen.wallets * shared.played.spread,
                .longest_thought = shared.chosen.longest_thought,
                .first = first_,
                .second = second_,
                .locking = shared.chosen.locking || shared.bypasses(number),
                .bypasses = shared.bypasses(number),
                .dice = std::mt19937_64{number + 1U}} {}

  void run() {
    if (!connect()) shared_->called_off = true;
    shared_->gate.arrive_and_wait();  // all are connected
    shared_->gate.arrive_and_wait();  // the clock runs
    std::int64_t operation = 0;
    while (shared_->take(operation)) play(operation);
  }

  tally known;
  std::string problem;

 private:
  bool connect() {
    for (connection* each : {&first_, &second_}) {
      if (each == &second_ && !pooled(shared_->played)) continue;
      if (each->is_open() || each->open()) continue;
      problem = each->problem();
      return false;
    }
    return true;
  }

  void play(std::int64_t operation) {
    const steady::time_point start = steady::now();
    for (std::uint32_t tried = 0;; ++tried) {
      const attempt made = attempt_once(operation);
      known.count_error(made);
      const bool worth_it = made.sqlstate == "40001" || made.sqlstate == "40P01" || made.sqlstate == "55P03";
      const bool patient = tried < shared_->chosen.retries && !shared_->is_over();
      if (made.verdict != verdict::failed || !worth_it || !patient) {
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
        return known.settle(operation, made, took);
      }
      ++known.retries;
      // As manuals advise: wait a little longer each time, and not as long as the others.
      const std::int64_t ceiling = std::min<std::int64_t>(std::int64_t{2000} << std::min(tried, 6U), 100000);
      std::this_thread::sleep_for(std::chrono::microseconds(worker_.pick(500, ceiling)));
    }
  }

  attempt attempt_once(std::int64_t operation) {
    if (connect()) return shared_->played.play(worker_, operation);
    // Gently: whoever is down does not come up faster by being asked.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return {verdict::failed, "08001", {}, false};
  }

  course* shared_;
  connection first_;
  connection second_;
  worker worker_;
};

}  // namespace

run_result play(const scenario& played, const options& chosen, const address& target) {
  course shared(played, chosen, target);
  std::deque<client> clients;
  std::vector<std::thread> threads;
  for (std::uint32_t number = 0; number < shared.clients; ++number) clients.emplace_back(shared, number);
  threads.reserve(clients.size());
  for (client& each : clients) threads.emplace_back([&each] { each.run(); });

  shared.gate.arrive_and_wait();
  const steady::time_point start = steady::now();
  shared.finish = start + chosen.duration;
  shared.gate.arrive_and_wait();
  for (std::thread& each : threads) each.join();

  run_result result;
  result.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
  for (client& each : clients) {
    if (!each.problem.empty() && shared.called_off) result.problem = each.problem;
    result.known.add(std::move(each.known));
  }
  return result;
}

}  // namespace race
