#include "protocol/backend.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/random_frames.hpp"

using namespace std::string_view_literals;
using namespace protocol;
using namespace protocol::backend;

namespace {

using value = std::optional<std::string_view>;

std::string_view body_of(const std::string& wire, char tag) {
  EXPECT_GE(wire.size(), header_size);
  EXPECT_EQ(wire[0], tag);
  EXPECT_EQ(load_u32(wire.data() + 1) + 1, wire.size());
  return std::string_view(wire).substr(header_size);
}

}  // namespace

TEST(backend, known_bytes) {
  std::string out;
  EXPECT_TRUE(encode_authentication(authentication_kind::ok, {}, out));
  EXPECT_TRUE(encode_ready_for_query(transaction_status::failed, out));
  EXPECT_TRUE(encode_command_complete("SELECT 1", out));
  EXPECT_EQ(out,
            "R\0\0\0\x08\0\0\0\0Z\0\0\0\5E"
            "C\0\0\0\x0dSELECT 1\0"sv);
  out.clear();
  const field fields[] = {{"id", 0x4000, 2, 23, 4, -1, 1}};
  EXPECT_TRUE(encode_row_description(fields, out));
  EXPECT_EQ(out, "T\0\0\0\x1b\0\1id\0\0\0\x40\0\0\2\0\0\0\x17\0\4\xff\xff\xff\xff\0\1"sv);
  out.clear();
  const value values[] = {"1"sv, std::nullopt};
  EXPECT_TRUE(encode_data_row(values, out));
  EXPECT_EQ(out,
            "D\0\0\0\x0f\0\2\0\0\0\1"
            "1\xff\xff\xff\xff"sv);
}

TEST(backend, authentication_kinds) {
  std::string out;
  const std::string_view offered[] = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
  ASSERT_TRUE(encode_authentication_sasl(offered, out));
  const auto sasl = decode_authentication(body_of(out, 'R'));
  ASSERT_TRUE(sasl);
  EXPECT_EQ(sasl->kind, authentication_kind::sasl);
  const auto mechanisms = sasl->mechanisms();
  ASSERT_TRUE(mechanisms);
  ASSERT_EQ(mechanisms->size(), 2u);
  EXPECT_EQ((*mechanisms)[1], "SCRAM-SHA-256");
  EXPECT_FALSE((authentication_view{authentication_kind::sasl, "a\0b\0"sv}).mechanisms());
  EXPECT_FALSE((authentication_view{authentication_kind::sasl, "a\0\0x"sv}).mechanisms());
  EXPECT_FALSE((authentication_view{authentication_kind::sasl, ""sv}).mechanisms());
  const auto md5 = decode_authentication("\0\0\0\5salt"sv);
  ASSERT_TRUE(md5);
  EXPECT_EQ(md5->kind, authentication_kind::md5_password);
  EXPECT_EQ(md5->payload, "salt");
  EXPECT_FALSE(decode_authentication("\0\0\0"sv));
}

TEST(backend, key_data_of_all_protocol_versions) {
  for (const std::size_t size : {3u, 4u, 32u, 256u, 257u}) {
    const std::string key(size, 'k');
    std::string out;
    const bool possible = size >= 4 && size <= 256;
    EXPECT_EQ(encode_backend_key_data(0xfffffffe, key, out), possible);
    const std::string body = "\xff\xff\xff\xfe" + key;
    const auto view = decode_backend_key_data(body);
    EXPECT_EQ(view.has_value(), possible);
    if (view) {
      EXPECT_EQ(view->process_id, 0xfffffffeu);
      EXPECT_EQ(view->key, key);
    }
  }
}

TEST(backend, ready_for_query_knows_three_letters) {
  EXPECT_EQ(decode_ready_for_query("I"), transaction_status::idle);
  EXPECT_EQ(decode_ready_for_query("T"), transaction_status::in_block);
  EXPECT_EQ(decode_ready_for_query("E"), transaction_status::failed);
  EXPECT_FALSE(decode_ready_for_query("X"));
  EXPECT_FALSE(decode_ready_for_query(""));
  EXPECT_FALSE(decode_ready_for_query("II"));
}

TEST(backend, function_call_response_tells_null_from_malformed) {
  const auto null = decode_function_call_response("\xff\xff\xff\xff"sv);
  ASSERT_TRUE(null);
  EXPECT_FALSE(*null);
  const auto text = decode_function_call_response("\0\0\0\1x"sv);
  ASSERT_TRUE(text);
  EXPECT_EQ(**text, "x");
  EXPECT_FALSE(decode_function_call_response("\0\0\0\2x"sv));
}

