#include "proxy/ops/catalog_source.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/ops/live_database.hpp"

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;

rules::rule_set guarding(const std::string& table) {
  rules::rule_set set;
  auto& rule = set.rules.emplace_back();
  rule.name = "r";
  rule.table = table;
  rule.columns = {"balance"};
  return set;
}

class live_source : public testing::Test {
 protected:
  void SetUp() override {
    if (!live_database::available()) GTEST_SKIP() << "PGTELLER_TEST_CONNINFO is not set";
    database = std::make_unique<live_database>();
    database->run(
        "CREATE TABLE wallets (id int PRIMARY KEY, balance int); CREATE TABLE items (id int PRIMARY KEY)");
    start(guarding("wallets"));
  }

  void start(rules::rule_set rules) {
    source = std::make_unique<catalog_source>(database->upstream(), live_database::as("pgteller"),
                                              std::move(rules), [this] { ++changes; });
  }

  void become_known() {
    source->want(database->name());
    ASSERT_TRUE(eventually([this] { return source->find(database->name()) != nullptr; }));
  }

  std::unique_ptr<live_database> database;
  std::atomic<int> changes{0};
  std::unique_ptr<catalog_source> source;
};

TEST_F(live_source, knows_what_is_wanted_and_nothing_else) {
  EXPECT_EQ(source->find(database->name()), nullptr);
  EXPECT_TRUE(source->report().empty());
  const auto before = source->generation();
  become_known();
  EXPECT_EQ(source->find(database->name())->tables.at(0).name, "wallets");
  EXPECT_GT(source->generation(), before);
  EXPECT_TRUE(eventually([this] { return changes == 1; }));
  const auto report = source->report();
  ASSERT_EQ(report.size(), 1U);
  EXPECT_TRUE(report[0].known);
  EXPECT_EQ(report[0].last_error, "");
  EXPECT_LT(report[0].age_seconds, 60);
}

TEST_F(live_source, leaves_no_connection_behind) {
  become_known();
  const auto count =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgteller' AND datname = '" +
      database->name() + "'";
  EXPECT_TRUE(eventually([&] { return database->run_outside(count) == "0"; }));
  EXPECT_TRUE(eventually([this] { return database->drop(); }));
}

TEST_F(live_source, rereads_after_ddl) {
  become_known();
  const auto old = source->find(database->name());
  const auto generation = source->generation();
  database->run("ALTER TABLE wallets ADD COLUMN balance2 int");
  source->invalidate(database->name());
  EXPECT_NE(source->find(database->name()), nullptr);
  EXPECT_TRUE(eventually([&] { return source->find(database->name())->tables.at(0).columns.size() == 3; }));
  EXPECT_EQ(old->tables.at(0).columns.size(), 2U);  // whoever holds the old one keeps it
  EXPECT_GT(source->generation(), generation);
}

/// Whoever waits is served by a read that has begun since, however often others invalidate meanwhile.
TEST_F(live_source, steady_ddl_starves_nobody) {
  become_known();
  const auto invalidated = [this] { return source->find_known(database->name()).invalidated; };
  std::atomic<bool> done{false};
  std::thread others([&] {
    while (!done) {
      source->invalidate(database->name());
      std::this_thread::sleep_for(100us);
    }
  });
  for (int i = 0; i < 5; ++i) {
    source->invalidate(database->name());
    const auto since = invalidated();
    EXPECT_TRUE(eventually([&] { return source->find_known(database->name()).shows(since); }));
  }
  const auto last = [&] {
    done = true;
    others.join();
    return invalidated();
  }();
  EXPECT_TRUE(eventually([&] { return source->find_known(database->name()).shows(last); }));
}

TEST_F(live_source, a_burst_of_ddl_is_one_or_two_reads) {
  become_known();
  for (int i = 0; i < 1000; ++i) source->refresh(database->name());
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(changes, 1);  // nothing had changed, so nobody was told
}

TEST_F(live_source, new_rules_come_with_their_catalog) {
  become_known();
  const auto before = source->find_known(database->name());
  EXPECT_EQ(before.rules->rules.at(0).table, "wallets");
  source->set_rules(guarding("items"));
  EXPECT_EQ(source->rules()->rules.at(0).table, "items");
  EXPECT_TRUE(eventually([this] { return source->find_known(database->name()).rules == source->rules(); }));
  EXPECT_EQ(source->find(database->name())->tables.at(0).name, "items");
  // Never the new rules with the old catalog.
  EXPECT_EQ(before.catalog->tables.at(0).name, "wallets");
}

TEST_F(live_source, waits_for_a_database_to_appear) {
  const std::string later = database->name() + "_later";
  source->want(later);
  EXPECT_TRUE(eventually([this] { return !source->report().empty() && source->report()[0].missing; }));
  EXPECT_EQ(source->find(later), nullptr);
  database->run_outside("CREATE DATABASE " + later);
  EXPECT_TRUE(eventually([&] { return source->find(later) != nullptr; }));
  source.reset();
  database->run_outside("DROP DATABASE " + later);
}

TEST_F(live_source, keeps_the_old_catalog_while_reading_fails) {
  become_known();
  EXPECT_TRUE(eventually([this] { return database->drop(); }));
  source->invalidate(database->name());
  EXPECT_TRUE(eventually([this] { return !source->report()[0].last_error.empty(); }));
  EXPECT_TRUE(source->report()[0].known);
  EXPECT_NE(source->find(database->name()), nullptr);
}

TEST_F(live_source, serves_many_threads) {
  become_known();
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, &done, t] {
      while (!done) {
        source->want(database->name());
        const auto known = source->find_known(database->name());
        EXPECT_NE(known.catalog, nullptr);
        EXPECT_EQ(known.catalog->tables.at(0).name, known.rules->rules.at(0).table);
        if (t == 0) source->invalidate(database->name());
        static_cast<void>(source->report());
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    source->set_rules(guarding(i % 2 == 0 ? "items" : "wallets"));
    std::this_thread::sleep_for(30ms);
  }
  done = true;
  for (auto& thread : threads) thread.join();
}

TEST(catalog_source, reports_why_it_is_unknown) {
  catalog_source source({.host = "127.0.0.1", .port = 1}, {"user=x"}, guarding("wallets"), {});
  source.want("shop");
  source.want("shop");
  EXPECT_TRUE(eventually([&] { return !source.report().at(0).last_error.empty(); }));
  const auto report = source.report();
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].database, "shop");
  EXPECT_FALSE(report[0].known);
  EXPECT_FALSE(report[0].missing);
  EXPECT_NE(report[0].last_error.find("refused"), std::string::npos);
}

TEST(catalog_source, invalidating_the_unknown_does_nothing) {
  catalog_source source({.host = "127.0.0.1", .port = 1}, {"user=x"}, guarding("wallets"), {});
  source.invalidate("shop");
  EXPECT_TRUE(source.report().empty());
}

TEST(catalog_source, databases_are_bounded) {
  catalog_source source({.host = "127.0.0.1", .port = 1}, {"user=x"}, guarding("wallets"), {});
  for (int i = 0; i < 1000; ++i) source.want("d" + std::to_string(i));
  EXPECT_LE(source.report().size(), 256U);
}

}  // namespace
}  // namespace proxy::ops
