#include "tests/race/tally.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

using std::chrono::microseconds;

attempt with(verdict how, std::vector<entry> entries) {
  return {how, "", std::move(entries), false};
}

TEST(tally, keeps_what_is_sure_apart_from_what_is_not) {
  tally known;
  known.settle(1, with(verdict::acknowledged, {{1, -500}, {2, 500}}), microseconds(10));
  known.settle(2, with(verdict::unknown, {{1, -300}, {2, 300}}), microseconds(10));
  known.settle(3, with(verdict::failed, {}), microseconds(10));
  known.settle(4, with(verdict::declined, {}), microseconds(10));
  EXPECT_EQ(known.wallets[1].sure, -500);
  EXPECT_EQ(known.wallets[1].perhaps_out, -300);
  EXPECT_EQ(known.wallets[2].perhaps_in, 300);
  EXPECT_EQ(known.wallets[2].perhaps_out, 0);
  EXPECT_EQ(known.durations.size(), 1U);
  EXPECT_EQ(known.unknown_operations, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(known.failed + known.declined, 2U);
}

TEST(tally, adds_up) {
  tally all;
  for (int client = 0; client < 3; ++client) {
    tally one;
    one.settle(client, with(verdict::acknowledged, {{1, 100}}), microseconds(client));
    one.count_error({verdict::failed, "40P01", {}, false});
    all.add(std::move(one));
  }
  EXPECT_EQ(all.acknowledged, 3U);
  EXPECT_EQ(all.wallets[1].sure, 300);
  EXPECT_EQ(all.errors["40P01"], 3U);
}

TEST(tally, counts_every_attempt) {
  tally known;
  known.settle(1, with(verdict::acknowledged, {}), microseconds(10));
  known.settle(2, with(verdict::failed, {}), microseconds(10));
  known.retries = 3;
  EXPECT_EQ(known.attempts(), 5U);
}

TEST(percentile, is_a_value_that_was_measured) {
  std::vector<microseconds> none;
  EXPECT_EQ(percentile(none, 0.5).count(), 0);
  std::vector<microseconds> some = {microseconds(30), microseconds(10), microseconds(20), microseconds(40)};
  EXPECT_EQ(percentile(some, 0.5).count(), 20);
  EXPECT_EQ(percentile(some, 0.95).count(), 40);
  EXPECT_EQ(percentile(some, 0).count(), 10);
}

}  // namespace
}  // namespace race
