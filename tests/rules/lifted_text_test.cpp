#include "rules/lifted_text.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace rules {
namespace {

// The frame with {i}, {w}, {d} and {s} for the classes' bytes; "-" where nothing is lifted.
std::string lifted(std::string_view sql) {
  lifted_text text;
  if (!text.take(sql)) return "-";
  std::string shown;
  for (const char c : text.frame()) {
    constexpr std::string_view letters = "iwds";
    const bool is_class = c >= 1 && static_cast<std::size_t>(c) <= letters.size();
    shown += is_class ? std::string{'{', letters[static_cast<std::size_t>(c) - 1], '}'} : std::string{c};
  }
  return shown;
}

TEST(lifted_text, numbers_and_strings_where_a_value_may_stand) {
  EXPECT_EQ(lifted("SELECT a FROM t WHERE id = 5 AND b='x y'"), "SELECT a FROM t WHERE id = {i} AND b='{s}'");
  EXPECT_EQ(lifted("UPDATE t SET b=b-1.50 WHERE id IN (7, 8)"),
            "UPDATE t SET b=b-{d} WHERE id IN ({i}, {i})");
  EXPECT_EQ(lifted("INSERT INTO t VALUES (1,'a'),(2,'b');"), "INSERT INTO t VALUES ({i},'{s}'),({i},'{s}');");
  EXPECT_EQ(lifted("SELECT \"a\"\"1\" FROM t WHERE \"id\" >= 5"),
            "SELECT \"a\"\"1\" FROM t WHERE \"id\" >= {i}");
}

TEST(lifted_text, integers_have_two_classes) {
  EXPECT_EQ(lifted("a = 2147483647"), "a = {i}");
  EXPECT_EQ(lifted("a = 2147483648"), "a = {w}");
  EXPECT_EQ(lifted("a = 999999999999999999"), "a = {w}");
  EXPECT_EQ(lifted("a = 1, b = 1000000000000000000"), "a = {i}, b = 1000000000000000000");
}

TEST(lifted_text, what_the_grammar_may_write_otherwise_stays) {
  EXPECT_EQ(lifted("a = 1, b = 0"), "a = {i}, b = 0");
  EXPECT_EQ(lifted("a = 1, b = -0"), "a = {i}, b = -0");
  EXPECT_EQ(lifted("a = 1, b = 007"), "a = {i}, b = 007");
  EXPECT_EQ(lifted("a = 1, b = ''"), "a = {i}, b = ''");
  EXPECT_EQ(lifted("a = 1, b = .5"), "a = {i}, b = .5");
  EXPECT_EQ(lifted("a = 0.5"), "a = {d}");
  EXPECT_EQ(lifted("a = 1, b = 0.1234567890123456789"), "a = {i}, b = 0.1234567890123456789");
}

TEST(lifted_text, a_literal_behind_a_word_or_another_sign_stays) {
  EXPECT_EQ(lifted("SELECT 1, 2 LIMIT 10"), "SELECT 1, {i} LIMIT 10");
  EXPECT_EQ(lifted("a = 1 AND b LIKE 'x%' AND c @@ 'y'"), "a = {i} AND b LIKE 'x%' AND c @@ 'y'");
  EXPECT_EQ(lifted("a = 1 AND d > DATE '2024-01-01'"), "a = {i} AND d > DATE '2024-01-01'");
  EXPECT_EQ(lifted("a[1] = 2"), "a[1] = {i}");
  EXPECT_EQ(lifted("t1.c2 = 3 AND c_4 = 5"), "t1.c2 = {i} AND c_4 = {i}");
}

TEST(lifted_text, a_sign_stays) {
  EXPECT_EQ(lifted("a = -5"), "a = -{i}");
  EXPECT_EQ(lifted("a - -5.0"), "a - -{d}");
}

TEST(lifted_text, refuses_what_is_not_plain) {
  for (const std::string_view sql : {
           "SELECT 1",                    // nothing to lift
           "a = 1 -- b",                  // comments
           "a = 1 /* b */",               //
           "a = 1--1",                    //
           "a = $1 AND b = 2",            // parameters
           "a = 1 AND b = $$x$$",         // dollar quotes
           "a$b = 1",                     //
           "a = 'x\\y' AND b = 1",        // backslashes
           "a = 1 AND \"b\\c\" = 2",      //
           "a = 'O''Brien' AND b = 1",    // doubled quotes
           "a = 1 AND b = E'x'",          // prefixes
           "a = 1 AND b = U&'x'",         //
           "a = 1 AND b = N'x'",          //
           "a = 1 AND b = B'1'",          //
           "a = 1 AND b = _x'1'",         //
           "a = 1 AND U&\"b\" = 2",       //
           "a = 'x'\n'y' AND b = 1",      // one string in two parts
           "a = 'x'  'y' AND b = 1",      // or an error
           "a = 1e5",                     // exponents
           "a = 1 AND b = 1e+5",          //
           "a = 1x",                      // errors, or two tokens
           "a = 1.",                      //
           "a = 1..2",                    //
           "a = 1.2.3",                   //
           "a = 1.5e3",                   //
           "a = 1 AND b = 'x",            // open ends
           "a = 1 AND \"b",               //
           "a = 1 AND b = '\xC3\xA9'",    // beyond ASCII
           "a = 1 AND \xC3\xA9 = 2",      //
           "a = 1 AND \"\xC3\xA9\" = 2",  //
           "a = 1 AND b = 'x\ny'",        // control characters
           "a = 1 AND b = \x01",          //
           "a = 1 AND b = '\x01'",        //
       }) {
    EXPECT_EQ(lifted(sql), "-") << sql;
  }
  EXPECT_EQ(lifted(std::string_view("a = 1 \0", 7)), "-");
}

TEST(lifted_text, limits) {
  std::string list = "a IN (1";
  for (std::size_t i = 1; i < lifted_text::most_literals; ++i) list += ",1";
  EXPECT_NE(lifted(list + ")"), "-");
  EXPECT_EQ(lifted(list + ",1)"), "-");
  EXPECT_EQ(lifted("a = 1" + std::string(lifted_text::longest_text, ' ')), "-");
  const std::string longest(lifted_text::longest_string, 'x');
  EXPECT_EQ(lifted("a = '" + longest + "'"), "a = '{s}'");
  EXPECT_EQ(lifted("a = 1, b = 'y" + longest + "'"), "a = {i}, b = 'y" + longest + "'");
}

TEST(lifted_text, is_used_again) {
  lifted_text text;
  ASSERT_TRUE(text.take("a = 12 AND b = 'xyz'"));
  ASSERT_EQ(text.literals().size(), 2U);
  EXPECT_EQ(text.value(0), "12");
  EXPECT_EQ(text.value(1), "xyz");
  EXPECT_EQ(text.with({"3", "w"}), "a = 3 AND b = 'w'");
  ASSERT_FALSE(text.take("a"));
  ASSERT_TRUE(text.take("c = 4"));
  ASSERT_EQ(text.literals().size(), 1U);
  EXPECT_EQ(text.value(0), "4");
}

}  // namespace
}  // namespace rules
