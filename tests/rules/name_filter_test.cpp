#include "rules/name_filter.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "rules/rule_book.hpp"
#include "tests/rules/fixtures.hpp"

namespace rules {
namespace {

TEST(name_filter, finds_names_in_any_case_and_place) {
  const name_filter filter{{"wallets", "Stock Items", "a\"b"}};
  EXPECT_TRUE(filter.may_name("wallets"));
  EXPECT_TRUE(filter.may_name("SELECT * FROM WaLLeTs"));
  EXPECT_TRUE(filter.may_name("select 1 from \"Stock Items\""));
  EXPECT_TRUE(filter.may_name("select 1 from \"a\"\"b\""));
  EXPECT_TRUE(filter.may_name("SELECT * FROM U&\"w\\0061llets\""));
  EXPECT_TRUE(filter.may_name("SELECT * FROM u&\"x\""));
  EXPECT_FALSE(filter.may_name("SELECT u & \"x\" FROM t"));
  EXPECT_FALSE(filter.may_name("SELECT * FROM wallet"));
  EXPECT_FALSE(filter.may_name(""));
  EXPECT_FALSE(filter.may_name("w"));
}

TEST(name_filter, of_nothing_finds_nothing) {
  EXPECT_FALSE(name_filter{}.may_name("SELECT * FROM U&\"wallets\""));
  EXPECT_FALSE(name_filter{std::vector<std::string>{}}.may_name("anything"));
}

TEST(name_filter, takes_short_names_and_names_outside_ascii) {
  EXPECT_TRUE(name_filter{{"t"}}.may_name("SELECT * FROM T"));
  EXPECT_FALSE(name_filter{{"ab"}}.may_name("a b"));
  EXPECT_TRUE(name_filter{{"\xC3\xA9"}}.may_name("SELECT 1"));
  EXPECT_TRUE((name_filter{{"caf\xC3\xA9"}}.may_name("SELECT * FROM CAF\xE9")));
  EXPECT_FALSE((name_filter{{"caf\xC3\xA9"}}.may_name("SELECT * FROM tea")));
}

TEST(name_filter, never_misses_a_name_that_is_there) {
  EXPECT_TRUE(rc::check([] {
    const auto word = rc::gen::nonEmpty(rc::gen::string<std::string>());
    const auto names = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(word));
    const auto chosen = *rc::gen::elementOf(names);
    std::string spelled;
    for (const char c : chosen) spelled += c == '"' ? std::string{"\"\""} : std::string{c};
    const auto before = *rc::gen::string<std::string>();
    const auto after = *rc::gen::string<std::string>();
    RC_ASSERT(name_filter{names}.may_name(before + spelled + after));
  }));
}

TEST(may_touch, before_the_catalog_is_known_goes_by_the_rules_alone) {
  auto configured = testing::situation("plain");
  EXPECT_TRUE(may_touch(configured, "shop", "app", "select * from WALLETS"));
  EXPECT_TRUE(may_touch(configured, "shop", "app", "select * from U&\"x\""));
  EXPECT_FALSE(may_touch(configured, "shop", "app", "select 1"));
  configured.rules[0].databases = {"other"};
  EXPECT_FALSE(may_touch(configured, "shop", "app", "select * from wallets"));
  configured.rules[0].databases = {};
  configured.rules[0].except_users = {"app"};
  EXPECT_FALSE(may_touch(configured, "shop", "app", "select * from wallets"));
  EXPECT_TRUE(may_touch(configured, "shop", "ann", "select * from wallets"));
}

// Not a benchmark: only that nobody makes it quadratic or allocating. The figure is printed for the record.
TEST(may_touch, is_fast) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("table_number_" + std::to_string(i));
  const name_filter filter{names};
  const std::string sql =
      "SELECT abalance, bid, filler FROM pgbench_accounts WHERE aid = $1 AND bid = $2 ORDER BY aid LIMIT 5";
  constexpr int rounds = 20000;
  int hits = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) hits += filter.may_name(sql) ? 1 : 0;
  const auto spent = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(hits, 0);
  const auto each = std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count() / rounds;
  RecordProperty("nanoseconds", static_cast<int>(each));
  EXPECT_LT(each, 20000);
}

}  // namespace
}  // namespace rules
