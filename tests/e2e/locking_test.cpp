// Which rows are locked, in which order, for how long, and what happens when the wait is over before its
// time.
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

class locking : public stage {
 protected:
  /// Ids that are locked after `sql` ran in a transaction, which is then rolled back.
  std::string locked_by(link& who, const std::string& sql, bool extended) {
    EXPECT_TRUE(who.run("BEGIN").ok());
    const reply got = extended ? who.run(sql, {}) : who.run(sql);
    EXPECT_TRUE(got.ok()) << sql << ": " << got.message();
    const std::string ids = locked_ids();
    EXPECT_TRUE(who.run("ROLLBACK").ok());
    return ids;
  }

  void expect_lock_timeout(const reply& got) {
    EXPECT_EQ(got.field(PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR");
    EXPECT_EQ(got.sqlstate(), "55P03") << got.message();
    EXPECT_EQ(got.field(PG_DIAG_SCHEMA_NAME), "public");
    EXPECT_EQ(got.field(PG_DIAG_TABLE_NAME), "wallets");
    EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
    EXPECT_NE(got.field(PG_DIAG_MESSAGE_DETAIL), "");
    EXPECT_NE(got.field(PG_DIAG_MESSAGE_HINT), "");
    EXPECT_EQ(got.field(PG_DIAG_CONTEXT), "");
  }
};

TEST_F(locking, rows_of_every_shape_of_read) {
  start();
  link here = through();
  const std::pair<const char*, const char*> reads[] = {
      {"SELECT balance FROM wallets WHERE id IN (5, 2, 9)", "2,5,9"},
      {"SELECT * FROM public.wallets AS w WHERE w.user_id = 40", "4"},
      {"SELECT sum(balance) FROM wallets WHERE id IN (1, 3)", "1,3"},
      {"SELECT DISTINCT balance FROM wallets WHERE id IN (1, 3)", "1,3"},
      {"SELECT owner, sum(balance) FROM wallets WHERE id IN (6, 7) GROUP BY owner", "6,7"},
      {"SELECT rank() OVER (ORDER BY balance) FROM wallets WHERE id = 8", "8"},
      {"SELECT o.id, w.balance FROM orders o JOIN wallets w ON w.id = o.wallet_id WHERE o.id = 4", "4"},
      {"SELECT w.balance FROM orders o LEFT JOIN wallets w ON w.id = o.wallet_id WHERE o.id IN (2, 4)",
       "2,4"},
      {"SELECT balance FROM wallets WHERE id = (SELECT wallet_id FROM orders WHERE id = 6)", ""},
      {"WITH w AS (SELECT id, balance FROM wallets WHERE id = 7) SELECT * FROM w", "7"},
      {"SELECT balance FROM wallets WHERE id = 1 UNION ALL SELECT balance FROM wallets WHERE id = 10",
       "1,10"},
      {"SELECT balance + 1 AS b FROM (SELECT balance FROM wallets WHERE id = 2) AS inner_query", "2"},
      {"SELECT balance FROM wallets WHERE id = 3 ORDER BY id LIMIT 1", "3"},
      {"SELECT balance FROM wallets WHERE id = 3 FOR UPDATE", "3"},
      {"SELECT owner FROM wallets WHERE id = 3", ""},
      {"SELECT count(*) FROM orders", ""},
      {"SELECT balance FROM wallets", ""},
  };
  for (const auto& [sql, ids] : reads) {
    EXPECT_EQ(locked_by(here, sql, false), ids) << sql;
    EXPECT_EQ(locked_by(here, sql, true), ids) << "extended: " << sql;
  }
}

TEST_F(locking, all_reads_where_the_rule_says_so) {
  start(wallet_rule("lock_reads = \"all\""));
  link here = through();
  EXPECT_EQ(locked_by(here, "SELECT balance FROM wallets", false), "1,2,3,4,5,6,7,8,9,10");
  EXPECT_EQ(locked_by(here, "SELECT sum(balance) FROM wallets", true), "1,2,3,4,5,6,7,8,9,10");
}

TEST_F(locking, no_read_where_the_rule_says_so) {
  start(wallet_rule("lock_reads = \"none\""));
  link here = through();
  EXPECT_EQ(locked_by(here, "SELECT balance FROM wallets WHERE id = 1", false), "");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 101 WHERE id = 1").brief(), "23514");
}

TEST_F(locking, key_reads_only_where_the_rule_says_so) {
  start(wallet_rule("lock_reads = \"key\""));
  link here = through();
  EXPECT_EQ(locked_by(here, "SELECT balance FROM wallets WHERE id = 1", false), "1");
  EXPECT_EQ(locked_by(here, "SELECT balance FROM wallets WHERE user_id = 10", false), "");
}

TEST_F(locking, opposite_orders_do_not_deadlock) {
  start();
  const auto play = [this](const char* sql, const char* update, int* failures) {
    link here = through();
    for (int i = 0; i < 200; ++i) {
      const bool good = here.run("BEGIN").ok() && here.run(sql).ok() && here.run(update).ok() &&
                        here.run("COMMIT").brief() == "ok COMMIT";
      if (!good) {
        ++*failures;
        static_cast<void>(here.run("ROLLBACK"));
      }
    }
  };
  int failures_up = 0;
  int failures_down = 0;
  std::thread up(play, "SELECT balance FROM wallets WHERE id IN (1, 2, 3) ORDER BY id",
                 "UPDATE wallets SET balance = balance + 1 WHERE id IN (1, 2, 3)", &failures_up);
  std::thread down(play, "SELECT balance FROM wallets WHERE id IN (3, 2, 1) ORDER BY id DESC",
                   "UPDATE wallets SET balance = balance - 1 WHERE id IN (3, 2, 1)", &failures_down);
  up.join();
  down.join();
  EXPECT_EQ(failures_up + failures_down, 0);
  EXPECT_EQ(balance(1) + balance(2) + balance(3), "100.00100.00100.00");
}

TEST_F(locking, updates_of_many_rows_lock_in_key_order_against_the_heap) {
  // Updated rows move to the heap's end, so a plain UPDATE would lock 3 before 1 here.
  ASSERT_TRUE(direct().run("UPDATE wallets SET owner = owner WHERE id = 1").ok());
  start();
  const auto play = [this](const char* update, int* failures) {
    link here = through();
    for (int i = 0; i < 200; ++i) *failures += here.run(update).ok() ? 0 : 1;
  };
  int failures[2] = {0, 0};
  std::thread plain(play, "UPDATE wallets SET balance = balance + 1 WHERE id < 9", &failures[0]);
  std::thread listed(play, "UPDATE wallets SET balance = balance - 1 WHERE user_id IN (80, 70, 30, 10)",
                     &failures[1]);
  plain.join();
  listed.join();
  EXPECT_EQ(failures[0] + failures[1], 0);
}

// The hidden statement tells how many rows it has locked: all that were read.
TEST_F(locking, what_its_read_has_locked_is_not_compared) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 60 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id IN ($1, $2)", {"2", "3"}).brief(),
            "ok SELECT 2: 100.00, 100.00");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"70", "3"}).brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("COMMIT").ok());
  EXPECT_EQ(proxy_->metric("pgteller_statements_total{action=\"check\",kind=\"absolute\""), 2);
  EXPECT_EQ(proxy_->metric("pgteller_statements_total{action=\"validate\""), 0);
}

