#include "tests/race/guard.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

constexpr surroundings crowd{.clients = 32, .users = 32, .alone = true};

promise of(std::string_view by, std::string_view played, const surroundings& around = crowd) {
  return promised(*find_guard(by), *find_scenario(played), around);
}

TEST(promised, holds_every_scenario_safe_under_every_strategy) {
  for (const scenario& played : scenarios()) {
    for (const std::string_view by :
         {"pessimistic-on", "pessimistic-adaptive", "pessimistic-off", "optimistic", "escrow"}) {
      EXPECT_EQ(of(by, played.name).safe, !pooled(played)) << by << " " << played.name;
    }
  }
}

TEST(promised, needs_to_know_whose_read_a_write_rests_on) {
  for (const std::string strategy : {"pessimistic", "optimistic", "escrow"}) {
    EXPECT_TRUE(of(strategy + "-client", "pool").safe);
    EXPECT_TRUE(of(strategy + "-client", "pool-traced").safe);
    EXPECT_TRUE(of(strategy + "-trace", "pool-traced").safe);
    EXPECT_FALSE(of(strategy + "-trace", "pool").safe);
  }
}

TEST(promised, rules_conflicts_out_where_nobody_can_come_between) {
  for (const std::string_view by : {"pessimistic-on", "escrow"}) {
    EXPECT_TRUE(of(by, "autocommit-read-modify-write").no_conflicts) << by;
  }
  for (const std::string_view by : {"pessimistic-client", "escrow-client"}) {
    EXPECT_TRUE(of(by, "pool").no_conflicts) << by;
  }
  for (const std::string_view by : {"pessimistic-adaptive", "pessimistic-off", "optimistic"}) {
    EXPECT_FALSE(of(by, "autocommit-read-modify-write").no_conflicts) << by;
  }
  // A turn is begun by key.
  EXPECT_FALSE(of("pessimistic-on", "read-by-another-key").no_conflicts);
  EXPECT_TRUE(of("escrow", "read-by-another-key").no_conflicts);
}

TEST(promised, allows_conflicts_with_others) {
  const surroundings among_others{.clients = 32, .users = 32, .alone = false};
  EXPECT_TRUE(of("escrow", "autocommit-read-modify-write", among_others).safe);
  EXPECT_FALSE(of("escrow", "autocommit-read-modify-write", among_others).no_conflicts);
  // Sessions that look like one client's may have read for one another.
  const surroundings one_client{.clients = 32, .users = 1, .alone = true};
  EXPECT_FALSE(of("escrow", "autocommit-read-modify-write", one_client).no_conflicts);
  EXPECT_TRUE(of("pessimistic-on", "autocommit-read-modify-write", one_client).no_conflicts);
}

TEST(promised, limits_deadlocks_of_a_few_clients) {
  const surroundings few{.clients = 8, .users = 8, .alone = true};
  EXPECT_EQ(of("pessimistic-on", hot_transfer, few).fewer_deadlocks, 2);
  EXPECT_EQ(of("pessimistic-adaptive", hot_transfer, few).fewer_deadlocks, 5);
  EXPECT_EQ(of("pessimistic-off", hot_transfer, few).fewer_deadlocks, 0);
  EXPECT_EQ(of("pessimistic-on", "transfer", few).fewer_deadlocks, 0);
  EXPECT_EQ(of("pessimistic-on", hot_transfer).fewer_deadlocks, 0);
}

TEST(rules_text, says_what_the_guard_is) {
  const std::string text = rules_text(*find_guard("pessimistic-on"));
  EXPECT_NE(
      text.find("table = \"wallets\"\ncolumns = [\"balance\"]\nstrategy = \"pessimistic\"\nturns = \"on\"\n"
                "correlate = \"session\"\nlock_timeout = \"20s\"\nturn_timeout = \"5s\"\nmin = 0\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("[[once]]"), std::string::npos);
  EXPECT_EQ(rules_text(*find_guard("optimistic")).find("turns"), std::string::npos);
  EXPECT_EQ(rules_text(*find_guard("no-rule")).find("wallets"), std::string::npos);
}

TEST(find_guard, knows_its_names) {
  EXPECT_EQ(find_guard("careless"), nullptr);
  EXPECT_EQ(find_scenario("careless"), nullptr);
}

}  // namespace
}  // namespace race
