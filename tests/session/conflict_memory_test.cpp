#include "proxy/session/conflict_memory.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using proxy::session::conflict_memory;
using proxy::session::row_id;

class conflict_memory_test : public testing::Test {
 protected:
  conflict_memory seen{10s};
  proxy::session::clock::time_point now{1h};
};

TEST_F(conflict_memory_test, a_conflict_is_remembered_for_its_time) {
  EXPECT_FALSE(seen.recent("a", now));
  seen.mark("a", now);
  EXPECT_TRUE(seen.recent("a", now + 10s));
  EXPECT_FALSE(seen.recent("a", now + 10001ms));
}

TEST_F(conflict_memory_test, rows_are_bounded_and_old_ones_go_away_by_themselves) {
  for (std::size_t i = 0; i < conflict_memory::most_rows + 500; ++i) seen.mark("r" + std::to_string(i), now);
  EXPECT_EQ(seen.rows(), conflict_memory::most_rows);
  EXPECT_FALSE(seen.recent("r0", now));
  now += 11s;
  for (int i = 0; i < 3000; ++i) seen.mark("x", now);
  EXPECT_EQ(seen.rows(), 1U);
}

TEST_F(conflict_memory_test, a_group_lasts_while_any_member_is_in_conflict) {
  seen.met({"a", "b"}, now);
  const auto group = seen.group_of("a", now);
  EXPECT_NE(group, 0U);
  for (int i = 0; i < 10; ++i) {
    now += 9s;
    seen.mark("a", now);
  }
  EXPECT_EQ(seen.group_of("b", now), group);
  EXPECT_TRUE(seen.recent("b", now));
  now += 10001ms;
  seen.mark("a", now);  // too late
  EXPECT_EQ(seen.group_of("a", now), 0U);
  EXPECT_EQ(seen.group_of("b", now), 0U);
  EXPECT_EQ(seen.groups(), 0U);
}

TEST_F(conflict_memory_test, one_row_alone_shares_nothing) {
  seen.met({"a", "a"}, now);
  EXPECT_EQ(seen.group_of("a", now), 0U);
  EXPECT_TRUE(seen.recent("a", now));
}

TEST_F(conflict_memory_test, groups_merge_as_far_as_there_is_room) {
  std::vector<row_id> many;
  for (std::size_t i = 0; i + 2 < conflict_memory::most_members; ++i) many.push_back("m" + std::to_string(i));
  seen.met(many, now);
  seen.met({"a", "b"}, now);
  seen.met({"c", "d"}, now);
  seen.met({"b", "m0"}, now);
  EXPECT_EQ(seen.group_of("a", now), seen.group_of("m1", now));
  seen.met({"c", "m0"}, now);
  EXPECT_NE(seen.group_of("c", now), seen.group_of("m0", now)) << "full";
  EXPECT_EQ(seen.group_of("c", now), seen.group_of("d", now));
  seen.met({"e", "m0"}, now);
  EXPECT_EQ(seen.group_of("e", now), 0U);
  EXPECT_EQ(seen.groups(), 2U);
}

TEST_F(conflict_memory_test, shapes_are_bounded) {
  seen.led_to_write(0);
  EXPECT_FALSE(seen.leads_to_write(0));
  for (std::uint64_t shape = 1; shape <= conflict_memory::most_shapes; ++shape) seen.led_to_write(shape);
  EXPECT_TRUE(seen.leads_to_write(1));
  seen.led_to_write(99'999);
  EXPECT_EQ(seen.shapes(), conflict_memory::most_shapes);
  EXPECT_TRUE(seen.leads_to_write(1));
  EXPECT_FALSE(seen.leads_to_write(2));
}

TEST_F(conflict_memory_test, random_use_stays_consistent) {
  std::mt19937 random(7);
  const auto row = [&] { return "r" + std::to_string(random() % 15'000); };
  for (int i = 0; i < 60'000; ++i) {
    now += std::chrono::milliseconds(random() % 2);
    switch (random() % 4) {
      case 0:
        seen.met({row(), row(), row()}, now);
        break;
      case 1:
        static_cast<void>(seen.recent(row(), now));
        break;
      default:
        seen.mark(row(), now);
    }
    ASSERT_LE(seen.rows(), conflict_memory::most_rows);
    ASSERT_LE(seen.groups() * 2, seen.rows());
  }
}

}  // namespace
