#include "proxy/session/row_shape.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace proxy::session {
namespace {

constexpr std::uint32_t wallets = 16'400;
constexpr std::uint32_t orders = 16'500;
constexpr std::uint32_t int8 = 20;
constexpr std::uint32_t numeric = 1700;

rules::guarded_relation relation() {
  rules::guarded_relation made;
  made.oid = wallets;
  made.key = {{"id", 1, int8, "bigint"}};
  made.columns = {{"balance", 3, numeric, "numeric(12,2)"}, {"points", 4, int8, "bigint"}};
  return made;
}

row_shape shape(const std::vector<protocol::backend::field>& fields) {
  std::string frame;
  EXPECT_TRUE(protocol::backend::encode_row_description(fields, frame));
  const auto read = read_shape(std::string_view(frame).substr(5));
  EXPECT_TRUE(read);
  return read.value_or(row_shape{});
}

std::optional<told_row> told(const row_reader& reader,
                             const std::vector<std::optional<std::string_view>>& values,
                             const std::vector<std::int16_t>& formats = {}) {
  static std::string frame;  // that the row's bytes are in
  frame.clear();
  EXPECT_TRUE(protocol::backend::encode_data_row(values, frame));
  told_row row;
  if (!reader.read(std::string_view(frame).substr(5), formats, row)) return std::nullopt;
  return row;
}

protocol::backend::field field(std::string_view name, std::uint32_t table, std::int16_t column,
                               std::uint32_t type, std::int16_t format = 0) {
  return {name, table, column, type, -1, -1, format};
}

const auto id = field("id", wallets, 1, int8);
const auto owner = field("owner", wallets, 2, 25);
const auto balance = field("b", wallets, 3, numeric);
const auto points = field("points", wallets, 4, int8);
const auto order_id = field("id", orders, 1, int8);
const auto sum = field("balance", 0, 0, numeric);

TEST(row_shape, reads_where_each_field_comes_from) {
  const row_shape read = shape({order_id, sum, field("b", wallets, 3, numeric, 1)});
  ASSERT_EQ(read.columns.size(), 3U);
  EXPECT_EQ(read.columns[0].table, orders);
  EXPECT_EQ(read.columns[1].table, 0U);
  EXPECT_EQ(read.columns[2].number, 3);
  EXPECT_EQ(read.columns[2].type, numeric);
  std::vector<std::int16_t> formats;
  formats_of(read, formats);
  EXPECT_EQ(formats, (std::vector<std::int16_t>{0, 0, 1}));
  EXPECT_FALSE(read_shape("\0"));
}

TEST(row_shape, reads_columns_wherever_they_stand) {
  const auto reader = row_reader::make(shape({order_id, points, sum, balance, id}), relation());
  ASSERT_TRUE(reader);
  EXPECT_TRUE(reader->has_key());
  const auto row = told(*reader, {"5", "\0\0\0\0\0\0\0\1", "9", std::nullopt, "7"}, {0, 1, 0, 0, 0});
  ASSERT_TRUE(row);
  ASSERT_EQ(row->key.size(), 1U);
  EXPECT_EQ(row->key[0], (value_view{int8, 0, "7"}));
  EXPECT_EQ(row->columns[0], (value_view{numeric, 0, std::nullopt}));
  EXPECT_EQ(row->columns[1]->format, 1);
}

TEST(row_shape, one_format_may_hold_for_all) {
  const auto reader = row_reader::make(shape({id, balance}), relation());
  EXPECT_EQ(told(*reader, {"7", "1"}, {1})->columns[0]->format, 1);
  EXPECT_EQ(told(*reader, {"7", "1"}, {1})->key[0]->format, 1);
  EXPECT_EQ(told(*reader, {"7", "1"})->key[0]->format, 0);
}

TEST(row_shape, what_is_not_in_the_result_is_none) {
  const auto reader = row_reader::make(shape({owner, balance}), relation());
  ASSERT_TRUE(reader);
  EXPECT_FALSE(reader->has_key());
  const auto row = told(*reader, {"ann", "1.00"});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->key[0], std::nullopt);
  EXPECT_EQ(row->columns[0], (value_view{numeric, 0, "1.00"}));
  EXPECT_EQ(row->columns[1], std::nullopt);
}

TEST(row_shape, a_result_without_guarded_columns_is_not_read) {
  EXPECT_FALSE(row_reader::make(shape({id, owner, sum, order_id}), relation()));
  EXPECT_FALSE(row_reader::make(shape({}), relation()));
  EXPECT_FALSE(row_reader::make(shape({sum}), rules::guarded_relation{}));
}

TEST(row_shape, a_guarded_column_that_is_there_twice_must_agree) {
  const auto reader = row_reader::make(shape({id, balance, balance}), relation());
  ASSERT_TRUE(reader);
  EXPECT_EQ(told(*reader, {"7", "1.00", "1.00"})->columns[0]->bytes, "1.00");
  EXPECT_EQ(told(*reader, {"7", "1.00", "2.00"})->columns[0], std::nullopt);
}

TEST(row_shape, a_key_that_is_there_twice_must_agree) {
  const auto reader = row_reader::make(shape({id, balance, id}), relation());
  ASSERT_TRUE(reader);
  EXPECT_EQ(told(*reader, {"7", "1.00", "7"})->key[0], (value_view{int8, 0, "7"}));
  EXPECT_EQ(told(*reader, {"7", "1.00", "8"})->key[0], std::nullopt);
}

TEST(row_shape, a_row_of_another_shape_is_not_read) {
  const auto reader = row_reader::make(shape({id, balance}), relation());
  ASSERT_TRUE(reader);
  EXPECT_FALSE(told(*reader, {"7"}));
  EXPECT_FALSE(told(*reader, {"7", "1", "2"}));
  EXPECT_FALSE(told(*reader, {"7", "1"}, {0, 0, 1}));
  told_row row;
  EXPECT_FALSE(reader->read("\0\2\0\0", {}, row));
}

TEST(row_shape, any_bytes_are_read_safely) {
  const auto reader = row_reader::make(shape({id, balance}), relation());
  EXPECT_TRUE(rc::check("any", [&](const std::string& bytes, const std::vector<std::int16_t>& formats) {
    static_cast<void>(read_shape(bytes));
    told_row row;
    static_cast<void>(reader->read(bytes, formats, row));
  }));
}

}  // namespace
}  // namespace proxy::session
