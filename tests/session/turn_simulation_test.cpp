// Many sessions ask for turns at random. Nobody is left waiting for ever, a row's queue is first come first
// served, cycles never last, and when all have gone nothing is held.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/session/turns.hpp"

namespace {

using namespace std::chrono_literals;
using proxy::session::turn_answer;
using session_test::turn_desk;

/// How a crowd behaves.
struct manners {
  std::chrono::milliseconds turn_timeout{1000};
  bool tidy =
      false;  // whoever does not wait ends its turns sooner or later; the clock stands still meanwhile
};

class crowd : public turn_desk {
 public:
  crowd(unsigned seed, manners how) : random_(seed), how_{how} {
    if (pick(2) == 0) table.led_to_write(7);
  }

  void mill_about(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (pick(4) == 0 && !how_.tidy) now += std::chrono::milliseconds(pick(500));
      one_step();
    }
  }

  /// No new requests: everybody who waits has to come through. False if somebody is stuck.
  bool everybody_comes_through() {
    for (int round = 0; round < 20'000; ++round) {
      collect();
      if (std::none_of(guests_.begin(), guests_.end(), [](const auto& g) { return g.second.waits; }))
        return true;
      if (visit_woken()) continue;
      if (how_.tidy) {
        if (!somebody_ends()) return false;
      } else {
        now = std::max(now, next_due());
        visit_due();
      }
    }
    return false;
  }

  bool nothing_is_left() {
    for (const auto& [who, one] : guests_) leave(who);
    return active() == 0 && waiting() == 0;
  }

 private:
  struct guest {
    turn_request asks;
    bool waits = false;
    bool woken = false;
    proxy::session::clock::time_point again;
    std::set<row_id> rows;  // asked for since the last end
  };

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void one_step() {
    collect();
    if (!how_.tidy) visit_due();
    const auto who = static_cast<session_id>(1 + pick(12));
    guest& one = guests_[who];
    if (one.waits) {
      const int what = pick(20);
      if (what == 0) {
        table.give_up(who, now, wake);
        one.waits = one.woken = false;
      } else if (what == 1) {
        gone(who);
      } else if (one.woken || what < 4) {
        visit(who);
      }
      return;
    }
    switch (pick(6)) {
      case 0:
        return ends(who);
      case 1:
        if (pick(8) == 0) return gone(who);
        return table.conflict({row()}, now);
      case 2:
        if (pick(10) == 0) table.met({row(), row()}, now);
        return;
      default:
        new_request(who);
        visit(who);
    }
  }

  void new_request(session_id who) {
    constexpr rules::turns modes[] = {rules::turns::on, rules::turns::on, rules::turns::adaptive,
                                      rules::turns::off};
    turn_request made = read(who, row(), modes[pick(4)]);
    for (int more = pick(3); more > 0; --more) made.rows.push_back(row());
    made.read = pick(3) != 0;
    made.in_transaction = pick(2) == 0;
    made.holds_row_locks = made.in_transaction && pick(2) == 0;
    made.by_key = pick(4) != 0;
    made.turn_timeout = how_.turn_timeout;
    if (who > 8 && !how_.tidy) {  // some of one client, some of one trace
      made.owner = who > 10 ? 100 : 200;
      made.one_read = who > 10;
    }
    guests_[who].asks = std::move(made);
  }

  void visit(session_id who) {
    guest& one = guests_[who];
    one.woken = false;
    const auto what = ask(one.asks);
    one.waits = what == turn_answer::type::wait;
    if (one.waits) {
      EXPECT_TRUE(last.ask_again_at && *last.ask_again_at > now);
      one.again = last.ask_again_at.value_or(now);
    } else if (what == turn_answer::type::go) {
      one.rows.insert(one.asks.rows.begin(), one.asks.rows.end());
    } else {
      EXPECT_TRUE(one.asks.holds_row_locks);
      one.rows.clear();
    }
  }

  void collect() {
    for (const session_id who : woken()) guests_[who].woken = true;
  }

  bool visit_woken() {
    for (auto& [who, one] : guests_) {
      if (!one.waits || !one.woken) continue;
      visit(who);
      return true;
    }
    return false;
  }

  void visit_due() {
    for (auto& [who, one] : guests_) {
      if (one.waits && one.again <= now) visit(who);
    }
  }

  [[nodiscard]] proxy::session::clock::time_point next_due() const {
    auto first = proxy::session::clock::time_point::max();
    for (const auto& [who, one] : guests_) {
      if (one.waits) first = std::min(first, one.again);
    }
    return first;
  }

  void ends(session_id who) {
    guest& one = guests_[who];
    wrote(one.asks.owner, {one.rows.begin(), one.rows.end()});
    one.rows.clear();
  }

  bool somebody_ends() {
    for (auto& [who, one] : guests_) {
      if (one.waits || one.rows.empty()) continue;
      ends(who);
      return true;
    }
    return false;
  }

  void gone(session_id who) {
    leave(who);
    guests_[who] = {};
  }

  row_id row() { return std::string(1, static_cast<char>('a' + pick(5))); }

  std::mt19937 random_;
  manners how_;
  std::map<session_id, guest> guests_;
};

unsigned schedules() {
  const char* asked = std::getenv("PGTELLER_SCHEDULES");
  return asked == nullptr ? 1000 : static_cast<unsigned>(std::atoi(asked));
}

