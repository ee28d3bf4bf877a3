#include "tests/race/money.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

TEST(money, reads_what_it_writes) {
  for (const cents amount : {0L, 1L, 99L, 100L, -1L, -99L, -325L, 99675L, 100000000L}) {
    EXPECT_EQ(to_cents(to_text(amount)), amount) << to_text(amount);
  }
  EXPECT_EQ(to_text(-5), "-0.05");
}

TEST(money, reads_what_postgresql_writes) {
  EXPECT_EQ(to_cents("3"), 300);
  EXPECT_EQ(to_cents("3.5"), 350);
  EXPECT_EQ(to_cents("-1234.50"), -123450);
}

TEST(money, is_grouped_for_people) {
  EXPECT_EQ(to_grouped_text(1), "0.01");
  EXPECT_EQ(to_grouped_text(99999), "999.99");
  EXPECT_EQ(to_grouped_text(100000), "1,000.00");
  EXPECT_EQ(to_grouped_text(-123456789), "-1,234,567.89");
  EXPECT_EQ(to_grouped_text(-99999), "-999.99");
}

}  // namespace
}  // namespace race
