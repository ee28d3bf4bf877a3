// Clients that vanish, fall silent or cancel while they wait, and connections that are reset in every state.
// Whoever held what they waited for goes on holding it: only giving up the wait itself passes these tests.
#include <array>
#include <list>

#include <gtest/gtest.h>

#include "tests/e2e/fault_stage.hpp"
#include "tests/e2e/gate.hpp"

namespace e2e {
namespace {

const std::string lock_1 = "BEGIN; UPDATE wallets SET balance = balance - 1, owner = 'holder' WHERE id = 1";
const std::string read_1 = "SELECT balance FROM wallets WHERE id = 1";
const std::string debit_1 = "UPDATE wallets SET balance = balance - 1, owner = 'leaver' WHERE id = 1";
constexpr std::chrono::seconds soon{10};

enum class leaving { end, reset, terminate };

class fault_waits : public fault_stage {
 protected:
  bool waits(const std::string& pid) {
    const std::string sql =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = " + pid;
    return eventually([&] { return value(*audit_, sql) == "1"; }, soon);
  }
  bool gone(const std::string& pid) {
    const std::string sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid;
    return eventually([&] { return value(*audit_, sql) == "0"; }, soon);
  }
  static void leave(std::unique_ptr<wire> client, leaving how) {
    if (how == leaving::terminate) client->send(frame('X', ""));
    if (how == leaving::reset) client->reset();
  }
  static void cancel(const link& who) {
    char error[256] = "";
    PGcancel* request = PQgetCancel(who.raw());
    EXPECT_EQ(PQcancel(request, error, sizeof error), 1) << error;
    PQfreeCancel(request);
  }
};

TEST_F(fault_waits, client_that_vanishes_gives_up_its_wait_for_a_lock) {
  start_behind(0, "pessimistic");
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  const std::string extended = parse("", debit_1) + bind("", "") + execute("") + sync();
  const std::array<std::string, 4> waiting{query("BEGIN; " + read_1), query(debit_1), extended,
                                           query("BEGIN") + extended + query("COMMIT")};
  for (const leaving how : {leaving::end, leaving::reset, leaving::terminate}) {
    for (const std::string& bytes : waiting) {
      SCOPED_TRACE(std::to_string(static_cast<int>(how)) + " " + bytes.substr(5));
      auto here = proxied();
      const std::string pid = backend_of(*here);
      here->send(bytes);
      ASSERT_TRUE(waits(pid));
      leave(std::move(here), how);
      ASSERT_TRUE(gone(pid)) << "it waits for nobody";
    }
  }
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(noted("leaver"), 0);
  expect_free();
  expect_at_rest();
}

TEST_F(fault_waits, client_that_only_stops_sending_gets_its_answer) {
  start_behind(0, "pessimistic");
  const std::string slow = "UPDATE wallets SET owner = 'slow' FROM pg_sleep(1.5) WHERE id = 4";
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query(slow));
  here.end_sending();
  const messages got = here.messages(1);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.back()[0], 'Z') << texts(got);
  EXPECT_EQ(noted("slow"), 1);
}

TEST_F(fault_waits, cancel_request_ends_a_wait_for_a_lock) {
  start_behind(0, "pessimistic");
  link holder = direct();
  ASSERT_TRUE(holder.run(lock_1).ok());
  link here = through();
  for (const bool block : {false, true}) {
    for (const bool extended : {false, true}) {
      ASSERT_TRUE(here.run(block ? "BEGIN" : "SELECT 1").ok());
      extended ? here.begin(debit_1, {}) : here.begin(debit_1);
      ASSERT_TRUE(waits(here.pid()));
      cancel(here);
      EXPECT_EQ(here.collect().brief(), "57014");
      EXPECT_EQ(here.block(), block ? PQTRANS_INERROR : PQTRANS_IDLE);
      ASSERT_TRUE(here.run("ROLLBACK").ok());
    }
  }
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_EQ(here.run(debit_1).brief(), "ok UPDATE 1");
  EXPECT_EQ(noted("leaver"), 1);
  expect_free();
}

