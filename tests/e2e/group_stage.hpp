// A row that several clients write at once, for writes that share a commit: who waits where can be seen.
#pragma once

#include <chrono>
#include <iterator>
#include <list>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {

inline const std::string lock_1 = "BEGIN; UPDATE wallets SET owner = 'holder' WHERE id = 1";
inline const std::string debit_1 = "UPDATE wallets SET balance = balance - 1 WHERE id = 1";

inline void cancel(const link& who) {
  char error[256] = "";
  PGcancel* request = PQgetCancel(who.raw());
  EXPECT_EQ(PQcancel(request, error, sizeof error), 1) << error;
  PQfreeCancel(request);
}

class group_commit : public stage {
 protected:
  static std::string rule(const std::string& more = "") {
    return wallet_rule("group_commit = true\n" + more);
  }

  void begin_with(const std::string& rules, int upstream_port = 0) {
    refer_to_users();
    proxy_options options;
    options.rules = rules;
    options.upstream_port = upstream_port;
    start(std::move(options));
  }

  /// The client's statement has come to pgteller, and its connection to PostgreSQL is idle.
  [[nodiscard]] bool queues(link& who) {
    link here = direct();
    const std::string sql =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle' AND pid = " + who.pid();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return value(here, sql) == "1" && !who.answered();
  }

  /// What the statement writes beside the balance refers to a row that `second` has locked.
  void refer_to_users() {
    ASSERT_TRUE(direct()
                    .run("CREATE TABLE users (id bigint PRIMARY KEY); "
                         "INSERT INTO users SELECT generate_series(0, 200); "
                         "ALTER TABLE wallets ADD FOREIGN KEY (user_id) REFERENCES users")
                    .ok());
  }

  /// `holder` has locked row 1, and `alone` waits for it at PostgreSQL: others that write it queue.
  void make_busy(link& holder, link& alone) {
    ASSERT_TRUE(holder.run(lock_1).ok());
    alone.begin(debit_1);
    ASSERT_TRUE(waits_for_lock(alone));
  }

  /// It has a place in the queue before the next one is sent: who has been planned and is not sent queues.
  void queue(link& who, const std::string& sql = debit_1) {
    const auto planned = [this] { return proxy_->metric("pgteller_plan_cache_"); };
    const double before = planned();
    who.begin(sql);
    ASSERT_TRUE(eventually([&] { return planned() > before; }));
    ASSERT_TRUE(queues(who));
  }

  /// The row is busy with the first of them, and the others queue.
  void queue_behind_first(std::list<link>& members, link& holder) {
    make_busy(holder, members.front());
    for (auto each = std::next(members.begin()); each != members.end(); ++each) queue(*each);
  }

  static void expect_written(std::list<link>& members) {
    for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  }

  /// `members` are in one group, the first of them runs it, and it waits until `second` commits.
  void send_group(std::list<link>& members, link& second) {
    link first = direct();
    link alone = through();
    make_busy(first, alone);
    ASSERT_TRUE(second.run("BEGIN; SELECT FROM users WHERE id = 5 FOR UPDATE").ok());
    for (link& each : members)
      queue(each, "UPDATE wallets SET balance = balance - 1, user_id = 5 WHERE id = 1");
    ASSERT_TRUE(first.run("COMMIT").ok());
    EXPECT_EQ(alone.collect().brief(), "ok UPDATE 1");
    ASSERT_TRUE(waits_for_lock(members.front()));
  }

  std::list<link> some(std::size_t count) {
    std::list<link> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(through());
    return all;
  }
};

}  // namespace e2e
