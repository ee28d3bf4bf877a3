// What libpg_query's recursion needs of the stack, and that our estimate stops it in time.
#include "rules/nesting.hpp"

#include <string>

#include <gtest/gtest.h>
#include <pthread.h>

#include "rules/parse_tree.hpp"
#include "tests/rules/fixtures.hpp"

namespace rules {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::uint32_t nesting(std::string_view text) {
  const auto tokens = scan_all(text);
  return tokens ? nesting_of(text, *tokens) : 0;
}

// Texts whose syntax tree is about `depth` levels deep, each in another way.
std::vector<std::string> deep_texts(std::size_t depth) {
  return {
      "SELECT " + repeated("(", depth) + "1" + repeated(")", depth),
      "SELECT 1" + repeated("+1", depth),
      "SELECT " + repeated("- ", depth) + "x",
      "SELECT " + repeated("NOT ", depth) + "true",
      "SELECT 1" + repeated("::int", depth),
      "SELECT 1" + repeated(" UNION SELECT 1", depth),
      "SELECT * FROM a" + repeated(" JOIN b ON true", depth),
      "SELECT " + repeated("CASE WHEN true THEN ", depth) + "1" + repeated(" END", depth),
      "SELECT " + repeated("f(", depth) + repeated(")", depth),
      "SELECT " + repeated("(SELECT ", depth) + "1" + repeated(")", depth),
      "SELECT 1 FROM " + repeated("(SELECT 1 FROM ", depth) + "a" + repeated(") s", depth),
      "SELECT a" + repeated(" IS NULL", depth),
      "SELECT a" + repeated(" COLLATE \"C\"", depth),
      "SELECT a" + repeated(" AT TIME ZONE 'x'", depth),
      "SELECT a" + repeated(" OPERATOR(pg_catalog.+) b", depth),
      "SELECT " + repeated("ARRAY[", depth) + "1" + repeated("]", depth),
      "WITH a AS " + repeated("(WITH a AS ", depth) + "(SELECT 1) SELECT 1" + repeated(") SELECT 1", depth)};
}

TEST(nesting, counts_every_way_to_nest) {
  for (const auto& text : deep_texts(100)) EXPECT_GE(nesting(text), 100U) << text.substr(0, 60);
}

TEST(nesting, is_small_for_long_flat_texts) {
  EXPECT_LT(nesting("INSERT INTO t VALUES " + repeated("(1, -2, 'x' || 'y'), ", 5000) + "(1, 2, '')"), 10U);
  EXPECT_LT(nesting("SELECT * FROM t WHERE id = 1" + repeated(" OR id = 2 AND b > - 3", 5000)), 10U);
  EXPECT_LT(nesting("SELECT a.b.c AS case, t.end" + repeated(", x.case", 1000)), 10U);
  EXPECT_LT(nesting(repeated("SELECT 1 + 1; ", 5000)), 10U);
}

// A thread with the smallest stack that the limit is made for.
template <class Work>
void run_on_small_stack(std::size_t stack_bytes, Work work) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
  pthread_t thread;
  const auto entry = [](void* argument) -> void* {
    (*static_cast<Work*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, entry, &work), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
}

TEST(nesting, at_the_limit_fits_a_stack_of_512_kib) {
  run_on_small_stack(512 * 1024, [] {
    const auto book = testing::book_of("bounds");
    for (std::size_t depth = deepest_nesting; depth > deepest_nesting - 20; depth -= 5) {
      for (const auto& text : deep_texts(depth)) (void)book->analyse(text + " /* wallets */", {});
      // Sub-selects and CASE weigh more: fewer of them reach the limit.
      for (const auto& text : deep_texts(depth / 2)) (void)book->analyse(text + " /* wallets */", {});
      for (const auto& text : deep_texts(depth / 3)) (void)book->analyse(text + " /* wallets */", {});
      for (const auto& text : deep_texts(depth / 4)) (void)book->analyse(text + " /* wallets */", {});
    }
  });
}

TEST(nesting, of_guarded_sub_selects_at_the_limit_fits_too) {
  run_on_small_stack(512 * 1024, [] {
    const auto book = testing::book_of("plain");
    const std::size_t depth = deepest_nesting / 3 - 2;
    (void)book->analyse("SELECT " + repeated("(SELECT balance + ", depth) + "1" +
                            repeated(" FROM wallets WHERE id = 1)", depth) + " FROM wallets WHERE id = 1",
                        {});
    (void)book->analyse("SELECT balance FROM " + repeated("(SELECT balance FROM ", depth) + "wallets" +
                            repeated(" WHERE id = 1) s", depth),
                        {});
    (void)book->analyse("SELECT balance FROM wallets WHERE " +
                            repeated("id IN (SELECT id FROM wallets WHERE ", depth) + "true" +
                            repeated(")", depth),
                        {});
  });
}

TEST(nesting, beyond_the_limit_is_opaque_whatever_the_depth) {
  const auto book = testing::book_of("plain");
  for (const auto& text : deep_texts(20000)) {
    const auto found = book->analyse(text + " /* wallets */", {});
    EXPECT_FALSE(found->exact);
    ASSERT_EQ(found->statements.size(), 1U);
    EXPECT_EQ(found->statements[0].in_block.touches.size(), 1U);
  }
}

TEST(nesting, very_many_queries_in_with_are_opaque) {
  const auto book = testing::book_of("plain");
  for (const auto& [count, exact] : {std::pair{most_with_queries, true}, {most_with_queries + 1, false}}) {
    std::string text = "WITH a AS (SELECT balance FROM wallets)";
    for (std::size_t i = 1; i < count; ++i) {
      text += ", a" + std::to_string(i) + " AS NOT MATERIALIZED (SELECT balance FROM wallets)";
    }
    EXPECT_EQ(book->analyse(text + " SELECT 1", {})->exact, exact) << count;
  }
}

}  // namespace
}  // namespace rules
