// Transactions that lock two rows in any order, beside reads and writes on their own, under random schedules:
// whoever waits for a turn and whoever waits for a row lock of PostgreSQL's must never wait for each other,
// since neither the turns nor PostgreSQL could see it. The clock stands still, so no timeout helps.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/session/turns.hpp"

namespace {

using proxy::session::turn_answer;
using session_test::turn_desk;

/// PostgreSQL's row locks: first come first served, held until the transaction ends.
class row_locks {
 public:
  using session_id = proxy::session::session_id;
  using row_id = proxy::session::row_id;

  /// False: it waits.
  bool lock(session_id who, const row_id& row) {
    std::deque<session_id>& line = lines_[row];
    if (std::find(line.begin(), line.end(), who) == line.end()) line.push_back(who);
    return line.front() == who;
  }
  void release(session_id who) {
    for (auto& [row, line] : lines_) std::erase(line, who);
  }
  [[nodiscard]] bool holds(session_id who) const {
    return std::any_of(lines_.begin(), lines_.end(), [who](const auto& each) {
      return !each.second.empty() && each.second.front() == who;
    });
  }

 private:
  std::map<row_id, std::deque<session_id>> lines_;
};

/// How a unit of work goes on.
enum class stage { idle, asks, locks, between, done };

struct unit_of_work {
  stage at = stage::idle;
  bool transaction = true;                   // otherwise a read and a write on their own
  std::vector<proxy::session::row_id> rows;  // transaction: locked one after the other
  std::size_t next = 0;                      // row of a transaction; 0 read, 1 write otherwise
  bool woken = true;
  int failed = 0;
};

class branch_office : public turn_desk {
 public:
  branch_office(unsigned seed, rules::turns mode, bool only_transfers, int rows = 3)
      : random_(seed), mode_{mode}, only_transfers_{only_transfers}, rows_{rows} {
    table.led_to_write(7);
  }

  /// False: nobody can take a step, though not everybody has finished.
  bool work(int units) {
    int left = units;
    for (session_id who = 1; who <= 8; ++who) at_work_[who] = {};
    for (;;) {
      for (const session_id who : woken()) at_work_[who].woken = true;
      std::vector<session_id> able;
      for (const auto& [who, one] : at_work_) {
        if (can_go_on(who, one, left)) able.push_back(who);
      }
      if (able.empty()) break;
      const session_id who = able[static_cast<std::size_t>(pick(static_cast<int>(able.size())))];
      step(who, at_work_[who], left);
    }
    return std::all_of(at_work_.begin(), at_work_.end(),
                       [](const auto& each) { return each.second.at == stage::idle; });
  }

  [[nodiscard]] int deadlocks() const { return deadlocks_; }
  [[nodiscard]] bool nothing_is_left() const { return active() == 0 && waiting() == 0; }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  bool can_go_on(session_id who, const unit_of_work& one, int left) {
    switch (one.at) {
      case stage::idle:
        return left > 0;
      case stage::asks:
        return one.woken;
      case stage::locks:
        return locks_.lock(who, row_of(one));
      default:
        return true;
    }
  }

  [[nodiscard]] static const row_id& row_of(const unit_of_work& one) {
    return one.transaction ? one.rows[one.next] : one.rows.front();
  }

  void step(session_id who, unit_of_work& one, int& left) {
    switch (one.at) {
      case stage::idle:
        --left;
        return begin(one);
      case stage::asks:
        return asks(who, one);
      case stage::locks:
        return locked(who, one);
      case stage::between:
        one.at = stage::asks;
        return;
      case stage::done:
        wrote(who, one.rows);
        locks_.release(who);
        one = {};
        return;
    }
  }

  void begin(unit_of_work& one) {
    one = {};
    one.transaction = only_transfers_ || pick(3) != 0;
    const int first = pick(rows_);
    one.rows = {name(first)};
    if (one.transaction) one.rows.push_back(name((first + 1 + pick(rows_ - 1)) % rows_));
    one.at = stage::asks;
  }

  void asks(session_id who, unit_of_work& one) {
    turn_request request = read(who, row_of(one), mode_);
    request.in_transaction = one.transaction;
    request.holds_row_locks = one.transaction && one.next > 0;
    request.read = one.transaction || one.next == 0;
    request.locks = one.transaction;
    switch (ask(request)) {
      case turn_answer::type::wait:
        one.woken = false;
        return;
      case turn_answer::type::go:
        one.at = !one.transaction && one.next == 0 ? stage::between : stage::locks;
        if (one.at == stage::between) ++one.next;
        return;
      case turn_answer::type::deadlock:
        EXPECT_TRUE(locks_.holds(who));
        ++deadlocks_;
        wrote(who, one.rows);
        locks_.release(who);
        const int before = one.failed;
        const std::vector<row_id> rows = one.rows;
        one = {};
        one.rows = rows;
        one.failed = before + 1;
        one.at = stage::asks;
        EXPECT_LT(one.failed, 50);
        return;
    }
  }

  void locked(session_id who, unit_of_work& one) {
    (void)locks_.lock(who, row_of(one));
    ++one.next;
    const bool all = !one.transaction || one.next == one.rows.size();
    one.at = all ? stage::done : stage::between;
  }

  static row_id name(int which) { return std::string(1, static_cast<char>('a' + which)); }

  std::mt19937 random_;
  rules::turns mode_;
  bool only_transfers_;
  int rows_;
  int deadlocks_ = 0;
  row_locks locks_;
  std::map<session_id, unit_of_work> at_work_;
};

unsigned schedules() {
  const char* asked = std::getenv("PGTELLER_SCHEDULES");
  return asked == nullptr ? 1000 : static_cast<unsigned>(std::atoi(asked));
}

void everybody_finishes(rules::turns mode, bool only_transfers) {
  for (unsigned seed = 1; seed <= schedules(); ++seed) {
    branch_office office(seed, mode, only_transfers);
    ASSERT_TRUE(office.work(60)) << "seed " << seed;
    ASSERT_TRUE(office.nothing_is_left()) << "seed " << seed;
  }
}

TEST(transfer_simulation, adaptive_turns_never_wait_for_who_waits_for_a_row_lock) {
  everybody_finishes(rules::turns::adaptive, true);
}

TEST(transfer_simulation, adaptive_turns_beside_reads_and_writes_on_their_own) {
  everybody_finishes(rules::turns::adaptive, false);
}

TEST(transfer_simulation, only_the_first_to_meet_deadlock) {
  for (const rules::turns mode : {rules::turns::on, rules::turns::adaptive}) {
    for (unsigned seed = 1; seed <= schedules(); ++seed) {
      branch_office office(seed, mode, true, 2);
      ASSERT_TRUE(office.work(60)) << "seed " << seed;
      ASSERT_LE(office.deadlocks(), 1) << "seed " << seed;
    }
  }
}

TEST(transfer_simulation, turns_on_never_wait_for_who_waits_for_a_row_lock) {
  everybody_finishes(rules::turns::on, true);
}

TEST(transfer_simulation, turns_on_beside_reads_and_writes_on_their_own) {
  everybody_finishes(rules::turns::on, false);
}

}  // namespace
