// strategy = "pessimistic" outside transactions: who has read a row is the next to write it, others wait in
// the proxy. Without turns, every second reader here would be answered at once.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

const std::string read_1 = "SELECT balance FROM wallets WHERE id = 1";
const std::string read_2 = "SELECT balance FROM wallets WHERE id = 2";
const std::string patient = "turn_timeout = \"55s\"\nlock_timeout = \"55s\"\n";

std::string write(int id, const std::string& value) {
  return "UPDATE wallets SET balance = " + value + " WHERE id = " + std::to_string(id);
}

class turns : public shape_stage {
 protected:
  void start_turns(const std::string& more = patient) { start(wallet_rule("turns = \"on\"\n" + more)); }

  bool waiting(int count) { return settled(*proxy_, "pgteller_turn_waiting{", count) == count; }
  /// Nobody has a turn or waits for one.
  void expect_at_rest() {
    EXPECT_TRUE(waiting(0));
    EXPECT_EQ(settled(*proxy_, "pgteller_turns_active{", 0), 0);
  }
  /// What PostgreSQL knows of the session: its state and the last statement that it was sent.
  std::string activity(const link& who) {
    link here = direct();
    return value(here, "SELECT state || ': ' || query FROM pg_stat_activity WHERE pid = " + who.pid());
  }
  void cancel(const link& who) {
    char error[256] = "";
    PGcancel* request = PQgetCancel(who.raw());
    EXPECT_EQ(PQcancel(request, error, sizeof error), 1) << error;
    PQfreeCancel(request);
  }
};

TEST_F(turns, second_reader_waits_for_the_firsts_write_and_postgresql_sees_nothing_of_it) {
  start_turns();
  link first = through();
  link second = through();
  link third = through();
  ASSERT_TRUE(second.run("SELECT 'before'").ok());
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  EXPECT_EQ(first.run(read_1).text(), "100.00") << "in one's own turn reading never waits";
  second.begin(read_1);
  ASSERT_TRUE(waiting(1));
  third.begin("SELECT balance FROM wallets WHERE id = $1", {"1"});
  ASSERT_TRUE(waiting(2));
  EXPECT_EQ(activity(second), "idle: SELECT 'before'");
  EXPECT_EQ(locked_ids(), "");
  EXPECT_FALSE(second.answered());
  EXPECT_EQ(proxy_->metric("pgteller_turns_active{"), 1);
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.collect().text(), "90.00");
  EXPECT_TRUE(waiting(1));
  EXPECT_FALSE(third.answered()) << "first come, first served";
  EXPECT_EQ(second.run(write(1, "80")).brief(), "ok UPDATE 1");
  EXPECT_EQ(third.collect().text(), "80.00");
  EXPECT_EQ(third.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"70"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "70.00");
  EXPECT_EQ(proxy_->metric("pgteller_conflicts_total{"), 0);
  EXPECT_GE(settled(*proxy_, "pgteller_turn_wait_seconds_count{", 2), 2);
  expect_at_rest();
}

TEST_F(turns, many_clients_lose_nothing_and_see_no_error) {
  start_turns();
  constexpr int clients = 6;
  constexpr int rounds = 10;
  std::vector<int> failures(clients, 0);
  std::vector<std::thread> running;
  for (int i = 0; i < clients; ++i) {
    running.emplace_back([this, &failed = failures[static_cast<std::size_t>(i)]] {
      link here = through();
      for (int round = 0; round < rounds; ++round) {
        const reply seen = here.run("SELECT id, balance FROM wallets WHERE id = $1", {"1"});
        const std::string next = std::to_string(std::stod(seen.text(0, 1)) - 1);
        failed += here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {next, "1"}).ok() ? 0 : 1;
      }
    });
  }
  for (std::thread& each : running) each.join();
  for (const int failed : failures) EXPECT_EQ(failed, 0);
  EXPECT_EQ(balance(1), "40.00");
  expect_at_rest();
}

TEST_F(turns, turn_that_is_not_used_is_given_on_and_its_late_writer_is_validated) {
  start_turns("turn_timeout = \"200ms\"\nlock_timeout = \"55s\"");
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  EXPECT_EQ(second.run(read_1).text(), "100.00") << "answered once the turn is over";
  EXPECT_EQ(second.run(write(1, "80")).brief(), "ok UPDATE 1");
  EXPECT_EQ(first.run(write(1, "90")).brief(), "40001") << "the row has changed";
  EXPECT_EQ(balance(1), "80.00");
  ASSERT_EQ(first.run(read_2).text(), "100.00");
  ASSERT_EQ(second.run(read_2).text(), "100.00");
  EXPECT_EQ(first.run(write(2, "90")).brief(), "ok UPDATE 1") << "lateness alone is no error";
  expect_at_rest();
}