TEST(turn_simulation, nobody_is_left_waiting_though_holders_never_finish) {
  for (unsigned seed = 0; seed < schedules(); ++seed) {
    crowd people(seed, {});
    people.mill_about(300);
    ASSERT_TRUE(people.everybody_comes_through()) << "seed " << seed;
    ASSERT_TRUE(people.nothing_is_left()) << "seed " << seed;
  }
}

TEST(turn_simulation, no_cycle_lasts_though_turns_never_run_out) {
  for (unsigned seed = 0; seed < schedules(); ++seed) {
    crowd people(seed, {1h, true});
    people.mill_about(300);
    ASSERT_TRUE(people.everybody_comes_through()) << "seed " << seed;
    ASSERT_TRUE(people.nothing_is_left()) << "seed " << seed;
  }
}

/// The rows' queues as they should be: the first of each holds the turn.
class ticket_office : public turn_desk {
 public:
  void play() {
    const int steps = *rc::gen::inRange(1, 200);
    for (int i = 0; i < steps; ++i) step();
    for (session_id who = 1; who <= guests; ++who) leave(who);
    RC_ASSERT(active() == 0U);
    RC_ASSERT(waiting() == 0U);
  }

 private:
  static constexpr session_id guests = 7;

  void step() {
    const auto who = *rc::gen::inRange<session_id>(1, guests + 1);
    proxy::session::wake_list expected;
    const auto place = where_.find(who);
    switch (place == where_.end() ? 0 : *rc::gen::inRange(0, 4)) {
      case 0: {
        const row_id row = place != where_.end() ? place->second : *rc::gen::element<row_id>("a", "b");
        if (place == where_.end()) {
          lines_[row].push_back(who);
          where_[who] = row;
        }
        const bool first = lines_[row].front() == who;
        if (first) answered_.insert(who);
        RC_ASSERT(ask(read(who, row)) == (first ? turn_answer::type::go : turn_answer::type::wait));
        break;
      }
      case 1:
        if (!answered_.contains(who)) break;
        wrote(who, {place->second});
        expected = out(who);
        break;
      case 2:
        if (answered_.contains(who)) break;
        table.give_up(who, now, wake);
        expected = out(who);
        break;
      default:
        leave(who);
        expected = out(who);
    }
    RC_ASSERT(woken() == expected);
  }

  proxy::session::wake_list out(session_id who) {
    std::deque<session_id>& line = lines_[where_[who]];
    const bool first = line.front() == who;
    line.erase(std::find(line.begin(), line.end(), who));
    where_.erase(who);
    answered_.erase(who);
    if (!first || line.empty()) return {};
    return {line.front()};
  }

  std::map<row_id, std::deque<session_id>> lines_;
  std::map<session_id, row_id> where_;
  std::set<session_id> answered_;
};

TEST(turn_simulation, each_row_is_first_come_first_served) {
  EXPECT_TRUE(rc::check([] { ticket_office().play(); }));
}

/// Threads on one table: nobody shares a row's turn, and no wake-up is lost.
class threads : public turn_desk {
 public:
  void run() {
    std::vector<std::thread> all;
    all.reserve(sessions + 1);
    for (session_id who = 1; who <= sessions; ++who) all.emplace_back([this, who] { work(who); });
    all.emplace_back([this] { look_on(); });
    for (std::thread& one : all) one.join();
    EXPECT_EQ(active(), 0U);
    EXPECT_EQ(waiting(), 0U);
  }

 private:
  static constexpr session_id sessions = 6;
  static constexpr int rounds = 500;

  void tell(const proxy::session::wake_list& who) {
    for (const session_id one : who) called_[one].store(true);
  }

  void work(session_id who) {
    std::mt19937 random(static_cast<unsigned>(who));
    for (int i = 0; i < rounds; ++i) {
      const unsigned row = random() % 2;
      turn_request mine = random() % 2 == 0 ? read(who, rows_[row]) : write(who, rows_[row]);
      mine.in_transaction = true;
      mine.turn_timeout = 1h;
      called_[who].store(false);
      while (enter(mine).what == turn_answer::type::wait) {
        while (!called_[who].exchange(false)) std::this_thread::yield();
      }
      EXPECT_EQ(inside_[row].fetch_add(1), 0);
      std::this_thread::yield();
      inside_[row].fetch_sub(1);
      proxy::session::wake_list woken_now;
      if (random() % 4 == 0) {
        table.leave(who, now, woken_now);
      } else {
        table.wrote(who, mine.rows, now, woken_now);
      }
      tell(woken_now);
    }
    finished_.fetch_add(1);
  }

  turn_answer enter(const turn_request& mine) {
    proxy::session::wake_list woken_now;
    const turn_answer answer = table.ask(mine, now, woken_now);
    tell(woken_now);
    return answer;
  }

  void look_on() {
    for (unsigned i = 0; finished_.load() < static_cast<int>(sessions); ++i) {
      table.conflict({rows_[i % 2], "x" + std::to_string(i)}, now);
      table.led_to_write(i);
      if (i % 50 == 0) table.met({"x" + std::to_string(i), "y"}, now);
      static_cast<void>(table.outstanding(0, {rows_[0], rows_[1]}, now));
      static_cast<void>(table.count());
      std::this_thread::yield();
    }
  }

  const row_id rows_[2] = {"a", "b"};
  std::atomic<int> inside_[2]{};
  std::atomic<bool> called_[sessions + 1]{};
  std::atomic<int> finished_{0};
};

TEST(turn_simulation, threads_never_share_a_turn_and_lose_no_wake_up) {
  threads().run();
}

}  // namespace
