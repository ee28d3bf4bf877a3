#include "protocol/lists.hpp"

#include <vector>

#include <gtest/gtest.h>

using namespace std::string_view_literals;
using namespace protocol;

TEST(list, numbers_by_index_and_in_order) {
  reader in("\0\3\0\0\0\1\0\0\0\2\xff\xff\xff\xff"sv);
  const u32_list numbers = u32_list::read_counted(in);
  ASSERT_TRUE(in.complete());
  ASSERT_EQ(numbers.size(), 3u);
  EXPECT_EQ(numbers[0], 1u);
  EXPECT_EQ(numbers[2], 0xffffffffu);
  std::vector<std::uint32_t> all;
  for (const std::uint32_t number : numbers) all.push_back(number);
  EXPECT_EQ(all, (std::vector<std::uint32_t>{1, 2, 0xffffffff}));
}

TEST(list, a_count_beyond_the_bytes_fails_and_gives_an_empty_list) {
  reader in("\0\3\0\0\0\1\0\0\0\2"sv);
  EXPECT_TRUE(u32_list::read_counted(in).empty());
  EXPECT_FALSE(in.ok());
  reader values("\xff\xff\0\0\0\1x"sv);
  EXPECT_TRUE(value_list::read_counted(values).empty());
  EXPECT_FALSE(values.ok());
}

TEST(list, values_with_null_and_empty) {
  reader in("\0\3\0\0\0\1x\xff\xff\xff\xff\0\0\0\0"sv);
  const value_list values = value_list::read_counted(in);
  ASSERT_TRUE(in.complete());
  EXPECT_EQ(values[0], "x"sv);
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], ""sv);
}

TEST(list, an_empty_list_iterates_nowhere) {
  for (const auto value : value_list()) ADD_FAILURE() << value.has_value();
  reader in("\0\0"sv);
  EXPECT_TRUE(i16_list::read_counted(in).empty());
  EXPECT_TRUE(in.complete());
}

TEST(list, format_of_follows_the_short_forms) {
  const auto formats = [](std::string_view bytes) {
    reader in(bytes);
    return i16_list::read_counted(in);
  };
  EXPECT_EQ(format_of(formats("\0\0"sv), 5), 0);
  EXPECT_EQ(format_of(formats("\0\1\0\1"sv), 5), 1);
  EXPECT_EQ(format_of(formats("\0\2\0\0\0\1"sv), 1), 1);
  EXPECT_EQ(format_of(formats("\0\2\0\1\0\1"sv), 2), 0);  // the server will refuse the message
}