TEST_F(fault_waits, connection_is_reset_in_every_state) {
  start_behind(0, "pessimistic");
  ASSERT_TRUE(audit_->run("CREATE TABLE loaded (id int, note text)").ok());
  const std::string half = query(debit_1).substr(0, 20);
  const std::string rows = "SELECT repeat('x', 10000) FROM generate_series(1, 10000)";
  const std::vector<step> states{
      {"", 0},
      {query("BEGIN"), 1},
      {query("BEGIN") + query(debit_1), 2},
      {query("BEGIN") + query("SELECT 1/0"), 2},
      {query(read_1), 1},
      {half, 0},
      {query(read_1) + half, 1},
      {parse("", debit_1) + bind("", "") + execute(""), 0},
      {parse("", debit_1) + bind("", "") + execute("") + flush(), 0, "C"},
      {parse("w", debit_1) + describe('S', "w") + sync() + half, 1},
      {query("COPY loaded FROM STDIN"), 1, "G"},
      {query("COPY loaded FROM STDIN") + frame('d', "1\tone\n"), 1, "G"},
      {query(rows), 1, "T"},
      {query("BEGIN; DECLARE c CURSOR FOR " + read_1), 1},
      {query("SELECT pg_sleep(0.3)"), 0},
      {query(debit_1), 0},
  };
  for (const step& each : states) {
    for (const leaving how : {leaving::reset, leaving::end}) {
      SCOPED_TRACE(each.bytes + (how == leaving::reset ? " reset" : " end"));
      auto here = proxied();
      const std::string pid = backend_of(*here);
      here->send(each.bytes);
      if (each.ready > 0 || !each.stop.empty()) static_cast<void>(here->messages(each.ready, each.stop));
      leave(std::move(here), how);
      ASSERT_TRUE(gone(pid));
      expect_free();
      ASSERT_FALSE(HasFailure());
    }
  }
  expect_at_rest();
  EXPECT_EQ(value(*audit_, "SELECT count(*) FROM loaded"), "0");
  EXPECT_EQ(settled(*proxy_, "pgteller_server_connections", 1), 1);
}

TEST_F(fault_waits, connection_is_reset_before_it_is_one) {
  start_behind(0, "pessimistic");
  const std::string startup = u32(60) + u32(196608) + "user";
  for (const std::string& bytes : {std::string(), startup.substr(0, 3), startup, u32(8) + u32(80877103)}) {
    for (const leaving how : {leaving::reset, leaving::end}) {
      auto here = std::make_unique<wire>("127.0.0.1", proxy_->port());
      here->send(bytes);
      leave(std::move(here), how);
    }
  }
  expect_free();
  expect_at_rest();
}

TEST_F(fault_waits, silent_server_holds_up_nobody_else) {
  gate between;
  start_behind(between.port(), "pessimistic");
  for (const leaving how : {leaving::reset, leaving::end, leaving::terminate}) {
    SCOPED_TRACE(static_cast<int>(how));
    auto here = proxied();
    between.arm({fault::type::silence, side::server, 0});
    here->send(query(debit_1));
    ASSERT_TRUE(eventually([&] { return between.struck(); }, soon));
    expect_free();
    leave(std::move(here), how);
    EXPECT_EQ(settled(*proxy_, "pgteller_client_connections", 1), 1);
    expect_at_rest();
    between.watch();  // the silent connection ends with the gate
  }
  EXPECT_EQ(noted("leaver"), 3) << "it was never heard of, but it was sent";
}

TEST_F(fault_waits, silent_client_loses_its_turn_to_the_next) {
  proxy_options options;
  options.rules = wallet_rule("turns = \"on\"\nturn_timeout = \"200ms\"\nlock_timeout = \"55s\"");
  start(std::move(options));
  bystander_ = std::make_unique<link>(through_conninfo());
  gate between(proxy_->port());
  wire holder("127.0.0.1", between.port());
  ASSERT_TRUE(holder.start(database_->name()));
  holder.send(query(read_1));
  ASSERT_EQ(holder.messages(1).back()[0], 'Z');
  between.arm({fault::type::silence, side::client, 0});
  holder.send(query("SELECT 1"));
  ASSERT_TRUE(eventually([&] { return between.struck(); }, soon));
  bystander_->begin(read_1);
  EXPECT_TRUE(eventually([&] { return bystander_->answered(); }, soon));
  EXPECT_TRUE(bystander_->collect().ok());
  expect_free();
}

}  // namespace
}  // namespace e2e
