#include "proxy/ops/books.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/ops/live_database.hpp"

namespace proxy::ops {
namespace {

rules::rule_set wallet_rule() {
  rules::rule_set set;
  auto& rule = set.rules.emplace_back();
  rule.name = "wallet-balance";
  rule.table = "wallets";
  rule.columns = {"balance"};
  rule.min = "0";
  return set;
}

TEST(books, concerns_only_whom_a_rule_names) {
  auto rules = wallet_rule();
  rules.rules[0].databases = {"shop"};
  rules.rules[0].users = {"app", "both"};
  rules.rules[0].except_users = {"both"};
  catalog_source source({.host = "127.0.0.1", .port = 1}, {"user=x"}, rules, {});
  books all(source, false);
  EXPECT_TRUE(all.concerns("shop", "app"));
  EXPECT_FALSE(all.concerns("shop", "both"));
  EXPECT_FALSE(all.concerns("shop", "other"));
  EXPECT_FALSE(all.concerns("elsewhere", "app"));
  const auto before = all.generation();
  all.set_rules(wallet_rule(), false);
  EXPECT_GT(all.generation(), before);
  EXPECT_TRUE(all.concerns("elsewhere", "other"));
  all.set_rules({}, false);
  EXPECT_FALSE(all.concerns("shop", "app"));
}

TEST(books, asks_for_a_catalog_that_is_unknown) {
  catalog_source source({.host = "127.0.0.1", .port = 1}, {"user=x"}, wallet_rule(), {});
  books all(source, false);
  EXPECT_EQ(all.get("shop", "app"), nullptr);
  ASSERT_EQ(source.report().size(), 1U);
  EXPECT_EQ(source.report()[0].database, "shop");
}

class live_books : public testing::Test {
 protected:
  void SetUp() override {
    if (!live_database::available()) GTEST_SKIP() << "PGTELLER_TEST_CONNINFO is not set";
    database = std::make_unique<live_database>();
    database->run("CREATE TABLE wallets (id int PRIMARY KEY, balance numeric(12,2))");
    source = std::make_unique<catalog_source>(database->upstream(), live_database::as("pgteller"),
                                              wallet_rule(), std::function<void()>{});
    all = std::make_unique<books>(*source, false);
  }

  std::shared_ptr<const rules::rule_book> arrived() {
    std::shared_ptr<const rules::rule_book> book;
    EXPECT_TRUE(eventually([&] { return (book = all->get(database->name(), "postgres")) != nullptr; }));
    return book;
  }

  std::unique_ptr<live_database> database;
  std::unique_ptr<catalog_source> source;
  std::unique_ptr<books> all;
};

TEST_F(live_books, are_compiled_once_and_shared) {
  const auto book = arrived();
  ASSERT_NE(book, nullptr);
  EXPECT_TRUE(book->may_touch("UPDATE wallets SET balance = 1"));
  EXPECT_EQ(all->get(database->name(), "postgres"), book);
  EXPECT_NE(all->get(database->name(), "pgteller"), book);
}

TEST_F(live_books, are_compiled_anew_after_ddl) {
  const auto book = arrived();
  const auto generation = all->generation();
  database->run("ALTER TABLE wallets ALTER balance TYPE bigint");
  source->invalidate(database->name());
  EXPECT_TRUE(eventually([&] { return all->generation() != generation; }));
  EXPECT_NE(all->get(database->name(), "postgres"), book);
}

TEST_F(live_books, follow_a_reload_without_a_gap) {
  const auto book = arrived();
  auto rules = wallet_rule();
  rules.rules[0].name = "renamed";
  all->set_rules(rules, false);
  EXPECT_NE(all->get(database->name(), "postgres"), nullptr);
  EXPECT_TRUE(
      eventually([&] { return all->get(database->name(), "postgres")->rules().at(0).name == "renamed"; }));
  EXPECT_EQ(book->rules().at(0).name, "wallet-balance");
}

TEST_F(live_books, follow_log_values) {
  const auto book = arrived();
  const auto generation = all->generation();
  all->set_rules(wallet_rule(), true);
  EXPECT_NE(all->generation(), generation);
  EXPECT_NE(all->get(database->name(), "postgres"), book);
}

TEST_F(live_books, serve_many_threads) {
  static_cast<void>(arrived());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_NE(all->get(database->name(), "user" + std::to_string((t + i) % 7)), nullptr);
        static_cast<void>(all->generation());
        if (i % 50 == 0) source->refresh(database->name());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace proxy::ops
