// Who waits for whom: reads in transactions lock their rows, whatever way the statement travels; nothing else
// does. PostgreSQL itself is asked who waits.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

class waiting : public stage {
 protected:
  /// The application's bug, twice at once: the second waits for the first, and both debits count.
  template <class Read, class Write>
  void debit_twice(Read read, Write write) {
    start();
    link first = through();
    link second = through();
    ASSERT_TRUE(first.run("BEGIN").ok());
    ASSERT_TRUE(second.run("BEGIN").ok());
    read(first);
    const double seen = std::stod(first.collect().text());
    EXPECT_EQ(locked_ids(), "1");
    read(second);
    ASSERT_TRUE(waits_for_lock(second));
    EXPECT_FALSE(second.answered());
    EXPECT_TRUE(write(first, seen - 10).ok());
    EXPECT_TRUE(first.run("COMMIT").ok());
    const double then = std::stod(second.collect().text());
    EXPECT_EQ(then, 90);
    EXPECT_TRUE(write(second, then - 30).ok());
    EXPECT_TRUE(second.run("COMMIT").ok());
    EXPECT_EQ(balance(1), "60.00");
    EXPECT_EQ(locked_ids(), "");
  }
};

reply write_simple(link& who, double amount) {
  return who.run("UPDATE wallets SET balance = " + std::to_string(amount) + " WHERE id = 1");
}

reply write_extended(link& who, double amount) {
  return who.run("UPDATE wallets SET balance = $1 WHERE id = $2", {std::to_string(amount), "1"});
}

TEST_F(waiting, second_read_waits_in_the_simple_protocol) {
  debit_twice([](link& who) { who.begin("SELECT balance FROM wallets WHERE id = 1"); }, write_simple);
}

TEST_F(waiting, second_read_waits_in_the_extended_protocol) {
  debit_twice([](link& who) { who.begin("SELECT balance FROM wallets WHERE id = $1", {"1"}); },
              write_extended);
}

TEST_F(waiting, second_read_waits_when_prepared) {
  const auto read = [](link& who) {
    ASSERT_TRUE(who.prepare("read", "SELECT balance FROM wallets WHERE id = $1").ok());
    const char* values[] = {"1"};
    ASSERT_EQ(PQsendQueryPrepared(who.raw(), "read", 1, values, nullptr, nullptr, 0), 1);
  };
  const auto write = [](link& who, double amount) {
    EXPECT_TRUE(who.prepare("write", "UPDATE wallets SET balance = $1 WHERE id = $2").ok());
    return who.run_prepared("write", {std::to_string(amount), "1"});
  };
  debit_twice(read, write);
}

TEST_F(waiting, second_read_waits_when_found_by_another_column) {
  debit_twice([](link& who) { who.begin("SELECT balance, w.* FROM wallets AS w WHERE user_id = 10"); },
              write_simple);
}

TEST_F(waiting, second_read_waits_in_one_pipeline_with_its_begin) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_EQ(PQenterPipelineMode(second.raw()), 1);
  second.begin("BEGIN", {});
  second.begin("SELECT balance FROM wallets WHERE id = $1", {"1"});
  ASSERT_EQ(PQpipelineSync(second.raw()), 1);
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("UPDATE wallets SET balance = 55 WHERE id = 1; COMMIT").ok());
  EXPECT_EQ(second.collect().brief(), "ok BEGIN");
  EXPECT_EQ(second.collect().brief(), "ok SELECT 1: 55.00");
  EXPECT_EQ(second.collect().brief(), "sync");
  ASSERT_EQ(PQexitPipelineMode(second.raw()), 1);
  EXPECT_EQ(second.run("COMMIT").brief(), "ok COMMIT");
}

TEST_F(waiting, begin_and_read_in_one_query_string_lock) {
  start();
  link first = through();
  EXPECT_EQ(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 3").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(locked_ids(), "3");
  EXPECT_EQ(first.run("ROLLBACK").brief(), "ok ROLLBACK");
  EXPECT_EQ(locked_ids(), "");
}

TEST_F(waiting, transaction_that_rolls_back_lets_the_next_on) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  second.begin("SELECT balance FROM wallets WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("ROLLBACK").ok());
  EXPECT_EQ(second.collect().brief(), "ok SELECT 1: 100.00");
  EXPECT_TRUE(second.run("COMMIT").ok());
}

TEST_F(waiting, read_in_autocommit_neither_locks_nor_waits) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = $1", {"1"}).brief(), "ok SELECT 1: 100.00");
  EXPECT_TRUE(first.run("COMMIT").ok());
}

