// Writes that share a commit, on a real PostgreSQL: who shares and who is left out, and that each is told its
// own.
#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "tests/e2e/group_stage.hpp"

namespace e2e {
namespace {

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

// One now() for a whole group would make two writes look like one to who takes it for a version.
TEST_F(group_commit, what_tells_transactions_apart_is_left_out) {
  begin_with(rule());
  ASSERT_TRUE(direct().run("ALTER TABLE wallets ADD at timestamptz").ok());
  const char* const alone[] = {
      "UPDATE wallets SET balance = balance - 1 WHERE id = 1 RETURNING xmin, balance",
      "UPDATE wallets SET balance = balance - 1 WHERE id = 1 AND xmin <> '3'",
      "UPDATE wallets SET balance = balance - 1, at = now() WHERE id = 1 RETURNING at",
      "UPDATE wallets SET balance = balance - 1, at = now() WHERE id = 1 RETURNING id, at, balance"};
  link holder = direct();
  link first = through();
  make_busy(holder, first);
  auto members = some(4);
  const char* const* next = alone;
  for (link& each : members) {
    each.begin(*next++);
    EXPECT_TRUE(waits_for_lock(each));
  }
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_TRUE(first.collect().ok());
  for (link& each : members) EXPECT_EQ(each.collect().tag(), "UPDATE 1");
  EXPECT_EQ(balance(1), "95.00");
}

TEST_F(group_commit, each_is_told_the_notices_of_its_own_statement) {
  begin_with(rule());
  ASSERT_TRUE(direct()
                  .run("CREATE FUNCTION noted(b numeric) RETURNS boolean LANGUAGE plpgsql AS "
                       "'BEGIN RAISE WARNING ''left %'', b; RETURN true; END'; "
                       "ALTER TABLE wallets ADD CHECK (noted(balance)) NOT VALID")
                  .ok());
  auto members = some(3);
  std::array<std::string, 3> heard;
  auto into = heard.begin();
  const auto hear = [](void* to, const char* text) { *static_cast<std::string*>(to) += text; };
  for (link& each : members) PQsetNoticeProcessor(each.raw(), hear, &*into++);
  link second = direct();
  send_group(members, second);
  EXPECT_TRUE(second.run("COMMIT").ok());
  expect_written(members);
  EXPECT_NE(heard[0].find("left 98.00"), std::string::npos) << heard[0];
  EXPECT_NE(heard[1].find("left 97.00"), std::string::npos) << heard[1];
  EXPECT_NE(heard[2].find("left 96.00"), std::string::npos) << heard[2];
  EXPECT_EQ(heard[0].find("left 97.00"), std::string::npos) << heard[0];
}

TEST_F(group_commit, one_members_error_is_its_own) {
  begin_with(rule());
  auto members = some(4);
  link first = direct();
  link alone = through();
  make_busy(first, alone);
  const std::array<std::string, 4> sql{
      debit_1, "UPDATE wallets SET balance = balance - 5 / (id - 1) WHERE id = 1",
      "UPDATE wallets SET balance = balance - 1000 WHERE id = 1",
      "UPDATE wallets SET balance = balance - 2 WHERE id = 1 RETURNING id, balance"};
  auto next = sql.begin();
  for (link& each : members) queue(each, *next++);
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

TEST_F(group_commit, who_is_left_out_goes_to_PostgreSQL_itself) {
  begin_with(rule("lock_timeout = \"55s\""));  // however slow the machine is
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
  link alone = through();
  make_busy(holder, alone);
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
  queue(plain);
  ASSERT_TRUE(holder.run("COMMIT").ok());
  // Which of the waiting comes first is PostgreSQL's choice: who keeps the row goes first here.
  EXPECT_EQ(in_block.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(in_block.run("COMMIT").brief(), "ok COMMIT");
  for (link* each : {&alone, &other, &plain}) EXPECT_EQ(each->collect().brief(), "ok UPDATE 1");
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
  expect_written(members);
}

}  // namespace
}  // namespace e2e