TEST_F(turns, lock_timeout_ends_the_wait_for_a_turn) {
  start_turns("turn_timeout = \"55s\"\nlock_timeout = \"150ms\"");
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  for (const bool extended : {false, true}) {
    const reply late = extended ? second.run(read_1, {}) : second.run(read_1);
    EXPECT_EQ(late.sqlstate(), "55P03") << late.message();
    EXPECT_EQ(late.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
    EXPECT_EQ(late.field(PG_DIAG_TABLE_NAME), "wallets");
    EXPECT_EQ(second.block(), PQTRANS_IDLE);
  }
  ASSERT_TRUE(second.run("BEGIN").ok());
  EXPECT_EQ(second.run(write(1, "5")).brief(), "55P03") << "a blind write waits its turn";
  EXPECT_EQ(second.block(), PQTRANS_INERROR);
  ASSERT_TRUE(second.run("ROLLBACK").ok());
  EXPECT_TRUE(waiting(0));
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.run(read_1).text(), "90.00");
  EXPECT_EQ(settled(*proxy_, "pgteller_conflicts_total{cause=\"lock_timeout\"", 3), 3);
}

TEST_F(turns, cancel_request_ends_the_wait) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  for (const std::string begin : {"SELECT 1", "BEGIN"}) {
    for (const bool extended : {false, true}) {
      ASSERT_TRUE(second.run(begin).ok());
      extended ? second.begin(read_1, {}) : second.begin(read_1);
      ASSERT_TRUE(waiting(1));
      cancel(second);
      EXPECT_EQ(second.collect().brief(), "57014");
      EXPECT_EQ(second.block(), begin == "BEGIN" ? PQTRANS_INERROR : PQTRANS_IDLE);
      ASSERT_TRUE(second.run("ROLLBACK").ok());
      EXPECT_EQ(second.run(read_2, {}).text(), "100.00") << "the connection is usable";
      EXPECT_EQ(second.run(write(2, "100")).brief(), "ok UPDATE 1");
    }
  }
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  expect_at_rest();
}

TEST_F(turns, vanished_clients_leave_the_queue) {
  start_turns();
  for (const bool reset : {false, true}) {
    SCOPED_TRACE(reset);
    auto first = proxied();
    auto second = proxied();
    link third = through();
    first->send(query(read_1));
    EXPECT_EQ(first->messages(1).size(), 4U);
    second->send(query(read_1));
    ASSERT_TRUE(waiting(1));
    third.begin(read_1);
    ASSERT_TRUE(waiting(2));
    if (reset) second->reset();
    second.reset();
    EXPECT_TRUE(waiting(1)) << "who waits is watched";
    EXPECT_FALSE(third.answered());
    if (reset) first->reset();
    first.reset();
    ASSERT_TRUE(waiting(0)) << "a disconnect ends the turn";
    EXPECT_EQ(third.collect().text(), "100.00");
    EXPECT_EQ(third.run(write(1, "100")).brief(), "ok UPDATE 1");
    expect_at_rest();
  }
}

TEST_F(turns, discard_all_ends_the_turn) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  second.begin(read_1);
  ASSERT_TRUE(waiting(1));
  ASSERT_TRUE(first.run("DISCARD ALL").ok());
  EXPECT_EQ(second.collect().text(), "100.00");
}

TEST_F(turns, last_comer_of_a_cycle_that_holds_row_locks_is_a_deadlock) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN").ok());
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  ASSERT_TRUE(second.run("BEGIN").ok());
  ASSERT_EQ(second.run(read_2).text(), "100.00");
  ASSERT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  first.begin(read_2);
  ASSERT_TRUE(waiting(1));
  // PostgreSQL, whose first look comes after a second, is not asked: no backend of it waits for a lock.
  const reply victim = second.run(read_1);
  EXPECT_EQ(victim.sqlstate(), "40P01") << victim.message();
  EXPECT_EQ(victim.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
  EXPECT_EQ(second.block(), PQTRANS_INERROR);
  ASSERT_TRUE(second.run("ROLLBACK").ok());
  EXPECT_EQ(first.collect().text(), "100.00");
  EXPECT_EQ(first.run(write(2, "110")).brief(), "ok UPDATE 1");
  EXPECT_EQ(first.run("COMMIT").brief(), "ok COMMIT");
  EXPECT_EQ(settled(*proxy_, "pgteller_conflicts_total{cause=\"turns\"", 1), 1);
  expect_at_rest();
}