TEST(backend, negotiate_protocol_version_with_a_lying_count) {
  const auto view = decode_negotiate_protocol_version("\0\3\0\0\0\0\0\2_pq_.a\0_pq_.b\0"sv);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->newest, 0x30000u);
  ASSERT_EQ(view->unknown_options.size(), 2u);
  EXPECT_EQ(view->unknown_options[1], "_pq_.b");
  EXPECT_FALSE(decode_negotiate_protocol_version("\0\0\0\0\xff\xff\xff\xff_pq_.a\0"sv));
  EXPECT_FALSE(decode_negotiate_protocol_version("\0\0\0\0\0\0\0\1_pq_.a\0_pq_.b\0"sv));
}

TEST(backend, copy_responses) {
  std::string out;
  const std::int16_t formats[] = {0, 1};
  ASSERT_TRUE(encode_copy_response(backend_tag::copy_both_response, 1, formats, out));
  const auto view = decode_copy_response(body_of(out, 'W'));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->format, 1);
  ASSERT_EQ(view->column_formats.size(), 2u);
  EXPECT_EQ(view->column_formats[1], 1);
}

TEST(backend, every_cut_and_every_extra_byte_is_refused) {
  std::string out;
  const auto refused_unless_exact = [&out](auto decode) {
    const std::string body = out.substr(header_size);
    EXPECT_TRUE(decode(body));
    for (std::size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(decode(body.substr(0, size))) << size;
    EXPECT_FALSE(decode(body + "x"));
    out.clear();
  };
  const field fields[] = {{"a", 1, 2, 3, 4, 5, 0}, {"", 0, 0, 25, -1, -1, 1}};
  ASSERT_TRUE(encode_row_description(fields, out));
  refused_unless_exact([](const std::string& body) { return decode_row_description(body).has_value(); });
  const value values[] = {"ab"sv, std::nullopt, ""sv};
  ASSERT_TRUE(encode_data_row(values, out));
  refused_unless_exact([](const std::string& body) { return decode_data_row(body).has_value(); });
  ASSERT_TRUE(encode_parameter_status("a", "b", out));
  refused_unless_exact([](const std::string& body) { return decode_parameter_status(body).has_value(); });
  ASSERT_TRUE(encode_notification(1, "a", "b", out));
  refused_unless_exact([](const std::string& body) { return decode_notification(body).has_value(); });
  ASSERT_TRUE(encode_command_complete("INSERT 0 1", out));
  refused_unless_exact([](const std::string& body) { return decode_command_complete(body).has_value(); });
  const std::uint32_t types[] = {1, 2};
  ASSERT_TRUE(encode_parameter_description(types, out));
  refused_unless_exact(
      [](const std::string& body) { return decode_parameter_description(body).has_value(); });
}

TEST(backend, encoders_refuse_and_leave_nothing) {
  const std::string_view zero = "a\0b"sv;
  static const char byte = 'x';
  const std::string_view huge(&byte, std::size_t{UINT32_MAX} + 2);
  std::string out;
  EXPECT_FALSE(encode_parameter_status(zero, "", out));
  EXPECT_FALSE(encode_command_complete(zero, out));
  EXPECT_FALSE(encode_notification(1, zero, "", out));
  EXPECT_FALSE(encode_notification(1, "", zero, out));
  const field fields[] = {{zero, 0, 0, 0, 0, 0, 0}};
  EXPECT_FALSE(encode_row_description(fields, out));
  const value values[] = {huge};
  EXPECT_FALSE(encode_data_row(values, out));
  EXPECT_FALSE(encode_function_call_response(huge, out));
  EXPECT_FALSE(encode_copy_data(huge, out));
  EXPECT_FALSE(encode_authentication(authentication_kind::sasl_final, huge, out));
  const std::string_view mechanisms[] = {"a", ""};
  EXPECT_FALSE(encode_authentication_sasl(mechanisms, out));
  EXPECT_FALSE(encode_negotiate_protocol_version(0, {&zero, 1}, out));
  EXPECT_TRUE(out.empty());
}

RC_GTEST_PROP(backend_property, data_row_round_trip, ()) {
  const auto values = test::any_values();
  std::string out;
  RC_ASSERT(encode_data_row(test::views(values), out));
  const auto row = decode_data_row(body_of(out, 'D'));
  RC_ASSERT(row.has_value());
  std::vector<value> read;
  for (const auto& one : *row) read.push_back(one);
  RC_ASSERT(read == test::views(values));
}

RC_GTEST_PROP(backend_property, row_description_round_trip,
              (std::uint32_t table, std::int16_t column, std::uint32_t type, std::int16_t size,
               std::int32_t modifier, std::int16_t format)) {
  const std::string name = test::any_text();
  const std::vector<field> fields(*rc::gen::inRange(0, 5),
                                  field{name, table, column, type, size, modifier, format});
  std::string out;
  RC_ASSERT(encode_row_description(fields, out));
  const auto list = decode_row_description(body_of(out, 'T'));
  RC_ASSERT(list.has_value());
  std::vector<field> read;
  for (const field& one : *list) read.push_back(one);
  RC_ASSERT(read == fields);
}