TEST_F(locking, lock_timeout_of_the_rule) {
  start(wallet_rule("lock_timeout = \"200ms\""));
  link holder = through();
  link other = through();
  ASSERT_TRUE(holder.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  expect_lock_timeout(other.run("UPDATE wallets SET balance = 1 WHERE id = 1"));
  expect_lock_timeout(other.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"1", "1"}));
  EXPECT_EQ(other.block(), PQTRANS_IDLE);
  EXPECT_EQ(value(other, "SHOW lock_timeout"), "0");
  ASSERT_TRUE(other.run("BEGIN").ok());
  expect_lock_timeout(other.run("SELECT balance FROM wallets WHERE id = 1"));
  EXPECT_EQ(other.block(), PQTRANS_INERROR);
  EXPECT_EQ(other.run("ROLLBACK").brief(), "ok ROLLBACK");
  EXPECT_EQ(value(other, "SHOW lock_timeout"), "0");
  EXPECT_EQ(proxy_->metric("pgteller_conflicts_total{cause=\"lock_timeout\""), 3);
  EXPECT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(other.run("UPDATE wallets SET balance = 1 WHERE id = 1").brief(), "ok UPDATE 1");
}

TEST_F(locking, the_sessions_lock_timeout_stays_what_it_was) {
  start();
  link here = through();
  EXPECT_TRUE(here.run("SET lock_timeout = '7s'").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 50 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "7s");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"-1"}).brief(), "23514");
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "7s");
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 50.00");
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "7s");
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 77").brief(), "ok SELECT 0");
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "7s");
  ASSERT_TRUE(here.run("SET LOCAL lock_timeout = '3s'").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = $1", {"2"}).brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "3s");
  ASSERT_TRUE(here.run("COMMIT").ok());
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "7s");
  ASSERT_TRUE(here.run("RESET lock_timeout").ok());
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "0");
}

