// SIGTERM and SIGHUP: how pgteller ends, and how it takes other rules while it runs.
#include <csignal>

#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class stopping : public stage {};
class reloading : public stage {};

TEST_F(stopping, idle_clients_are_told_and_transactions_may_end) {
  start();
  wire idle("127.0.0.1", proxy_->port());
  ASSERT_TRUE(idle.start(database_->name()));
  link busy = through();
  ASSERT_TRUE(busy.run("BEGIN; UPDATE wallets SET balance = 3 WHERE id = 1").ok());
  proxy_->process().signal(SIGTERM);
  EXPECT_EQ(error_field(idle.message(), 'C'), "57P01");
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(busy.run("UPDATE wallets SET balance = balance + 1 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(busy.run("UPDATE wallets SET balance = balance + $1 WHERE id = 1", {"1"}).brief(), "ok UPDATE 1");
  EXPECT_TRUE(proxy_->process().running());
  EXPECT_EQ(busy.run("COMMIT").brief(), "ok COMMIT");
  EXPECT_EQ(proxy_->process().wait(), 0) << proxy_->log();
  EXPECT_EQ(balance(1), "5.00");
}

TEST_F(stopping, grace_ends_with_57P01) {
  proxy_options options;
  options.listen = "shutdown_grace = \"300ms\"";
  options.rules = wallet_rule();
  start(std::move(options));
  wire busy("127.0.0.1", proxy_->port());
  ASSERT_TRUE(busy.start(database_->name()));
  busy.send(query("BEGIN; UPDATE wallets SET balance = 3 WHERE id = 1"));
  EXPECT_EQ(busy.messages(1).size(), 3U);
  proxy_->process().signal(SIGTERM);
  EXPECT_EQ(error_field(busy.message(), 'C'), "57P01");
  EXPECT_EQ(proxy_->process().wait(), 0) << proxy_->log();
  EXPECT_TRUE(eventually([&] { return locked_ids().empty(); }));
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(stopping, second_signal_ends_the_grace) {
  start();
  link busy = through();
  ASSERT_TRUE(busy.run("BEGIN; UPDATE wallets SET balance = 3 WHERE id = 1").ok());
  proxy_->process().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return proxy_->log().find("draining") != std::string::npos; }));
  proxy_->process().signal(SIGTERM);
  EXPECT_EQ(proxy_->process().wait(), 0) << proxy_->log();
  EXPECT_FALSE(busy.run("COMMIT").ok());
}

