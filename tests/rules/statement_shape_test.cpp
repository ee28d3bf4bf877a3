#include "rules/statement_shape.hpp"

#include <string>

#include <gtest/gtest.h>

namespace rules {
namespace {

token_text scanned(const std::string& sql) {
  return token_text{sql, scan_all(sql).value()};
}

std::uint64_t shape(const std::string& sql) {
  const auto text = scanned(sql);
  return shape_of(text, {0, text.tokens().size()});
}

TEST(statement_shape, leaves_out_constants_comments_and_white_space) {
  const auto plain = shape("UPDATE wallets SET balance = 1 WHERE id = 2");
  for (const auto* same :
       {"UPDATE wallets SET balance = $1 WHERE id = $2", "update Wallets\nset balance=90.5 where id='7'",
        "UPDATE /* by */ wallets SET balance = -1 WHERE id = 2 -- x",
        "UPDATE wallets SET balance = E'\\x' WHERE id = $$2$$"}) {
    EXPECT_EQ(shape(same), plain) << same;
  }
}

TEST(statement_shape, tells_other_statements_apart) {
  const auto plain = shape("UPDATE wallets SET balance = 1 WHERE id = 2");
  for (const auto* other :
       {"UPDATE wallets SET balance = 1 WHERE user_id = 2", "UPDATE wallets SET balance = 1",
        "UPDATE \"Wallets\" SET balance = 1 WHERE id = 2", "UPDATE wallets SET balance = id WHERE id = 2",
        "UPDATE wallets SET balance = balance - 1 WHERE id = 2"}) {
    EXPECT_NE(shape(other), plain) << other;
  }
  EXPECT_NE(shape("SELECT a - 1"), shape("SELECT a + 1"));
  EXPECT_NE(shape("SELECT f(1)"), shape("SELECT f(1, 2)"));
  EXPECT_NE(shape("SELECT ab"), shape("SELECT a b"));
}

TEST(statement_shape, lists_of_constants_have_no_length) {
  const auto one = shape("SELECT balance FROM wallets WHERE id IN (1) AND x = 2");
  EXPECT_EQ(shape("SELECT balance FROM wallets WHERE id IN (1, $2, -3) AND x = 2"), one);
  EXPECT_EQ(shape("SELECT balance FROM wallets WHERE id in ('1',2) AND x = 2"), one);
  EXPECT_NE(shape("SELECT balance FROM wallets WHERE id IN (1, y) AND x = 2"), one);
  EXPECT_EQ(shape("SELECT ARRAY[1,2]"), shape("SELECT ARRAY[1]"));
}

TEST(statement_shape, the_highest_parameter_is_found) {
  const auto highest = [](const std::string& sql) {
    const auto text = scanned(sql);
    return highest_parameter(text, {0, text.tokens().size()});
  };
  EXPECT_EQ(highest("SELECT 1"), 0);
  EXPECT_EQ(highest("SELECT $2, $11, '$99', $3"), 11);
  EXPECT_EQ(highest("SELECT $65536"), 0);
}

}  // namespace
}  // namespace rules