TEST_F(locking, set_in_the_transaction_survives_commit) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  ASSERT_TRUE(here.run("SET lock_timeout = '9s'").ok());
  EXPECT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(here.run("COMMIT").ok());
  EXPECT_EQ(value(here, "SHOW lock_timeout"), "9s");
}

TEST_F(locking, shorter_lock_timeout_of_the_client_is_respected) {
  start(wallet_rule("lock_timeout = \"55s\""));
  link holder = through();
  link other = through();
  ASSERT_TRUE(holder.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(other.run("SET lock_timeout = '100ms'").ok());
  expect_lock_timeout(other.run("UPDATE wallets SET balance = 1 WHERE id = 1"));
  expect_lock_timeout(other.run("UPDATE wallets SET balance = 1 WHERE id = $1", {"1"}));
  EXPECT_EQ(value(other, "SHOW lock_timeout"), "100ms");
}

TEST_F(locking, serialization_failures_of_postgresql_pass) {
  start();
  for (const std::string level : {"REPEATABLE READ", "SERIALIZABLE"}) {
    link first = through();
    link second = through();
    ASSERT_TRUE(first.run("BEGIN ISOLATION LEVEL " + level).ok());
    ASSERT_TRUE(second.run("BEGIN ISOLATION LEVEL " + level).ok());
    ASSERT_TRUE(second.run("SELECT count(*) FROM orders").ok());  // its snapshot
    EXPECT_EQ(first.run("SELECT balance FROM wallets WHERE id = 1").rows(), 1);
    second.begin("SELECT balance FROM wallets WHERE id = 1");
    ASSERT_TRUE(waits_for_lock(second));
    EXPECT_TRUE(first.run("UPDATE wallets SET balance = balance - 1 WHERE id = 1; COMMIT").ok());
    const reply got = second.collect();
    EXPECT_EQ(got.sqlstate(), "40001") << level;
    EXPECT_EQ(got.field(PG_DIAG_CONTEXT), "");
    EXPECT_EQ(got.field(PG_DIAG_STATEMENT_POSITION), "");
    EXPECT_EQ(second.block(), PQTRANS_INERROR);
    EXPECT_TRUE(second.run("ROLLBACK").ok());
  }
}

TEST_F(locking, statement_timeout_during_a_hidden_wait) {
  start();
  link holder = through();
  link other = through();
  ASSERT_TRUE(holder.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(other.run("SET statement_timeout = '200ms'").ok());
  EXPECT_EQ(other.run("UPDATE wallets SET balance = 1 WHERE id = 1").brief(), "57014");
  EXPECT_EQ(other.run("UPDATE wallets SET balance = 1 WHERE id = $1", {"1"}).brief(), "57014");
  EXPECT_EQ(other.block(), PQTRANS_IDLE);
  ASSERT_TRUE(other.run("RESET statement_timeout").ok());
  EXPECT_EQ(other.run("SELECT balance FROM wallets WHERE id = 2").brief(), "ok SELECT 1: 100.00");
  EXPECT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(locked_ids(), "");
}

TEST_F(locking, cancel_during_a_hidden_wait) {
  start();
  link holder = through();
  link other = through();
  ASSERT_TRUE(holder.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  for (const bool extended : {false, true}) {
    ASSERT_TRUE(other.run("BEGIN").ok());
    const std::string sql = "SELECT balance FROM wallets WHERE id = 1";
    extended ? other.begin(sql, {}) : other.begin(sql);
    ASSERT_TRUE(waits_for_lock(other));
    char error[256] = "";
    PGcancel* cancel = PQgetCancel(other.raw());
    EXPECT_EQ(PQcancel(cancel, error, sizeof error), 1) << error;
    PQfreeCancel(cancel);
    EXPECT_EQ(other.collect().brief(), "57014");
    EXPECT_EQ(other.block(), PQTRANS_INERROR);
    EXPECT_TRUE(other.run("ROLLBACK").ok());
    EXPECT_EQ(other.run("SELECT 1", {}).brief(), "ok SELECT 1: 1");
  }
  EXPECT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(locked_ids(), "");
}

}  // namespace
}  // namespace e2e
