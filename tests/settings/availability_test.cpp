// What SPEC names and this version does not do is refused at the start, never silently accepted.
#include <gtest/gtest.h>

#include "tests/settings/shown_problems.hpp"

namespace proxy::ops {
namespace {

TEST(availability, upstream) {
  EXPECT_EQ(problems_of("[upstream]\nstatement_cache = 10\n"),
            "f:2:19: statement_cache above 0 is not available in this version; leave the key out\n");
}

TEST(availability, rules) {
  EXPECT_EQ(problems_of(R"([[rule]]
name = "r"
table = "t"
columns = ["c"]
strategy = "escrow"
turns = "on"
reread = "last"
correlate = "client"
on_blind_write = "reject"
group_commit = true
[[once]]
name = "o"
table = "t"
key = ["k"]
)"),
            "");
  const std::string rule = "[[rule]]\nname='r'\ntable='t'\ncolumns=['c']\n";
  EXPECT_EQ(problems_of(rule + "strategy = 'optimistic'\n"), "");
  EXPECT_EQ(problems_of(rule + "correlate = 'trace'\n"), "");
  EXPECT_EQ(problems_of(rule + "turns = 'adaptive'\n"), "");
}

}  // namespace
}  // namespace proxy::ops
