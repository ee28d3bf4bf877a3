#include "tests/race/statement.hpp"

#include <gtest/gtest.h>

namespace race {
namespace {

TEST(inlined, writes_numbers_bare_and_quotes_text) {
  const wallet read{1, 101, "customer's no. 1", 90000};
  EXPECT_EQ(inlined(write_wallet(style::simple, read, 99675)),
            "UPDATE \"wallets\" SET \"user_id\" = 101, \"owner\" = 'customer''s no. 1', \"balance\" = 996.75 "
            "WHERE \"wallets\".\"id\" = 1");
}

TEST(inlined, may_use_a_value_twice) {
  EXPECT_EQ(inlined(enter(style::simple, 7, {{1, -500}, {2, 500}})),
            "INSERT INTO transactions (op, wallet_id, amount) VALUES (7, 1, -5.00), (7, 2, 5.00)");
}

TEST(statement, has_one_text_for_each_name) {
  EXPECT_NE(enter(style::extended, 1, {{1, 1}}).name, enter(style::extended, 1, {{1, 1}, {2, 1}}).name);
  EXPECT_NE(move_wallet(style::extended, 1, 100).name, move_wallet(style::extended, 1, -100).name);
  EXPECT_EQ(move_wallet(style::extended, 1, -100).values, (std::vector<std::string>{"1.00", "1"}));
}

TEST(read_wallet, finds_by_one_column_or_the_other) {
  EXPECT_EQ(inlined(read_wallet(style::extended, 7, found_by::user, false)),
            "SELECT id, user_id, owner, balance FROM wallets WHERE user_id = 107");
  EXPECT_EQ(inlined(read_wallet(style::extended, 7, found_by::id, true)),
            "SELECT id, user_id, owner, balance FROM wallets WHERE id = 7 FOR UPDATE");
  EXPECT_NE(read_wallet(style::extended, 7, found_by::id, true).name,
            read_wallet(style::extended, 7, found_by::id, false).name);
}

TEST(traced, is_unnamed_and_ends_in_the_trace) {
  const statement made = traced(delete_item(style::extended, 3), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(made.name, "");
  EXPECT_EQ(inlined(made),
            "DELETE FROM items WHERE id = 3 "
            "/*traceparent='00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01'*/");
}

}  // namespace
}  // namespace race
