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

TEST(parse_options, deals_clients_out_between_addresses) {
  const parsed_options parsed =
      parse_options({"--also", "a:1", "--also=b:2", "--dbname", "books", "--users", "8", "--bypass", "1",
                     "--audit-conninfo", "port=5432", "--for-update"});
  ASSERT_EQ(parsed.problem, "");
  ASSERT_EQ(parsed.value.also.size(), 2U);
  EXPECT_EQ(parsed.value.also[1].host, "b");
  EXPECT_EQ(parsed.value.also[1].port, "2");
  EXPECT_EQ(parsed.value.also[1].dbname, "books");
  EXPECT_EQ(parsed.value.users, 8U);
  EXPECT_EQ(parsed.value.bypass, 1U);
  EXPECT_TRUE(parsed.value.locking);
  EXPECT_EQ(role_of(7), "race_8");
}

TEST(parse_options, takes_expectations) {
  const parsed_options parsed =
      parse_options({"--guard", "escrow", "--forbid-sqlstate", "40001", "--most-deadlocks=1.5", "--cells",
                     "a title", "--scenario", "promised"});
  ASSERT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.value.guard, find_guard("escrow"));
  EXPECT_EQ(parsed.value.forbidden, (std::vector<std::string>{"40001"}));
  EXPECT_EQ(parsed.value.fewer_deadlocks, 1.5);
  EXPECT_EQ(parsed.value.cells, "a title");
}

TEST(parse_options, refuses_what_it_does_not_understand) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--client", "8"},
                                             {"--clients"},
                                             {"--clients", "0"},
                                             {"--clients", "many"},
                                             {"--style", "fast"},
                                             {"--versus", "7432"},
                                             {"--seconds", "-1"},
                                             {"--rows", "1"},
                                             {"--guard", "careless"},
                                             {"--forbid-sqlstate", "4"},
                                             {"--most-deadlocks", "101"},
                                             {"--bypass", "1"},
                                             {"--scenario", "promised"},
                                             {"--print-rules", "none"}}) {
    EXPECT_NE(parse_options(wrong).problem, "") << wrong.front();
  }
  EXPECT_NE(parse_options({"--versus", "a:1", "--also", "b:2"}).problem, "");
  EXPECT_NE(parse_options({"--clients", "2", "--bypass", "2", "--audit-conninfo", "port=1"}).problem, "");
}

}  // namespace
}  // namespace race
