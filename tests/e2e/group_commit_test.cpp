// Writes that share a commit, on a real PostgreSQL: who queues, who is left out, what each is told when
// another member fails, cancels or leaves, and what is told when the connection that runs them is lost.
#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/gate.hpp"
#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

const std::string lock_1 = "BEGIN; UPDATE wallets SET owner = 'holder' WHERE id = 1";
const std::string debit_1 = "UPDATE wallets SET balance = balance - 1 WHERE id = 1";

void cancel(const link& who) {
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

  /// `members` are in one group, the first of them runs it, and it waits until `second` commits.
  void send_group(std::list<link>& members, link& second) {
    link first = direct();
    ASSERT_TRUE(first.run(lock_1).ok());
    link alone = through();
    alone.begin(debit_1);
    ASSERT_TRUE(waits_for_lock(alone));
    ASSERT_TRUE(second.run("BEGIN; SELECT FROM users WHERE id = 5 FOR UPDATE").ok());
    for (link& each : members) {
      each.begin("UPDATE wallets SET balance = balance - 1, user_id = 5 WHERE id = 1");
      ASSERT_TRUE(queues(each));
    }
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

TEST_F(group_commit, many_clients_on_one_row_lose_nothing_and_each_is_told_its_own_balance) {
  begin_with(rule());
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 100000 WHERE id = 1").ok());
  constexpr int clients = 24;
  constexpr int writes = 40;
  std::mutex lock;
  std::multiset<std::string> told;
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      link here = through();
      const std::string sql = "UPDATE wallets SET balance = balance - $1 WHERE id = $2 RETURNING balance";
      EXPECT_TRUE(here.prepare("debit", sql).ok());
      for (int n = 0; n < writes; ++n) {
        reply got;
        if (i % 3 == 0)
          got = here.run("UPDATE wallets SET balance = balance - 1 WHERE id = 1 RETURNING balance");
        if (i % 3 == 1) got = here.run_prepared("debit", {"1", "1"});
        if (i % 3 == 2) got = here.run(sql, {"1", "1"});
        ASSERT_TRUE(got.ok()) << got.brief();
        ASSERT_EQ(got.tag(), "UPDATE 1");
        const std::lock_guard hold(lock);
        told.insert(got.text());
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(balance(1), std::to_string(100000 - clients * writes) + ".00");
  EXPECT_EQ(told.size(), static_cast<std::size_t>(clients * writes));
  const std::set<std::string> distinct(told.begin(), told.end());
  EXPECT_EQ(distinct.size(), told.size()) << "two were told the same balance";
  const double commits = proxy_->metric("pgteller_group_commit_size_count");
  EXPECT_LT(commits, proxy_->metric("pgteller_group_commit_size_sum"));
}

TEST_F(group_commit, the_floor_holds_and_only_those_beyond_it_are_refused) {
  begin_with(rule());
  constexpr int clients = 16;
  std::array<int, 2> count{};  // accepted, refused
  std::mutex lock;
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      link here = through();
      const std::string sql = "UPDATE wallets SET balance = balance - $1 WHERE id = $2";
      EXPECT_TRUE(here.prepare("debit", sql).ok());
      for (int n = 0; n < 10; ++n) {
        const reply got = i % 2 == 0 ? here.run("UPDATE wallets SET balance = balance - 7 WHERE id = 1")
                                     : here.run_prepared("debit", {"7", "1"});
        ASSERT_TRUE(got.ok() || got.sqlstate() == "23514") << got.brief();
        const std::lock_guard hold(lock);
        ++count[got.ok() ? 0 : 1];
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(count[0], 14);
  EXPECT_EQ(count[1], clients * 10 - 14);
  EXPECT_EQ(balance(1), "2.00");
}

TEST_F(group_commit, cancelled_before_it_is_sent_it_does_not_run) {
  begin_with(rule());
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  auto members = some(3);
  link& first = members.front();
  link& last = members.back();
  first.begin(debit_1);
  ASSERT_TRUE(waits_for_lock(first));
  last.begin(debit_1);
  ASSERT_TRUE(queues(last));
  cancel(last);
  EXPECT_EQ(last.collect().brief(), "57014");
  EXPECT_EQ(last.block(), PQTRANS_IDLE);
  EXPECT_FALSE(first.answered());
  last.begin("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"20", "1"});
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(first.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(last.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "79.00");
}

TEST_F(group_commit, who_leaves_before_it_is_sent_has_written_nothing) {
  begin_with(rule());
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  auto members = some(3);
  members.front().begin(debit_1);
  ASSERT_TRUE(waits_for_lock(members.front()));
  for (auto each = std::next(members.begin()); each != members.end(); ++each) {
    each->begin(debit_1);
    ASSERT_TRUE(queues(*each));
  }
  members.erase(std::next(members.begin()));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_TRUE(holder.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "98.00");
}

TEST_F(group_commit, cancelled_after_it_is_sent_its_statement_stands) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  cancel(members.back());
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
}

TEST_F(group_commit, who_leaves_after_it_is_sent_has_written) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  members.pop_back();
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
}

TEST_F(group_commit, when_the_one_that_runs_it_leaves_the_others_are_answered) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  const std::string pid = members.front().pid();
  members.pop_front();
  link audit = direct();
  std::this_thread::sleep_for(std::chrono::milliseconds(800));  // longer than a vanished client is waited for
  EXPECT_EQ(value(audit, "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid), "1");
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
  EXPECT_TRUE(eventually(
      [&] { return value(audit, "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0"; }));
}

TEST_F(group_commit, when_the_one_that_runs_it_cancels_the_others_run_alone) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  cancel(members.front());
  EXPECT_EQ(members.front().collect().brief(), "57014");
  EXPECT_EQ(members.front().block(), PQTRANS_IDLE);
  members.front().begin(debit_1);
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
}

TEST_F(group_commit, when_its_backend_is_terminated_the_others_run_alone) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  ASSERT_TRUE(direct().run("SELECT pg_terminate_backend(" + members.front().pid() + ")").ok());
  EXPECT_EQ(members.front().next().sqlstate(), "57P01");
  members.pop_front();
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "97.00");
}

TEST_F(group_commit, when_its_connection_is_lost_the_outcome_is_unknown_to_all) {
  gate between;
  begin_with(rule(), between.port());
  auto members = some(2);
  members.push_front(through());
  between.watch();  // the newest connection: that of the first member
  link second = direct();
  send_group(members, second);
  between.drop_watched();
  EXPECT_EQ(members.front().next().sqlstate(), "08007");
  members.pop_front();
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "08007");
  EXPECT_TRUE(second.run("COMMIT").ok());
  const std::set<std::string> possible{"96.00", "99.00"};
  EXPECT_TRUE(possible.contains(balance(1))) << balance(1);
  for (link& each : members) EXPECT_EQ(each.run(debit_1).brief(), "ok UPDATE 1");
}

TEST_F(group_commit, one_members_error_is_its_own) {
  begin_with(rule());
  auto members = some(4);
  link first = direct();
  ASSERT_TRUE(first.run(lock_1).ok());
  link alone = through();
  alone.begin(debit_1);
  ASSERT_TRUE(waits_for_lock(alone));
  const std::array<std::string, 4> sql{
      debit_1, "UPDATE wallets SET balance = balance - 5 / (id - 1) WHERE id = 1",
      "UPDATE wallets SET balance = balance - 1000 WHERE id = 1",
      "UPDATE wallets SET balance = balance - 2 WHERE id = 1 RETURNING id, balance"};
  auto next = sql.begin();
  for (link& each : members) {
    each.begin(*next++);
    ASSERT_TRUE(queues(each));
  }
  ASSERT_TRUE(first.run("COMMIT").ok());
  std::vector<std::string> told;
  for (link& each : members) told.push_back(each.collect().brief());
  EXPECT_EQ(told[0], "ok UPDATE 1");
  EXPECT_EQ(told[1], "22012");
  EXPECT_EQ(told[2], "23514");
  EXPECT_EQ(told[3].substr(0, 14), "ok UPDATE 1: 1");
  for (link& each : members) EXPECT_EQ(each.block(), PQTRANS_IDLE);
  EXPECT_EQ(alone.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
}

TEST_F(group_commit, a_lock_that_does_not_come_in_time_is_everybodys_55P03) {
  begin_with(rule("lock_timeout = \"700ms\""));
  auto members = some(3);
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  for (link& each : members) each.begin(debit_1);
  for (link& each : members) {
    const reply got = each.collect();
    EXPECT_EQ(got.sqlstate(), "55P03");
    EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
    EXPECT_EQ(each.block(), PQTRANS_IDLE);
  }
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(members.front().run(debit_1).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "99.00");
}

TEST_F(group_commit, who_is_left_out_goes_to_PostgreSQL_itself) {
  begin_with(rule());
  const char* const touches[] = {"SET work_mem = '8MB'",
                                 "SELECT set_config('work_mem', '8MB', false)",
                                 "SELECT pg_advisory_lock(7)",
                                 "CREATE TEMP TABLE t (i int)",
                                 "SELECT 1 AS i INTO TEMP u",
                                 "LISTEN x",
                                 "SET ROLE postgres",
                                 "DO $$ BEGIN PERFORM 1; END $$",
                                 "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT",
                                 "SET TimeZone = 'UTC'"};
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  link alone = through();
  alone.begin(debit_1);
  ASSERT_TRUE(waits_for_lock(alone));
  for (const char* const sql : touches) {
    link touched = through();
    ASSERT_TRUE(touched.run(sql).ok()) << sql;
    touched.begin(debit_1);
    EXPECT_TRUE(waits_for_lock(touched)) << sql;
    cancel(touched);
    EXPECT_EQ(touched.collect().sqlstate(), "57014");
  }
  link other(through_conninfo() + " options='-c extra_float_digits=1'");
  other.begin(debit_1);
  EXPECT_TRUE(waits_for_lock(other));
  link in_block = through();
  ASSERT_TRUE(in_block.run("BEGIN").ok());
  in_block.begin(debit_1);
  EXPECT_TRUE(waits_for_lock(in_block));
  const char* const harmless[] = {"SELECT count(*), now(), round(sum(balance), 2) FROM wallets",
                                  "BEGIN; SET LOCAL work_mem = '8MB'; COMMIT", "SET application_name = 'x'",
                                  "INSERT INTO orders (id, wallet_id, note) VALUES (700, 1, 'x')"};
  link plain = through();
  for (const char* const sql : harmless) EXPECT_TRUE(plain.run(sql).ok()) << sql << plain.problem();
  plain.begin(debit_1);
  EXPECT_TRUE(queues(plain));
  ASSERT_TRUE(holder.run("COMMIT").ok());
  for (link* each : {&alone, &other, &in_block, &plain}) {
    EXPECT_EQ(each->collect().brief(), "ok UPDATE 1");
    if (each != &in_block) continue;
    EXPECT_EQ(each->run("COMMIT").brief(), "ok COMMIT");
  }
  EXPECT_EQ(balance(1), "96.00");
}

TEST_F(group_commit, a_table_with_a_trigger_is_left_out) {
  ASSERT_TRUE(direct()
                  .run("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
                       "CREATE TRIGGER t BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION f()")
                  .ok());
  begin_with(rule());
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  auto members = some(2);
  for (link& each : members) {
    each.begin(debit_1);
    EXPECT_TRUE(waits_for_lock(each));
  }
  ASSERT_TRUE(holder.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
}

TEST_F(group_commit, those_who_wait_are_answered_before_pgteller_stops) {
  begin_with(rule());
  auto members = some(3);
  link second = direct();
  send_group(members, second);
  proxy_->process().signal(15);
  EXPECT_TRUE(second.run("COMMIT").ok());
  for (link& each : members) EXPECT_EQ(each.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "96.00");
  EXPECT_TRUE(eventually([&] { return !proxy_->process().running(); }));
}

}  // namespace
}  // namespace e2e
