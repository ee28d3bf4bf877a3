// What streams through is never held: pgteller's memory stays bounded whatever the size of a row and however
// slow its reader.
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/lean_stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

constexpr long bound_kb = 100'000;
constexpr long row_bytes = 1'000'000'000;

class memory : public lean_stage {
 protected:
  /// Reads and drops `size` bytes of messages; true if they came and a ReadyForQuery ends them.
  bool swallow(wire& from, std::size_t size) {
    std::size_t got = 0;
    std::string last;
    while (got < size || last != std::string("Z\0\0\0\5I", 6)) {
      const std::string piece = from.bytes();
      if (piece.empty()) return false;
      got += piece.size();
      last = (last + piece).substr(std::max<std::size_t>(last.size() + piece.size(), 6) - 6);
    }
    return true;
  }
};

TEST_F(memory, row_larger_than_any_buffer) {
  const std::pair<std::string, long> cases[] = {{"", row_bytes / 3}, {wallet_rule(), row_bytes}};
  for (const auto& [rules, size] : cases) {
    start(rules);
    const long before = proxy_->process().memory("VmHWM");
    wire here("127.0.0.1", proxy_->port());
    ASSERT_TRUE(here.start(database_->name()));
    here.send(query("SELECT repeat('x', " + std::to_string(size) + ")"));
    EXPECT_TRUE(swallow(here, static_cast<std::size_t>(size)));
    EXPECT_LT(proxy_->process().memory("VmHWM"), before + bound_kb);
  }
}

TEST_F(memory, reader_that_does_not_read) {
  start();
  const long before = proxy_->process().memory("VmHWM");
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query("SELECT repeat('y', 20000) FROM generate_series(1, 10000)"));
  // PostgreSQL is seen waiting for its client, since pgteller has stopped reading.
  link admin = direct();
  EXPECT_TRUE(eventually([&] {
    return value(admin,
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND datname = "
                 "current_database()") == "1";
  }));
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + bound_kb);
  EXPECT_EQ(through().run("UPDATE wallets SET balance = 2 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_TRUE(swallow(here, 200'000'000));
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + bound_kb);
}

TEST_F(memory, server_that_does_not_read) {
  start();
  const long before = proxy_->process().memory("VmHWM");
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  // While the row is locked the server reads nothing; what the client pipelines has to wait outside.
  link holder = direct();
  ASSERT_TRUE(holder.run("BEGIN; UPDATE wallets SET balance = 2 WHERE id = 1").ok());
  here.send(query("UPDATE wallets SET balance = 3 WHERE id = 1"));
  const std::string large = query("SELECT '" + std::string(1'000'000, 'z') + "'");
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) here.send(large);
  });
  std::this_thread::sleep_for(std::chrono::seconds{1});
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + bound_kb);
  ASSERT_TRUE(holder.run("COMMIT").ok());
  EXPECT_GE(here.messages(201).size(), 201U);
  writer.join();
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + bound_kb);
}

}  // namespace
}  // namespace e2e