TEST_F(waiting, transaction_that_is_read_only_neither_locks_nor_waits) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  const char* const ways[] = {"BEGIN READ ONLY",
                              "START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"};
  for (const char* const way : ways) {
    ASSERT_TRUE(second.run(way).ok()) << way;
    EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00") << way;
    EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = $1", {"1"}).brief(), "ok SELECT 1: 100.00");
    EXPECT_TRUE(second.run("COMMIT").ok());
  }
  ASSERT_TRUE(second.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
}

TEST_F(waiting, transaction_that_becomes_read_only_does_not_lock) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  ASSERT_TRUE(here.run("SET TRANSACTION READ ONLY").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  ASSERT_TRUE(here.run("COMMIT").ok());
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(locked_ids(), "1");
}

TEST_F(waiting, transaction_that_is_made_read_only_in_the_string_that_begins_it) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; SET TRANSACTION READ ONLY").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
}

TEST_F(waiting, default_transaction_read_only_set_in_the_session) {
  start();
  link second = through();
  ASSERT_TRUE(second.run("SET default_transaction_read_only = on").ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(locked_ids(), "");
  ASSERT_TRUE(second.run("COMMIT; SET default_transaction_read_only = off").ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  EXPECT_EQ(second.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(locked_ids(), "1");
}

TEST_F(waiting, role_that_may_only_read_reads) {
  link admin = direct();
  const std::string role = "reader_" + database_->name();
  ASSERT_TRUE(admin.run("CREATE ROLE " + role + " LOGIN; GRANT SELECT ON wallets TO " + role).ok());
  start();
  {
    link reader = through(role);
    ASSERT_TRUE(reader.open()) << reader.problem();
    ASSERT_TRUE(reader.run("BEGIN").ok());
    EXPECT_EQ(reader.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
    EXPECT_EQ(reader.run("SELECT balance FROM wallets WHERE id = $1", {"1"}).brief(), "ok SELECT 1: 100.00");
    EXPECT_EQ(locked_ids(), "");
    EXPECT_TRUE(reader.run("COMMIT").ok());
    EXPECT_EQ(reader.run("UPDATE wallets SET balance = balance - 1 WHERE id = 1").brief(), "42501");
  }
  EXPECT_TRUE(admin.run("DROP OWNED BY " + role + "; DROP ROLE " + role).ok());
}

TEST_F(waiting, debit_that_waits_for_a_debit_is_judged_on_the_newest_value) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; UPDATE wallets SET balance = balance - 60 WHERE id = 1").ok());
  second.begin("UPDATE wallets SET balance = balance - 60 WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("COMMIT").ok());
  EXPECT_EQ(second.collect().brief(), "23514");
  EXPECT_EQ(balance(1), "40.00");
}

TEST_F(waiting, debit_that_waits_for_a_credit_is_judged_on_the_newest_value) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; UPDATE wallets SET balance = balance + 50 WHERE id = 1").ok());
  second.begin("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"140", "1"});
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("COMMIT").ok());
  EXPECT_EQ(second.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "10.00");
}

TEST_F(waiting, debit_that_waits_for_a_credit_which_is_rolled_back_is_refused) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; UPDATE wallets SET balance = balance + 50 WHERE id = 1").ok());
  second.begin("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"140", "1"});
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("ROLLBACK").ok());
  EXPECT_EQ(second.collect().brief(), "23514");
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(waiting, row_that_is_deleted_meanwhile_is_not_there) {
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; DELETE FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  second.begin("SELECT balance FROM wallets WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("COMMIT").ok());
  EXPECT_EQ(second.collect().brief(), "ok SELECT 0");
  EXPECT_EQ(second.run("UPDATE wallets SET balance = 5 WHERE id = 1").brief(), "ok UPDATE 0");
}

TEST_F(waiting, foreign_key_checks_do_not_wait) {
  link admin = direct();
  ASSERT_TRUE(admin.run("ALTER TABLE orders ADD FOREIGN KEY (wallet_id) REFERENCES wallets").ok());
  start();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  EXPECT_EQ(second.run("INSERT INTO orders VALUES (100, 1, 'x')").brief(), "ok INSERT 0 1");
}

}  // namespace
}  // namespace e2e
