#include "proxy/session/statement_cache.hpp"

#include <gtest/gtest.h>

#include "proxy/session/limits.hpp"

namespace {

using proxy::session::cache_mark;
using proxy::session::statement_cache;
using outcome = statement_cache::outcome;
namespace limits = proxy::session::limits;

constexpr cache_mark prepares{.renames = true, .prepares = true};
constexpr cache_mark renames{.renames = true};

/// Prepared and confirmed in one batch.
statement_cache::statement keep(statement_cache& cache, std::string_view text, std::uint64_t batch = 1) {
  auto made = cache.add(text, batch);
  EXPECT_TRUE(cache.unnamed_becomes(made, batch));
  cache.settle(prepares, outcome::done);
  return made;
}

TEST(statement_cache, a_text_is_worth_a_name_when_it_comes_again) {
  statement_cache cache(2);
  EXPECT_FALSE(cache.comes_again("SELECT 1"));
  EXPECT_FALSE(cache.comes_again("SELECT 2"));
  EXPECT_TRUE(cache.comes_again("SELECT 1"));
  const std::string large(limits::kept_statement_bytes + 1, 'x');
  EXPECT_FALSE(cache.comes_again(large));
  EXPECT_FALSE(cache.comes_again(large));
}

TEST(statement_cache, a_name_counts_in_its_batch_at_once_and_later_when_confirmed) {
  statement_cache cache(2);
  const auto made = cache.add("a", 1);
  EXPECT_EQ(cache.find("a", 1), made);
  EXPECT_EQ(cache.find("a", 2), nullptr);
  EXPECT_FALSE(cache.comes_again("a"));
  EXPECT_TRUE(cache.unnamed_becomes(made, 1));
  EXPECT_FALSE(cache.unnamed(2).certain);
  cache.settle(prepares, outcome::done);
  EXPECT_EQ(cache.find("a", 2), made);
  EXPECT_EQ(cache.unnamed(2).value, made);
  EXPECT_TRUE(cache.unnamed(2).certain);
}

TEST(statement_cache, what_failed_or_was_skipped_has_no_name) {
  statement_cache cache(3);
  const auto kept = keep(cache, "kept");
  for (const auto how : {outcome::skipped, outcome::failed}) {
    EXPECT_TRUE(cache.unnamed_becomes(cache.add("gone", 2), 2));
    cache.settle(prepares, how);
    EXPECT_EQ(cache.find("gone", 2), nullptr);
    EXPECT_EQ(cache.unnamed(3).value, how == outcome::skipped ? kept : nullptr);
  }
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_TRUE(cache.take_closes().empty());
}

TEST(statement_cache, the_least_recently_used_makes_room_and_its_name_is_freed) {
  statement_cache cache(2);
  const auto first = keep(cache, "a");
  keep(cache, "b");
  EXPECT_EQ(cache.find("a", 5), first);
  keep(cache, "c");
  EXPECT_EQ(cache.find("b", 5), nullptr);
  EXPECT_EQ(cache.take_closes(), std::vector<std::string>{"_pgteller_s2"});
  cache.settle({.frees = true}, outcome::skipped);
  EXPECT_EQ(cache.take_closes(), std::vector<std::string>{"_pgteller_s2"});
  cache.settle({.frees = true}, outcome::done);
  EXPECT_TRUE(cache.take_closes().empty());
}

TEST(statement_cache, texts_are_bounded_in_total) {
  statement_cache cache(10'000);
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    for (char next = 'a'; next <= 'z'; ++next) {
      keep(cache, std::string(limits::kept_statement_bytes - 1, letter) + next);
      EXPECT_LE(cache.bytes(), limits::kept_statements_bytes);
      EXPECT_LE(cache.take_closes().size(), 1U);
    }
  }
  EXPECT_EQ(cache.size(), limits::kept_statements_bytes / limits::kept_statement_bytes);
}

TEST(statement_cache, names_are_not_used_again_and_freed_a_few_at_a_time) {
  statement_cache cache(100);
  for (int i = 0; i < 40; ++i) keep(cache, std::to_string(i));
  cache.shut();
  EXPECT_TRUE(cache.is_shut());
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_FALSE(cache.comes_again("x"));
  EXPECT_FALSE(cache.comes_again("x"));
  cache.open();
  EXPECT_EQ(keep(cache, "x")->name, "_pgteller_s41");
  EXPECT_EQ(cache.take_closes().size(), limits::closes_at_once);
}

TEST(statement_cache, the_unnamed_statement_outlives_its_text) {
  statement_cache cache(1);
  const auto kept = keep(cache, "a");
  cache.forget();
  EXPECT_EQ(cache.unnamed(2).value, kept);
  EXPECT_TRUE(cache.unnamed_becomes(nullptr, 2));
  EXPECT_EQ(cache.unnamed(2).value, nullptr);
  EXPECT_FALSE(cache.unnamed(3).certain);
  cache.settle(renames, outcome::done);
  EXPECT_TRUE(cache.unnamed(3).certain);
  EXPECT_FALSE(cache.unnamed_becomes(nullptr, 3));
}

TEST(statement_cache, one_statement_is_forgotten) {
  statement_cache cache(3);
  const auto kept = keep(cache, "a");
  keep(cache, "b");
  cache.forget(kept->number);
  cache.forget(kept->number);
  cache.forget(0);
  EXPECT_EQ(cache.find("a", 2), nullptr);
  EXPECT_NE(cache.find("b", 2), nullptr);
  EXPECT_EQ(cache.take_closes(), std::vector<std::string>{kept->name});
}

TEST(statement_cache, what_tells_more_at_its_parse_is_not_kept) {
  for (const auto how : {outcome::done, outcome::failed, outcome::skipped}) {
    statement_cache cache(1);
    const auto made = cache.add("a", 1);
    EXPECT_TRUE(cache.unnamed_becomes(made, 1));
    cache.forget_oldest_parse();
    cache.forget_oldest_parse();
    EXPECT_EQ(cache.find("a", 1), nullptr);
    cache.settle(prepares, how);
    EXPECT_EQ(cache.unnamed(2).value, how == outcome::done ? made : nullptr);
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(cache.take_closes(), std::vector<std::string>{made->name});
  }
}

TEST(statement_cache, what_is_unknown_stays_so_when_a_parse_fails) {
  statement_cache cache(1);
  EXPECT_TRUE(cache.unnamed_becomes(cache.unknown(), 1));
  cache.settle(renames, outcome::done);
  EXPECT_TRUE(cache.unnamed_becomes(nullptr, 2));
  cache.settle(renames, outcome::failed);
  EXPECT_EQ(cache.unnamed(3).value, cache.unknown());
}

/// A COPY reads what stands behind it while its own query is still to be settled.
TEST(statement_cache, a_later_change_may_be_dropped_first) {
  statement_cache cache(1);
  const auto kept = keep(cache, "a");
  EXPECT_TRUE(cache.unnamed_becomes(nullptr, 2));
  EXPECT_TRUE(cache.unnamed_becomes(kept, 2));
  cache.settle(renames, outcome::skipped, 1);
  cache.settle(renames, outcome::done);
  EXPECT_EQ(cache.unnamed(3).value, nullptr);
}

}  // namespace
