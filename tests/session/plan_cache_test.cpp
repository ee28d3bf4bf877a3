#include "proxy/session/plan_cache.hpp"

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

}  // namespace