TEST_F(turns, last_comer_of_a_cycle_that_holds_no_lock_passes_and_is_validated) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  ASSERT_EQ(second.run(read_2).text(), "100.00");
  first.begin(read_2);
  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(second.run(read_1).text(), "100.00") << "a cycle, seen at once";
  EXPECT_EQ(second.run(write(2, "110")).brief(), "ok UPDATE 1");
  EXPECT_EQ(first.collect().text(), "110.00");
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.run(write(1, "95")).brief(), "40001");
  EXPECT_EQ(balance(1), "90.00");
}

TEST_F(turns, statements_in_transactions_respect_turns) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  for (const std::string& sql :
       {read_1, write(1, "80"), write(1, "balance - 1"), std::string("DELETE FROM wallets WHERE id = 1")}) {
    ASSERT_TRUE(second.run("BEGIN").ok());
    second.begin(sql);
    ASSERT_TRUE(waiting(1)) << sql;
    EXPECT_EQ(locked_ids(), "") << sql;
    cancel(second);
    EXPECT_EQ(second.collect().brief(), "57014") << sql;
    ASSERT_TRUE(second.run("ROLLBACK").ok());
  }
  ASSERT_TRUE(second.run("BEGIN").ok());
  second.begin(read_1);
  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.collect().text(), "90.00");
  first.begin(read_1);
  ASSERT_TRUE(waiting(1)) << "the other way round: a transaction's turn";
  EXPECT_EQ(second.run(write(1, "80")).brief(), "ok UPDATE 1");
  EXPECT_TRUE(waiting(1)) << "it lasts until the transaction ends";
  ASSERT_TRUE(second.run("COMMIT").ok());
  EXPECT_EQ(first.collect().text(), "80.00");
}

TEST_F(turns, relative_write_waits_for_the_turn_of_another) {
  start_turns();
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  second.begin(write(1, "balance - 20"));
  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "70.00");
}

TEST_F(turns, adaptive_pages_that_never_write_do_not_queue) {
  start(wallet_rule(patient));
  link page = through();
  link other = through();
  link writer = through();
  const std::string shown = "SELECT owner, balance FROM wallets WHERE id = 1";
  // The row comes into conflict, and the statement `read_1` is seen to lead to writes.
  ASSERT_TRUE(writer.run(read_1).ok());
  ASSERT_TRUE(direct().run(write(1, "75")).ok());
  ASSERT_EQ(writer.run(write(1, "90")).brief(), "40001");
  ASSERT_TRUE(writer.run(read_1).ok());  // a turn
  other.begin(read_1);
  ASSERT_TRUE(waiting(1)) << "the row is contended: who may write queues";
  EXPECT_EQ(page.run(shown).text(0, 1), "75.00") << "who only shows it does not";
  EXPECT_EQ(page.run(shown, {}).text(0, 1), "75.00");
  EXPECT_EQ(writer.run(write(1, "65")).brief(), "ok UPDATE 1");
  EXPECT_EQ(other.collect().text(), "65.00");
}

TEST_F(turns, adaptive_rows_that_were_never_in_conflict_do_not_queue) {
  start(wallet_rule(patient));
  link first = through();
  link second = through();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(first.run(read_2).ok());
    EXPECT_EQ(first.run(write(2, "90")).brief(), "ok UPDATE 1");
  }
  ASSERT_TRUE(first.run(read_2).ok());
  EXPECT_EQ(second.run(read_2).text(), "90.00");
  expect_at_rest();
}

TEST_F(turns, relative_write_without_bounds_passes_as_it_came) {
  const std::string free =
      "[[rule]]\nname = \"free\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\n" + patient;
  start(free + "turns = \"on\"\n");
  link here = through();
  link other = through();
  const std::string debit = write(1, "balance - 1");
  EXPECT_EQ(here.run(debit).brief(), "ok UPDATE 1");
  EXPECT_EQ(activity(here), "idle: " + debit) << "PostgreSQL was sent the string as it is";
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"1", "1"}).brief(),
            "ok UPDATE 1");
  EXPECT_EQ(settled(*proxy_, "pgteller_statements_total{action=\"forward\",kind=\"relative\"", 2), 2);
  ASSERT_TRUE(other.run(read_1).ok());
  here.begin(debit);
  ASSERT_TRUE(waiting(1)) << "with a turn outstanding it waits";
  EXPECT_EQ(other.run(write(1, "50")).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(activity(here), "idle: " + debit);
  EXPECT_EQ(balance(1), "49.00");
  expect_at_rest();
}

TEST_F(turns, off_means_that_conflicts_surface) {
  start(wallet_rule("turns = \"off\""));
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  ASSERT_EQ(second.run(read_1).text(), "100.00");
  EXPECT_EQ(first.run(write(1, "90")).brief(), "ok UPDATE 1");
  EXPECT_EQ(second.run(write(1, "80")).brief(), "40001");
  EXPECT_EQ(balance(1), "90.00");
}

}  // namespace
}  // namespace e2e
