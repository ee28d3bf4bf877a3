#include <gtest/gtest.h>

#include "tests/race/report.hpp"

namespace race {
namespace {

report made(cents lost, std::uint64_t acknowledged) {
  report one;
  one.scenario = &scenarios().front();
  one.target = "127.0.0.1:5432";
  one.audit.money_lost = lost;
  one.known.acknowledged = acknowledged;
  one.known.errors["40P01"] = 3;
  one.elapsed = std::chrono::seconds(2);
  return one;
}

TEST(side_by_side, shows_both_and_no_line_of_zeros) {
  const std::string text = side_by_side({{made(1234567, 200), made(0, 100)}}, "pgteller");
  EXPECT_NE(text.find("read-modify-write in a transaction\n"), std::string::npos);
  EXPECT_NE(text.find("  money lost                                       12,345.67            0.00\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  operations per second                                  100              50\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("overdrawn"), std::string::npos) << text;
  EXPECT_EQ(text.find("done twice"), std::string::npos) << text;
}

TEST(to_cells, is_one_line_with_tabs) {
  report one = made(5, 10);
  EXPECT_EQ(
      to_cells(one, "escrow", "as expected"),
      "escrow\ttx-read-modify-write\tsimple\t0.05\t0\t0\t0\t0\t3\t10\t0\t5.0\t0.00\t0.00\tas expected\n");
}

TEST(to_json, is_one_array_of_objects) {
  std::vector<report> all = {made(5, 10)};
  const std::string text = to_json(all);
  EXPECT_NE(text.find("\"money_lost\": \"0.05\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"errors\": {\"40P01\": 3}"), std::string::npos) << text;
  EXPECT_NE(text.find("\"per_second\": 5.0"), std::string::npos) << text;
}

TEST(audit, is_clean_only_when_nothing_was_found) {
  EXPECT_TRUE(audit{}.clean());
  EXPECT_FALSE((audit{.money_lost = 1}).clean());
  EXPECT_FALSE((audit{.overdrafts = 1}).clean());
  EXPECT_FALSE((audit{.duplicates = 1}).clean());
  EXPECT_FALSE((audit{.unentered = 1}).clean());
  EXPECT_FALSE((audit{.ghosts = 1}).clean());
  EXPECT_FALSE((audit{.problem = "no answer"}).clean());
}

}  // namespace
}  // namespace race
