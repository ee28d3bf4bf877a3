// Whose read belongs to a write, how long it counts, and what becomes of a write without one. Each stale
// write here would pass if the read were attributed to somebody else, or to nobody.
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

const std::string read_1 = "SELECT balance FROM wallets WHERE id = 1";
const std::string write_90 = "UPDATE wallets SET balance = 90 WHERE id = 1";
const std::string write_1 = "UPDATE wallets SET balance = $1 WHERE id = $2";
const std::string remove_1 = "DELETE FROM wallets WHERE id = 1";

/// As sqlcommenter writes it behind a statement.
std::string traced(const std::string& sql, char trace) {
  return sql + " /*action='pay',traceparent='00-" + std::string(32, trace) + "-00f067aa0ba902b7-01'*/";
}

class correlate : public shape_stage {
 protected:
  void change() { ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 75 WHERE id = 1").ok()); }
  bool waiting(int count) { return settled(*proxy_, "pgteller_turn_waiting{", count) == count; }
  double blind(int count) { return settled(*proxy_, "pgteller_unguarded_total{reason=\"blind\"", count); }
};

TEST_F(correlate, session_knows_only_its_own_reads) {
  start(wallet_rule("strategy = \"optimistic\""));
  link reader = through();
  link writer = through();
  ASSERT_TRUE(reader.run(read_1).ok());
  change();
  EXPECT_EQ(writer.run(write_90).brief(), "ok UPDATE 1");
  EXPECT_EQ(blind(1), 1);
  EXPECT_EQ(reader.run(write_1, {"80", "1"}).brief(), "40001");
}

TEST_F(correlate, client_over_two_connections) {
  start(
      wallet_rule("strategy = \"optimistic\"\ncorrelate = \"client\"\nturn_timeout = \"55s\"\n"
                  "lock_timeout = \"55s\""));
  link reader = through();
  link writer = through();
  link third = through();
  ASSERT_EQ(reader.run(read_1).text(), "100.00");
  change();
  EXPECT_EQ(writer.run(write_90).brief(), "40001");
  EXPECT_EQ(balance(1), "75.00");
  ASSERT_EQ(settled(*proxy_, "pgteller_turns_active{", 0), 0) << "a refused write ends the client's turn";
  // Undisturbed it passes, and only one read is outstanding for a row.
  ASSERT_EQ(reader.run(read_1, {}).text(), "75.00");
  third.begin(read_1);
  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(writer.run(write_1, {"65", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(third.collect().text(), "65.00");
  EXPECT_EQ(reader.run(write_1, {"55", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "55.00");
  EXPECT_EQ(proxy_->metric("pgteller_unguarded_total{reason=\"blind\""), 0);
}

TEST_F(correlate, client_whose_pool_resets_its_connections) {
  start(wallet_rule("strategy = \"optimistic\"\ncorrelate = \"client\""));
  link reader = through();
  link writer = through();
  ASSERT_EQ(reader.run(read_1).text(), "100.00");
  ASSERT_TRUE(reader.run("DISCARD ALL").ok());
  change();
  EXPECT_EQ(writer.run(write_90).brief(), "40001") << "it is the client that has read";
}

TEST_F(correlate, client_is_a_user_of_a_database) {
  start(wallet_rule("strategy = \"optimistic\"\ncorrelate = \"client\""));
  ASSERT_TRUE(direct().run("GRANT ALL ON wallets TO pgteller").ok());
  link reader = through();
  link other = through("pgteller");
  ASSERT_EQ(reader.run(read_1).text(), "100.00");
  change();
  EXPECT_EQ(other.run(write_90).brief(), "ok UPDATE 1")
      << "another user's blind write, once the turn is over";
  EXPECT_EQ(blind(1), 1);
}

TEST_F(correlate, client_with_many_workers_over_a_pool) {
  start(wallet_rule("correlate = \"client\"\nturn_timeout = \"20s\"\nlock_timeout = \"55s\""));
  constexpr int workers = 4;
  constexpr int rounds = 8;
  std::vector<int> failures(workers, 0);
  std::vector<std::thread> running;
  for (int i = 0; i < workers; ++i) {
    running.emplace_back([this, &failed = failures[static_cast<std::size_t>(i)]] {
      link reads = through();
      link writes = through();
      for (int round = 0; round < rounds; ++round) {
        const std::string next = std::to_string(std::stod(reads.run(read_1).text()) - 1);
        failed += writes.run(write_1, {next, "1"}).ok() ? 0 : 1;
      }
    });
  }
  for (std::thread& each : running) each.join();
  for (const int failed : failures) EXPECT_EQ(failed, 0);
  EXPECT_EQ(balance(1), "68.00");
}

TEST_F(correlate, trace_over_two_connections) {
  start(wallet_rule("strategy = \"optimistic\"\ncorrelate = \"trace\""));
  link reader = through();
  link writer = through();
  ASSERT_EQ(reader.run(traced(read_1, 'a')).text(), "100.00");
  ASSERT_EQ(reader.run(traced("SELECT balance FROM wallets WHERE id = $1", 'b'), {"2"}).text(), "100.00");
  change();
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 75 WHERE id = 2").ok());
  EXPECT_EQ(writer.run(traced("UPDATE wallets SET balance = 90 WHERE id = 2", 'a')).brief(), "ok UPDATE 1")
      << "another trace has read that";
  EXPECT_EQ(blind(1), 1);
  EXPECT_EQ(writer.run(traced(write_90, 'a')).brief(), "40001");
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 75 WHERE id = 2").ok());
  EXPECT_EQ(writer.run(traced(write_1, 'b'), {"90", "2"}).brief(), "40001");
  // The unit of work done again.
  ASSERT_EQ(writer.run(traced(read_1, 'c')).text(), "75.00");
  EXPECT_EQ(reader.run(traced(write_1, 'c'), {"65", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "65.00");
}

TEST_F(correlate, trace_that_is_missing_means_the_session) {
  start(wallet_rule("strategy = \"optimistic\"\ncorrelate = \"trace\""));
  link here = through();
  ASSERT_TRUE(here.run(read_1).ok());
  change();
  EXPECT_EQ(here.run(write_90).brief(), "40001");
  EXPECT_EQ(balance(1), "75.00");
}

TEST_F(correlate, session_forgets_when_its_connection_is_given_back) {
  start(wallet_rule("strategy = \"optimistic\"\non_blind_write = \"reject\""));
  link here = through();
  const auto forgotten_after = [&](const std::string& sql, bool extended) {
    SCOPED_TRACE(sql + (extended ? ", extended" : ""));
    ASSERT_TRUE(here.run(read_1).ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 100 WHERE id = 1").brief(), "ok UPDATE 1");
    ASSERT_TRUE((extended ? here.run(sql, {}) : here.run(sql)).ok());
    EXPECT_EQ(here.run(write_90).brief(), "42501");
  };
  for (const std::string sql :
       {"DISCARD ALL", "RESET ALL", "reset all;", "/* pool */ DISCARD -- all\n ALL"}) {
    forgotten_after(sql, false);
    forgotten_after(sql, true);
  }
  // asyncpg's pool.
  forgotten_after("SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;", false);
  ASSERT_TRUE(here.run(read_1).ok());
  ASSERT_TRUE(here.run("RESET work_mem; DISCARD TEMP").ok());
  EXPECT_EQ(here.run(write_90).brief(), "ok UPDATE 1") << "nothing was given back";
}

TEST_F(correlate, read_ends_after_its_time) {
  start(wallet_rule("strategy = \"optimistic\"\nread_ttl = \"100ms\""));
  link here = through();
  ASSERT_TRUE(here.run(read_1).ok());
  change();
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_EQ(here.run(write_90).brief(), "ok UPDATE 1") << "no read is on record any more";
  EXPECT_EQ(blind(1), 1);
}

TEST_F(correlate, blind_writes_are_refused_where_the_rule_says_so) {
  start(wallet_rule("on_blind_write = \"reject\""));
  link here = through();
  for (const bool extended : {false, true}) {
    for (const std::string begin : {"SELECT 1", "BEGIN"}) {
      ASSERT_TRUE(here.run(begin).ok());
      const reply got = extended ? here.run(write_1, {"90", "1"}) : here.run(write_90);
      EXPECT_EQ(got.sqlstate(), "42501") << got.message();
      EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
      EXPECT_EQ(got.field(PG_DIAG_SCHEMA_NAME), "public");
      EXPECT_EQ(got.field(PG_DIAG_TABLE_NAME), "wallets");
      EXPECT_EQ(here.block(), begin == "BEGIN" ? PQTRANS_INERROR : PQTRANS_IDLE);
      ASSERT_TRUE(here.run("ROLLBACK").ok());
    }
  }
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 0").brief(), "42501")
      << "all rows, of which none was read";
  EXPECT_EQ(here.run("DELETE FROM wallets WHERE id = 1").brief(), "42501");
  EXPECT_EQ(balance(1), "100.00");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 1 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("SELECT * FROM wallets WHERE id = 1").ok());
  EXPECT_EQ(here.run(write_90).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 5 WHERE id = 2").brief(), "42501") << "another row";
}

TEST_F(correlate, row_taken_off_twice_is_taken_off_once) {
  for (const std::string strategy : {"pessimistic\"\nturns = \"off", "optimistic", "escrow"}) {
    SCOPED_TRACE(strategy);
    begin_anew();
    start(wallet_rule("strategy = \"" + strategy + "\""));
    link first = through();
    link second = through();
    ASSERT_EQ(first.run(read_1).text(), "100.00");
    ASSERT_EQ(second.run(read_1).text(), "100.00");
    EXPECT_EQ(first.run(remove_1).brief(), "ok DELETE 1");
    EXPECT_EQ(second.run("DELETE FROM wallets WHERE id = $1", {"1"}).brief(), "40001");
    EXPECT_EQ(second.run(read_1).rows(), 0) << "found gone on the next try";
  }
}

TEST_F(correlate, unit_of_work_whose_row_is_gone_passes_when_it_is_done_again) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  ASSERT_TRUE(direct().run(remove_1).ok());
  EXPECT_EQ(here.run(remove_1).brief(), "40001");
  ASSERT_EQ(here.run(read_1).rows(), 0);
  EXPECT_EQ(here.run(remove_1).brief(), "ok DELETE 0") << "it knows that the row is gone";
}

TEST_F(correlate, row_that_changed_is_not_taken_off) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; " + read_1).ok());
  change();
  EXPECT_EQ(here.run(remove_1).brief(), "40001");
  EXPECT_EQ(here.block(), PQTRANS_INERROR);
  ASSERT_TRUE(here.run("ROLLBACK").ok());
  EXPECT_EQ(balance(1), "75.00");
}

TEST_F(correlate, second_taker_waits_and_finds_none) {
  start(wallet_rule("turns = \"on\"\nturn_timeout = \"55s\"\nlock_timeout = \"55s\""));
  link first = through();
  link second = through();
  ASSERT_EQ(first.run(read_1).text(), "100.00");
  second.begin(read_1);
  ASSERT_TRUE(waiting(1));
  EXPECT_EQ(first.run(remove_1).brief(), "ok DELETE 1");
  EXPECT_EQ(second.collect().brief(), "ok SELECT 0");
  EXPECT_TRUE(waiting(0));
}

}  // namespace
}  // namespace e2e
