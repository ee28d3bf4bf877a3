#include "proxy/session/name_register.hpp"

#include <gtest/gtest.h>

namespace {

using names = proxy::session::name_register<int>;

int value(const names& of, std::string_view name) {
  const auto found = of.find(name);
  return found ? *found : 0;
}

TEST(name_register, a_change_counts_at_once_and_lasts_when_confirmed) {
  names known;
  known.change("s1", std::make_shared<int>(1));
  EXPECT_EQ(value(known, "s1"), 1);
  known.confirm();
  EXPECT_EQ(value(known, "s1"), 1);
}

TEST(name_register, a_change_that_was_skipped_never_was) {
  names known;
  known.change("s1", std::make_shared<int>(1));
  known.confirm();
  known.change("s1", nullptr);
  EXPECT_EQ(value(known, "s1"), 0);
  known.drop();
  EXPECT_EQ(value(known, "s1"), 1);
}

TEST(name_register, close_and_parse_of_one_name_in_one_pipeline) {
  names known;
  known.change("s1", std::make_shared<int>(1));
  known.confirm();
  known.change("s1", nullptr);
  known.change("s1", std::make_shared<int>(2));
  EXPECT_EQ(value(known, "s1"), 2);
  known.confirm();
  known.drop();
  EXPECT_EQ(value(known, "s1"), 0);
}

TEST(name_register, forgets_all) {
  names known;
  known.change("a", std::make_shared<int>(1));
  known.confirm();
  known.change_all();
  EXPECT_EQ(value(known, "a"), 0);
  known.change("a", std::make_shared<int>(3));
  EXPECT_EQ(value(known, "a"), 3);
  known.confirm();
  known.confirm();
  EXPECT_EQ(value(known, "a"), 3);
  EXPECT_EQ(known.size(), 1U);
}

TEST(name_register, an_unknown_name_that_stays_unknown_is_no_change) {
  names known;
  EXPECT_FALSE(known.would_change("", false));
  EXPECT_TRUE(known.would_change("", true));
  known.change("x", std::make_shared<int>(1));
  EXPECT_TRUE(known.would_change("", false));
}

}  // namespace
