#include "protocol/error_fields.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/random_frames.hpp"

using namespace std::string_view_literals;
using namespace protocol;

namespace {

std::string rewritten(std::string_view body, std::string_view drop, std::vector<error_field> replace) {
  std::string out;
  EXPECT_TRUE(rewrite_error('E', body, drop, replace, out));
  EXPECT_EQ(load_u32(out.data() + 1) + 1, out.size());
  return out.substr(header_size);
}

}  // namespace

TEST(error_fields, reads_known_and_unknown_fields) {
  const error_fields fields("SERROR\0C42601\0Mboom\0\x7fnew\0\0"sv);
  EXPECT_TRUE(fields.ok());
  EXPECT_EQ(fields.get('C'), "42601");
  EXPECT_EQ(fields.get('\x7f'), "new");
  EXPECT_EQ(fields.get('D'), std::nullopt);
  EXPECT_EQ(fields.text('D'), "");
  EXPECT_EQ(fields.text(error_code::message), "boom");
}

TEST(error_fields, cut_off_bodies_give_what_is_there) {
  const error_fields no_terminator("SERROR\0C42601\0"sv);
  EXPECT_FALSE(no_terminator.ok());
  EXPECT_EQ(no_terminator.get('C'), "42601");
  const error_fields cut_value("SERROR\0C426"sv);
  EXPECT_FALSE(cut_value.ok());
  EXPECT_EQ(cut_value.get('C'), "426");
  EXPECT_FALSE(error_fields("").ok());
  EXPECT_FALSE(error_fields("S").ok());
  EXPECT_TRUE(error_fields("\0"sv).ok());
  EXPECT_FALSE(error_fields("\0x"sv).ok());
  EXPECT_EQ(error_fields("\0Cx\0\0"sv).get('C'), std::nullopt);
}

TEST(error_fields, the_error_without_sqlstate_is_readable) {
  const error_fields fields("SFATAL\0Mno code\0\0"sv);
  EXPECT_TRUE(fields.ok());
  EXPECT_EQ(fields.get(error_code::sqlstate), std::nullopt);
}

TEST(error_message, encodes_in_the_servers_order_without_empty_fields) {
  error_message error;
  error.sqlstate = "23514";
  error.message = "too low";
  error.detail = "d";
  error.hint = "h";
  error.position = "7";
  error.schema = "public";
  error.table = "wallets";
  error.column = "balance";
  error.constraint = "rule";
  std::string out;
  ASSERT_TRUE(encode_error(error, out));
  EXPECT_EQ(out.substr(header_size),
            "SERROR\0VERROR\0C23514\0Mtoo low\0Dd\0Hh\0P7\0spublic\0twallets\0cbalance\0nrule\0\0"sv);
  EXPECT_EQ(out[0], 'E');
  out.clear();
  ASSERT_TRUE(encode_notice({.severity = "NOTICE", .sqlstate = "00000", .message = ""}, out));
  EXPECT_EQ(out, "N\0\0\0\x1eSNOTICE\0VNOTICE\0C00000\0M\0\0"sv);
}

TEST(error_message, a_zero_byte_is_refused) {
  std::string out;
  EXPECT_FALSE(encode_error({.message = std::string("a\0b", 3)}, out));
  EXPECT_FALSE(encode_error({.hint = std::string("\0", 1)}, out));
  const error_field zero_code{'\0', "x"};
  EXPECT_FALSE(encode_error_fields('E', {&zero_code, 1}, out));
  EXPECT_TRUE(out.empty());
}

TEST(rewrite_error, copies_drops_replaces_and_adds) {
  const std::string_view body = "SFEHLER\0VERROR\0C22P02\0Mpgteller/0/7\0Wsomewhere\0P9\0\x7fnew\0\0"sv;
  EXPECT_EQ(rewritten(body, "", {}), body);
  EXPECT_EQ(rewritten(body, "WPx", {{'C', "23514"}, {'M', "too low"}, {'t', "wallets"}, {'n', "rule"}}),
            "SFEHLER\0VERROR\0C23514\0Mtoo low\0\x7fnew\0twallets\0nrule\0\0"sv);
}

TEST(rewrite_error, a_code_both_dropped_and_replaced_is_replaced) {
  EXPECT_EQ(rewritten("Ma\0Mb\0Sx\0\0"sv, "M", {{'M', "c"}, {'M', "d"}}), "Mc\0Sx\0\0"sv);
}

TEST(rewrite_error, a_cut_off_body_comes_out_complete) {
  EXPECT_EQ(rewritten("SERROR\0Mbo"sv, "", {{'C', "XX000"}}), "SERROR\0Mbo\0CXX000\0\0"sv);
  EXPECT_EQ(rewritten("", "", {}), "\0"sv);
}

TEST(rewrite_error, refuses_a_zero_byte) {
  const error_field bad{'M', "a\0b"sv};
  std::string out;
  EXPECT_FALSE(rewrite_error('E', "Mx\0\0"sv, "", {&bad, 1}, out));
  EXPECT_TRUE(out.empty());
}

RC_GTEST_PROP(error_fields_property, fields_round_trip, ()) {
  std::vector<std::string> values(*rc::gen::inRange(0, 8));
  std::vector<error_field> fields;
  for (std::string& value : values) {
    value = test::any_text();
    fields.push_back({*rc::gen::nonZero<char>(), value});
  }
  std::string out;
  RC_ASSERT(encode_error_fields('N', fields, out));
  const error_fields read(std::string_view(out).substr(header_size));
  RC_ASSERT(read.ok());
  std::vector<error_field> all;
  for (const error_field& one : read) all.push_back(one);
  RC_ASSERT(all == fields);
}
