#include "proxy/session/plan_cache.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/session/limits.hpp"
#include "tests/session/stage.hpp"

namespace {

using proxy::session::plan_cache;

constexpr std::string_view update = "UPDATE wallets SET balance = 1 WHERE id = 1";

TEST(plan_cache, does_not_look_at_what_cannot_touch_a_guarded_table) {
  plan_cache cache;
  const auto answer = cache.look_up(stage::book(), "SELECT 1", {});
  EXPECT_FALSE(answer.looked_up);
  EXPECT_EQ(answer.analysed, nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(plan_cache, remembers_by_text) {
  plan_cache cache;
  const auto first = cache.look_up(stage::book(), update, {});
  const auto second = cache.look_up(stage::book(), std::string(update), {});
  EXPECT_FALSE(first.hit);
  EXPECT_TRUE(second.hit);
  EXPECT_EQ(first.analysed, second.analysed);
}

TEST(plan_cache, settings_that_change_the_meaning_are_part_of_the_key) {
  plan_cache cache;
  static_cast<void>(cache.look_up(stage::book(), update, {}));
  const auto other = cache.look_up(stage::book(), update,
                                   {.standard_conforming_strings = false, .ascii_safe_encoding = true});
  EXPECT_FALSE(other.hit);
}

TEST(plan_cache, a_new_book_is_asked_anew) {
  plan_cache cache;
  static_cast<void>(cache.look_up(stage::book(), update, {}));
  const auto other =
      rules::rule_book::compile(*stage::rule_set(), rules::assumed_catalog(*stage::rule_set()), "app", false);
  EXPECT_FALSE(cache.look_up(other, update, {}).hit);
}

TEST(plan_cache, a_flood_of_texts_does_not_grow_it) {
  plan_cache cache;
  for (std::size_t i = 0; i < proxy::session::limits::cached_plans + 100; ++i) {
    static_cast<void>(cache.look_up(stage::book(), "TRUNCATE wallets -- " + std::to_string(i), {}));
  }
  EXPECT_EQ(cache.size(), proxy::session::limits::cached_plans);
  EXPECT_TRUE(cache.look_up(stage::book(), "TRUNCATE wallets -- 10050", {}).hit);
  EXPECT_FALSE(cache.look_up(stage::book(), "TRUNCATE wallets -- 1", {}).hit);
}

std::string read_of(std::size_t id) {
  return "SELECT balance FROM wallets WHERE id = " + std::to_string(id);
}

TEST(plan_cache, knows_a_text_by_another_with_other_literals) {
  plan_cache cache;
  EXPECT_FALSE(cache.look_up(stage::book(), read_of(1), {}).hit);
  EXPECT_EQ(cache.lifted().size(), 0U);
  EXPECT_FALSE(cache.look_up(stage::book(), read_of(22), {}).hit);
  EXPECT_EQ(cache.lifted().size(), 1U);
  const auto third = cache.look_up(stage::book(), read_of(333), {});
  EXPECT_TRUE(third.hit);
  EXPECT_EQ(*third.analysed, *stage::book()->analyse(read_of(333), {}));
  EXPECT_EQ(cache.size(), 2U);
}

TEST(plan_cache, what_is_held_stays_as_it_is) {
  plan_cache cache;
  for (std::size_t i = 1; i <= 2; ++i) static_cast<void>(cache.look_up(stage::book(), read_of(i), {}));
  std::vector<proxy::session::analysis_ptr> held;
  for (std::size_t i = 0; i < 200; ++i) {
    held.push_back(cache.look_up(stage::book(), read_of(1000 + i), {}).analysed);
    static_cast<void>(cache.look_up(stage::book(), read_of(5000 + i), {}));
  }
  for (std::size_t i = 0; i < held.size(); ++i)
    EXPECT_EQ(*held[i], *stage::book()->analyse(read_of(1000 + i), {}));
}

TEST(plan_cache, settings_and_book_are_part_of_a_shape) {
  plan_cache cache;
  for (std::size_t i = 1; i <= 2; ++i) static_cast<void>(cache.look_up(stage::book(), read_of(i), {}));
  EXPECT_TRUE(cache.look_up(stage::book(), read_of(3), {}).hit);
  EXPECT_FALSE(cache.look_up(stage::book(), read_of(4), {.standard_conforming_strings = false}).hit);
  const auto other =
      rules::rule_book::compile(*stage::rule_set(), rules::assumed_catalog(*stage::rule_set()), "app", false);
  EXPECT_FALSE(cache.look_up(other, read_of(5), {}).hit);
}

// A number of decimals decides nothing here, but that is not known.
TEST(plan_cache, a_literal_that_may_decide_something_is_part_of_the_shape) {
  plan_cache cache;
  const auto rounded = [](std::size_t id, std::size_t places) {
    return "UPDATE wallets SET balance = round(balance, " + std::to_string(places) +
           ") WHERE id = " + std::to_string(id);
  };
  static_cast<void>(cache.look_up(stage::book(), rounded(1, 2), {}));
  static_cast<void>(cache.look_up(stage::book(), rounded(2, 2), {}));
  EXPECT_TRUE(cache.look_up(stage::book(), rounded(3, 2), {}).hit);
  EXPECT_FALSE(cache.look_up(stage::book(), rounded(4, 3), {}).hit);
}

TEST(plan_cache, a_shape_that_cannot_be_lifted_is_analysed_by_text) {
  plan_cache cache;
  const auto truncate = [](std::size_t memory) {
    return "SET work_mem = " + std::to_string(memory) + "; TRUNCATE wallets";
  };
  for (std::size_t i = 1; i <= 5; ++i) EXPECT_FALSE(cache.look_up(stage::book(), truncate(i), {}).hit);
  EXPECT_TRUE(cache.look_up(stage::book(), truncate(3), {}).hit);
  EXPECT_EQ(cache.lifted().size(), 1U);
}

TEST(plan_cache, a_flood_of_literals_neither_grows_it_nor_drives_out_texts) {
  plan_cache cache;
  static_cast<void>(cache.look_up(stage::book(), update, {}));
  for (std::size_t i = 0; i < 3 * proxy::session::limits::cached_plans; ++i)
    static_cast<void>(cache.look_up(stage::book(), read_of(i), {}));
  EXPECT_LE(cache.size(), 5U);
  EXPECT_EQ(cache.lifted().size(), 1U);
  EXPECT_LE(cache.lifted().bytes(), 64U << 10U);
  EXPECT_TRUE(cache.look_up(stage::book(), update, {}).hit);
}

TEST(plan_cache, shapes_that_come_once_are_not_remembered) {
  plan_cache cache;
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto shape = "SELECT balance AS a" + std::to_string(i) + " FROM wallets WHERE id = 1";
    static_cast<void>(cache.look_up(stage::book(), shape, {}));
  }
  EXPECT_EQ(cache.lifted().size(), 0U);
}

TEST(plan_cache, a_flood_of_shapes_does_not_grow_it) {
  plan_cache cache;
  const auto shape = [](std::size_t i, std::size_t id) {
    return "SELECT balance AS a" + std::to_string(i) + " FROM wallets WHERE id = " + std::to_string(id);
  };
  const std::size_t most = proxy::session::limits::lifted_shapes;
  for (std::size_t i = 0; i < most + 100; ++i) {
    static_cast<void>(cache.look_up(stage::book(), shape(i, 1), {}));
    static_cast<void>(cache.look_up(stage::book(), shape(i, 2), {}));
  }
  EXPECT_EQ(cache.lifted().size(), most);
  EXPECT_LE(cache.lifted().bytes(), proxy::session::limits::lifted_bytes);
  EXPECT_TRUE(cache.look_up(stage::book(), shape(most, 3), {}).hit);
  EXPECT_FALSE(cache.look_up(stage::book(), shape(1, 3), {}).hit);
}

}  // namespace
