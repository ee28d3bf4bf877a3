// libpg_query keeps state per thread and per process; a rule_book is shared by all of them.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/rules/fixtures.hpp"

namespace rules {
namespace {

TEST(threads, plan_alike_whoever_asks) {
  const auto book = testing::book_of("bounds");
  const std::vector<std::string> statements{"SELECT balance FROM wallets WHERE id = $1",
                                            "UPDATE wallets SET balance = balance - 1 WHERE user_id = 2",
                                            "SELECT balance FROM wallets WHERE", "COPY wallets FROM STDIN"};
  std::vector<std::string> expected;
  for (const auto& sql : statements)
    expected.push_back(to_text(book->analyse(sql, {})->statements.at(0).in_block));

  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (std::size_t i = 0; i < statements.size(); ++i) {
          if (to_text(book->analyse(statements[i], {})->statements.at(0).in_block) != expected[i]) ++wrong;
        }
      }
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(wrong.load(), 0);
}

// Threads that end must leave nothing behind (the leak checker looks).
TEST(threads, come_and_go) {
  const auto book = testing::book_of("plain");
  for (int i = 0; i < 50; ++i) {
    std::thread{[&] { (void)book->analyse("SELECT balance FROM wallets WHERE id = 1", {}); }}.join();
  }
}

}  // namespace
}  // namespace rules
