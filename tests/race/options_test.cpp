#include "tests/race/options.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

TEST(parse_options, takes_values_with_and_without_an_equals_sign) {
  const parsed_options parsed = parse_options(
      {"--clients", "8", "--seconds=0.5", "--style", "extended", "--think-ms=1.5", "--expect-safe"});
  ASSERT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.value.clients, 8U);
  EXPECT_EQ(parsed.value.duration.count(), 500);
  EXPECT_EQ(parsed.value.style, style::extended);
  EXPECT_EQ(parsed.value.longest_thought.count(), 1500);
  EXPECT_EQ(parsed.value.expectation, expectation::safe);
}

TEST(parse_options, gives_the_other_address_the_same_user_and_database) {
  const parsed_options parsed = parse_options({"--versus", "db:7432", "--user", "shop", "--dbname", "books"});
  ASSERT_TRUE(parsed.value.versus.has_value());
  EXPECT_EQ(parsed.value.versus->host, "db");
  EXPECT_EQ(parsed.value.versus->port, "7432");
  EXPECT_EQ(parsed.value.versus->user, "shop");
  EXPECT_EQ(parsed.value.versus->dbname, "books");
}

TEST(parse_options, refuses_what_it_does_not_understand) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--client", "8"},
                                                                                     {"--clients"},
                                                                                     {"--clients", "0"},
                                                                                     {"--clients", "many"},
                                                                                     {"--style", "fast"},
                                                                                     {"--versus", "7432"},
                                                                                     {"--seconds", "-1"},
                                                                                     {"--rows", "1"}}) {
    EXPECT_NE(parse_options(wrong).problem, "") << wrong.front();
  }
}

}  // namespace
}  // namespace race
