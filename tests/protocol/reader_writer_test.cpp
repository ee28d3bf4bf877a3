#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

using namespace std::string_view_literals;
using protocol::reader;
using protocol::writer;

TEST(reader, reads_big_endian_numbers_of_both_signs) {
  reader in("\x01\x02\x03\xff\xff\x01\x02\x03\x04\xff\xff\xff\xfe"sv);
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.i16(), -1);
  EXPECT_EQ(in.u32(), 0x01020304u);
  EXPECT_EQ(in.i32(), -2);
  EXPECT_TRUE(in.complete());
}

TEST(reader, first_error_sticks_and_gives_nothing_more) {
  reader in("\x01\x02\x03"sv);
  EXPECT_EQ(in.u16(), 0x0102);
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.bytes(0), ""sv);
  EXPECT_EQ(in.c_string(), ""sv);
  EXPECT_EQ(in.rest(), ""sv);
  EXPECT_FALSE(in.complete());
}

TEST(reader, c_string_needs_its_zero) {
  reader in("ab\0\0cd"sv);
  EXPECT_EQ(in.c_string(), "ab"sv);
  EXPECT_EQ(in.c_string(), ""sv);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.c_string(), ""sv);
  EXPECT_FALSE(in.ok());
}

TEST(reader, value_knows_null_and_refuses_other_negatives_and_overruns) {
  reader good("\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0"sv);
  EXPECT_EQ(good.value(), "ab"sv);
  EXPECT_EQ(good.value(), std::nullopt);
  EXPECT_EQ(good.value(), ""sv);
  EXPECT_TRUE(good.complete());
  for (const auto bytes :
       {"\xff\xff\xff\xfe"sv, "\x80\0\0\0"sv, "\0\0\0\3ab"sv, "\x7f\xff\xff\xff"sv, "\0\0\0"sv}) {
    reader bad(bytes);
    static_cast<void>(bad.value());
    EXPECT_FALSE(bad.ok());
  }
}

TEST(reader, huge_count_does_not_wrap) {
  reader in("abc"sv);
  EXPECT_EQ(in.bytes(SIZE_MAX), ""sv);
  EXPECT_FALSE(in.ok());
}

TEST(writer, writes_the_length_afterwards) {
  std::string out = "before";
  writer to(out);
  to.begin('Q');
  to.c_string("hi");
  EXPECT_TRUE(to.end());
  to.begin_untagged();
  to.u16(3);
  to.i32(-2);
  EXPECT_TRUE(to.end());
  EXPECT_EQ(out, "beforeQ\0\0\0\7hi\0\0\0\0\x0a\0\3\xff\xff\xff\xfe"sv);
}

TEST(writer, refuses_a_zero_byte_in_a_c_string_and_takes_the_frame_back) {
  std::string out = "before";
  writer to(out);
  to.begin('Q');
  to.c_string("a\0b"sv);
  EXPECT_FALSE(to.ok());
  EXPECT_FALSE(to.end());
  EXPECT_EQ(out, "before");
}

TEST(writer, refusal_sticks_for_later_frames) {
  std::string out;
  writer to(out);
  to.begin('Q');
  to.c_string("\0"sv);
  EXPECT_FALSE(to.end());
  to.begin('S');
  EXPECT_FALSE(to.end());
  EXPECT_EQ(out, "");
}

TEST(writer, never_exceeds_its_limit_by_a_byte) {
  for (std::uint32_t limit = 0; limit < 12; ++limit) {
    std::string out;
    writer to(out, limit);
    to.begin('d');
    to.value("12345678"sv);  // 12 bytes
    EXPECT_FALSE(to.end()) << limit;
    EXPECT_EQ(out, "");
  }
  std::string out;
  writer to(out, 12);
  to.begin('d');
  to.value("12345678"sv);
  EXPECT_TRUE(to.end());
  EXPECT_EQ(out.size(), 17u);
}

TEST(writer, list_counts_stop_at_65535) {
  std::string out;
  writer good(out);
  good.begin('D');
  good.count(65535);
  EXPECT_TRUE(good.end());
  EXPECT_EQ(out, "D\0\0\0\6\xff\xff"sv);
  writer bad(out);
  bad.begin('D');
  bad.count(65536);
  EXPECT_FALSE(bad.end());
  EXPECT_EQ(out.size(), 7u);
}