TEST_F(stopping, with_clients_that_wait_for_a_lock) {
  proxy_options options;
  options.listen = "shutdown_grace = \"500ms\"";
  options.rules = wallet_rule();
  start(std::move(options));
  link holder = direct();
  ASSERT_TRUE(holder.run("BEGIN; UPDATE wallets SET balance = 3 WHERE id = 1").ok());
  link waiting = through();
  waiting.begin("UPDATE wallets SET balance = 4 WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(waiting));
  proxy_->process().signal(SIGTERM);
  EXPECT_EQ(waiting.next().brief(), "08007") << "it may get its lock before it is cancelled";
  EXPECT_EQ(proxy_->process().wait(), 0) << proxy_->log();
}

TEST_F(stopping, many_times_at_once_after_a_client_left) {
  for (int i = 0; i < 5; ++i) {
    start(i % 2 == 0 ? wallet_rule() : std::string());
    { const link here = through(); }
    proxy_->stop();
  }
}

TEST_F(reloading, broken_file_keeps_the_rules_and_a_good_one_changes_them) {
  start();
  link here = through();
  const auto debit = [&] { return here.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief(); };
  EXPECT_EQ(debit(), "23514");
  proxy_->reload("[[rule]]\nname = \"broken\"\n");
  EXPECT_EQ(proxy_->metric("pgteller_reloads_total{result=\"failure\"}"), 1);
  EXPECT_EQ(debit(), "23514");
  proxy_->reload(
      "[[rule]]\nname = \"other\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\nmin = -5\nmax = 200\n");
  EXPECT_EQ(proxy_->metric("pgteller_reloads_total{result=\"success\"}"), 1);
  EXPECT_TRUE(eventually([&] { return debit() == "ok UPDATE 1"; }));
  const reply above = here.run("UPDATE wallets SET balance = 201 WHERE id = 1");
  EXPECT_EQ(above.sqlstate(), "23514");
  EXPECT_EQ(above.field(PG_DIAG_CONSTRAINT_NAME), "other");
}

// Old and new rule book come at any moment: the write is refused, or it is exactly the client's.
TEST_F(reloading, rule_that_means_other_columns_than_what_was_read) {
  const auto rule = [](const std::string& columns) {
    return "[[rule]]\nname = \"wallet\"\ntable = \"wallets\"\ncolumns = [" + columns +
           "]\nstrategy = \"escrow\"\n";
  };
  start(rule("\"balance\""));
  link here = through();
  link direct_link = direct();
  for (const char* columns : {"\"user_id\"", "\"user_id\", \"balance\"", "\"balance\", \"user_id\""}) {
    proxy_->reload(rule("\"balance\""));
    ASSERT_TRUE(direct().run("UPDATE wallets SET user_id = 10 WHERE id = 1").ok());
    ASSERT_TRUE(eventually([&] { return here.run("SELECT * FROM wallets WHERE id = 1").ok(); }));
    proxy_->reload(rule(columns));
    for (const char* written : {"450", "460"}) {
      const std::string before = value(direct_link, "SELECT user_id FROM wallets WHERE id = 1");
      const auto write = [&] {
        return here.run(std::string("UPDATE wallets SET user_id = ") + written + " WHERE id = 1");
      };
      if (const std::string done = write().brief(); done != "ok UPDATE 1") {
        EXPECT_EQ(done, "40001");
        EXPECT_EQ(value(direct_link, "SELECT user_id FROM wallets WHERE id = 1"), before);
        EXPECT_EQ(here.run("SELECT * FROM wallets WHERE id = 1").brief().substr(0, 2), "ok");
        EXPECT_EQ(write().brief(), "ok UPDATE 1");
      }
      EXPECT_EQ(value(direct_link, "SELECT user_id FROM wallets WHERE id = 1"), written);
    }
  }
}

TEST_F(reloading, rule_on_a_table_that_had_none) {
  start();
  link here = through();
  EXPECT_EQ(here.run("UPDATE orders SET wallet_id = -1 WHERE id = 1").brief(), "ok UPDATE 1");
  proxy_->reload(wallet_rule() +
                 "[[rule]]\nname = \"new\"\ntable = \"orders\"\ncolumns = [\"wallet_id\"]\nmin = 0\n");
  EXPECT_TRUE(eventually(
      [&] { return here.run("UPDATE orders SET wallet_id = -1 WHERE id = 1").brief() == "23514"; }));
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief(), "23514");
}

TEST_F(reloading, statement_that_was_prepared_before_its_table_had_a_rule) {
  start();
  link here = through();
  EXPECT_TRUE(here.prepare("write", "UPDATE orders SET wallet_id = $1 WHERE id = 1").ok());
  proxy_->reload(wallet_rule() +
                 "[[rule]]\nname = \"new\"\ntable = \"orders\"\ncolumns = [\"wallet_id\"]\nmin = 0\n");
  EXPECT_TRUE(eventually(
      [&] { return through().run("UPDATE orders SET wallet_id = -1 WHERE id = 1").brief() == "23514"; }));
  EXPECT_NE(here.run_prepared("write", {"-1"}).brief(), "ok UPDATE 1");
}

TEST_F(reloading, session_that_began_without_rules_ends_when_idle) {
  start("");
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  proxy_->reload(wallet_rule());
  EXPECT_EQ(here.run("SELECT 1").brief(), "ok SELECT 1: 1");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok COMMIT");
  EXPECT_TRUE(eventually([&] {
    link other = through();
    return other.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief() == "23514";
  }));
  EXPECT_FALSE(here.run("SELECT 1").ok());
}

TEST_F(reloading, in_flight_statements_do_not_notice) {
  start();
  link here = through();
  link holder = direct();
  ASSERT_TRUE(holder.run("BEGIN; UPDATE wallets SET balance = 50 WHERE id = 1").ok());
  here.begin("UPDATE wallets SET balance = balance - 60 WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(here));
  proxy_->reload("");
  ASSERT_TRUE(holder.run("COMMIT").ok());
  const reply got = here.collect();
  EXPECT_EQ(got.sqlstate(), "23514");
  EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
}

}  // namespace
}  // namespace e2e
