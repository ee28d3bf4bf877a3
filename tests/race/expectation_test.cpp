#include "tests/race/expectation.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

report seen(std::string_view played, cents lost, std::uint64_t conflicts, std::uint64_t deadlocks) {
  report one;
  one.scenario = find_scenario(played);
  one.known.acknowledged = 100 - conflicts - deadlocks;
  one.known.retries = conflicts + deadlocks;
  if (conflicts > 0) one.known.errors["40001"] = conflicts;
  if (deadlocks > 0) one.known.errors["40P01"] = deadlocks;
  one.audit.money_lost = lost;
  return one;
}

options with(const std::vector<std::string>& words) {
  const parsed_options parsed = parse_options(words);
  EXPECT_EQ(parsed.problem, "");
  return parsed.value;
}

using list = std::vector<std::string>;
constexpr std::string_view autocommit = "autocommit-read-modify-write";

TEST(broken_expectations, are_none_where_nothing_is_expected) {
  EXPECT_EQ(broken_expectations(seen(autocommit, 5, 1, 1), with({})), list{});
}

TEST(broken_expectations, are_about_the_books) {
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 0, 0), with({"--expect-safe"})), list{});
  EXPECT_EQ(broken_expectations(seen(autocommit, 5, 0, 0), with({"--expect-safe"})),
            (list{"autocommit-read-modify-write is not safe"}));
  EXPECT_EQ(broken_expectations(seen(autocommit, 5, 0, 0), with({"--expect-loss"})), list{});
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 0, 0), with({"--expect-loss"})).size(), 1U);
  report idle = seen(autocommit, 0, 0, 0);
  idle.known.acknowledged = 0;
  EXPECT_EQ(broken_expectations(idle, with({"--expect-safe"})).size(), 1U);
}

TEST(broken_expectations, are_about_errors) {
  const options chosen = with({"--forbid-sqlstate", "40001", "--forbid-sqlstate=55P03"});
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 3, 0), chosen),
            (list{"autocommit-read-modify-write met 40001 3 times"}));
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 0, 3), chosen), list{});
}

TEST(broken_expectations, are_about_the_share_of_deadlocks) {
  EXPECT_EQ(broken_expectations(seen(hot_transfer, 0, 0, 2), with({"--most-deadlocks", "2"})),
            (list{"transfer-hot deadlocked in 2.0 % of attempts, not in less than 2.0 %"}));
  EXPECT_EQ(broken_expectations(seen(hot_transfer, 0, 0, 1), with({"--most-deadlocks", "2"})), list{});
  EXPECT_EQ(broken_expectations(seen(hot_transfer, 0, 0, 1), with({"--most-deadlocks", "1"})), list{})
      << "the first to meet";
}

TEST(broken_expectations, are_what_a_guard_promises) {
  const list alone = {"--guard", "escrow", "--users", "32"};
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 0, 0), with(alone)), list{});
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 1, 0), with(alone)).size(), 1U);
  EXPECT_EQ(broken_expectations(seen(autocommit, 1, 0, 0), with(alone)).size(), 1U);
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 1, 0), with({"--guard", "optimistic"})), list{});
  list among_others = alone;
  among_others.insert(among_others.end(), {"--also", "127.0.0.1:7433"});
  EXPECT_EQ(broken_expectations(seen(autocommit, 0, 1, 0), with(among_others)), list{});
  EXPECT_EQ(broken_expectations(seen("pool", 5, 0, 0), with(alone)), list{});
  // Eight clients at most play this one, however many there are.
  EXPECT_EQ(
      broken_expectations(seen(hot_transfer, 0, 0, 5), with({"--guard", "pessimistic-adaptive"})).size(), 1U);
}

TEST(verdict_of, tells_kept_from_not_promised) {
  EXPECT_EQ(verdict_of(seen("pool", 5, 0, 0), with({"--guard", "escrow"})), "nothing promised");
  EXPECT_EQ(verdict_of(seen("pool", 5, 0, 0), with({"--guard", "escrow-client"})), "BROKEN");
  EXPECT_EQ(verdict_of(seen("pool", 0, 0, 0), with({"--guard", "escrow-client"})), "as expected");
  EXPECT_EQ(verdict_of(seen("pool", 5, 0, 0), with({"--expect-loss"})), "as expected");
}

}  // namespace
}  // namespace race
