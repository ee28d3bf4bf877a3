// How connections begin and end: limits, a server that is not there or goes away, clients that leave in every
// manner, and pgteller's own end.
#include <csignal>
#include <list>

#include <gtest/gtest.h>

#include "tests/e2e/gate.hpp"
#include "tests/e2e/stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class connections : public stage {
 protected:
  /// What a raw client is told instead of being let in.
  std::string refusal(int port, char code = 'C') {
    wire here("127.0.0.1", port);
    EXPECT_FALSE(here.start(database_->name()));
    EXPECT_TRUE(here.read_to_end().empty());
    return here.greeting().empty() ? "nothing" : error_field(here.greeting().back(), code);
  }
};

TEST_F(connections, one_too_many_is_refused) {
  proxy_options options;
  options.listen = "max_connections = 2";
  start(std::move(options));
  ASSERT_TRUE(eventually([&] { return proxy_->metric("pgteller_client_connections") == 0; }));
  {
    const link one = through();
    const link two = through();
    ASSERT_TRUE(one.open() && two.open());
    EXPECT_EQ(refusal(proxy_->port()), "53300");
    EXPECT_EQ(refusal(proxy_->port(), 'V'), "FATAL");
    const link three = through();
    EXPECT_FALSE(three.open());
    EXPECT_NE(three.problem().find("too many clients"), std::string::npos) << three.problem();
  }
  EXPECT_TRUE(eventually([&] { return through().open(); }));
}

TEST_F(connections, server_that_is_not_there) {
  proxy_options options;
  options.upstream_port = 1;
  proxy_ = std::make_unique<proxy>(std::move(options));
  EXPECT_EQ(refusal(proxy_->port()), "08001");
  EXPECT_NE(refusal(proxy_->port(), 'D').find("refused"), std::string::npos);
}

TEST_F(connections, unix_socket_of_the_server) {
  proxy_options options;
  options.rules = wallet_rule();
  options.upstream_host = cluster::socket_directory();
  start(std::move(options));
  link here = through();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief(), "23514");
}

TEST_F(connections, half_closed_client_gets_its_answer) {
  for (const std::string& rules : {std::string(), wallet_rule()}) {
    start(rules);
    wire here("127.0.0.1", proxy_->port());
    ASSERT_TRUE(here.start(database_->name()));
    here.send(query("SELECT pg_sleep(0.2); SELECT balance FROM wallets WHERE id = 1"));
    here.end_sending();
    const auto answer = here.messages(1);
    ASSERT_FALSE(answer.empty());
    EXPECT_EQ(answer.back()[0], 'Z');
    EXPECT_EQ(here.read_to_end(), "");
  }
}

/// What is planned only when the statement before it has been answered stands behind the end of the bytes.
TEST_F(connections, half_closed_client_loses_nothing_that_is_held) {
  start();
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  std::string all = query("SELECT pg_sleep(0.2)");
  for (int i = 1; i <= 3; ++i)
    all += query("UPDATE wallets SET balance = balance - 1 WHERE id = " + std::to_string(i));
  here.send(all);
  here.end_sending();
  EXPECT_EQ(here.messages(4).size(), 4U + 3 * 2);
  EXPECT_EQ(here.read_to_end(), "");
  EXPECT_EQ(balance(3), "99.00");
}

TEST_F(connections, client_reset_in_a_transaction_rolls_back) {
  start();
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query("BEGIN") + query("UPDATE wallets SET balance = 1 WHERE id = 1"));
  EXPECT_EQ(here.messages(2).size(), 4U);
  EXPECT_EQ(locked_ids(), "1");
  here.reset();
  EXPECT_TRUE(eventually([&] { return locked_ids().empty(); }));
  EXPECT_EQ(balance(1), "100.00");
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_server_connections") == 0; }));
}

TEST_F(connections, client_that_leaves_while_it_waits_for_a_lock) {
  start();
  link holder = through();
  ASSERT_TRUE(holder.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  {
    link leaving = through();
    ASSERT_TRUE(leaving.run("BEGIN").ok());
    leaving.begin("SELECT balance FROM wallets WHERE id = 1");
    ASSERT_TRUE(waits_for_lock(leaving));
  }
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_client_connections") == 1; }));
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_TRUE(eventually([&] { return locked_ids().empty(); }));
}

TEST_F(connections, silent_ones_do_not_stop_others) {
  start();
  std::list<wire> silent;
  for (int i = 0; i < 200; ++i) silent.emplace_back("127.0.0.1", proxy_->port());
  for (auto& each : silent) each.send(std::string_view("\0\0\0", 3));
  link here = through();
  ASSERT_TRUE(here.open()) << here.problem();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 1 WHERE id = 1").brief(), "ok UPDATE 1");
}

TEST_F(connections, broken_startup_packets_are_refused) {
  start();
  const std::string packets[] = {u32(4),
                                 u32(0),
                                 u32(3) + "x",
                                 u32(0x7fffffff) + "x",
                                 u32(0xffffffff),
                                 u32(20000) + std::string(100, 'x'),
                                 u32(8) + u32(131072),
                                 u32(9) + u32(196608) + "x",
                                 "GET / HTTP/1.1\r\n\r\n"};
  for (const std::string& packet : packets) {
    wire here("127.0.0.1", proxy_->port());
    here.send(packet);
    const std::string answer = here.read_to_end();
    EXPECT_TRUE(answer.empty() || answer[0] == 'E') << answer;
    EXPECT_TRUE(here.closed());
  }
  EXPECT_TRUE(through().open());
}

TEST_F(connections, backend_that_is_terminated) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  here.begin("SELECT pg_sleep(60)");
  link admin = direct();
  const std::string sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " + here.pid();
  ASSERT_TRUE(eventually([&] { return value(admin, sleeping) == "1"; }));
  EXPECT_EQ(value(admin, "SELECT pg_terminate_backend(" + here.pid() + ")"), "t");
  EXPECT_EQ(here.next().brief(), "57P01");
  while (here.next().there()) {
  }
  EXPECT_FALSE(here.open());
  EXPECT_EQ(locked_ids(), "");
}

TEST_F(connections, lost_while_a_statement_runs_is_an_unknown_outcome) {
  for (const std::string& rules : {std::string(), wallet_rule()}) {
    gate between;
    proxy_options options;
    options.rules = rules;
    options.upstream_port = between.port();
    start(std::move(options));
    link here = through();
    here.begin("UPDATE wallets SET balance = 7 WHERE id = 1; SELECT pg_sleep(60)");
    link admin = direct();
    const std::string sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " + here.pid();
    ASSERT_TRUE(eventually([&] { return value(admin, sleeping) == "1"; }));
    const std::string pid = here.pid();
    between.cut();
    reply told;
    for (reply each = here.next(); each.there() && told.sqlstate().empty(); each = here.next()) told = each;
    EXPECT_EQ(told.sqlstate(), "08007") << told.message();
    EXPECT_EQ(told.field(PG_DIAG_SEVERITY_NONLOCALIZED), "FATAL");
    EXPECT_TRUE(through().open());
    // Behind a hidden statement that is owed an answer the proxy has cancelled it.
    EXPECT_TRUE(
        admin.run("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid = " + pid).ok());
    proxy_.reset();
  }
}

TEST_F(connections, lost_while_idle_is_told_by_the_end_only) {
  gate between;
  proxy_options options;
  options.rules = wallet_rule();
  options.upstream_port = between.port();
  start(std::move(options));
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  between.cut();
  EXPECT_EQ(here.read_to_end(), "");
  EXPECT_TRUE(here.closed());
  proxy_.reset();
}

}  // namespace
}  // namespace e2e
