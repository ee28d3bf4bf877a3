#include "protocol/frontend.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/random_frames.hpp"

using namespace std::string_view_literals;
using namespace protocol;
using namespace protocol::frontend;

namespace {

using value = std::optional<std::string_view>;

/// The body of the one frame that is `wire`; checks its header.
std::string_view body_of(const std::string& wire, char tag) {
  EXPECT_GE(wire.size(), header_size);
  EXPECT_EQ(wire[0], tag);
  EXPECT_EQ(load_u32(wire.data() + 1) + 1, wire.size());
  return std::string_view(wire).substr(header_size);
}

template <class List, class Expected>
bool same(const List& list, const Expected& expected) {
  if (list.size() != expected.size()) return false;
  std::size_t i = 0;
  for (const auto& item : list) {
    if (!(item == expected[i++])) return false;
  }
  return i == expected.size();
}

}  // namespace

TEST(frontend, known_bytes) {
  std::string out;
  EXPECT_TRUE(encode_query("SELECT 1", out));
  EXPECT_EQ(out, "Q\0\0\0\x0dSELECT 1\0"sv);
  out.clear();
  const std::uint32_t types[] = {23};
  EXPECT_TRUE(encode_parse("s", "SELECT $1", types, out));
  EXPECT_EQ(out, "P\0\0\0\x16s\0SELECT $1\0\0\1\0\0\0\x17"sv);
  out.clear();
  const std::int16_t one[] = {1};
  const value values[] = {"ab"sv, std::nullopt};
  EXPECT_TRUE(encode_bind("p", "s", one, values, {}, out));
  EXPECT_EQ(out, "B\0\0\0\x1ap\0s\0\0\1\0\1\0\2\0\0\0\2ab\xff\xff\xff\xff\0\0"sv);
  out.clear();
  EXPECT_TRUE(encode_describe(target_kind::portal, "p", out));
  EXPECT_TRUE(encode_close(target_kind::statement, "", out));
  EXPECT_TRUE(encode_execute("", 2, out));
  EXPECT_EQ(out, "D\0\0\0\7Pp\0C\0\0\0\6S\0E\0\0\0\x09\0\0\0\0\2"sv);
}

TEST(frontend, bind_formats_follow_the_short_forms) {
  std::string out;
  const std::int16_t binary[] = {1};
  const value values[] = {"a"sv, std::nullopt, ""sv};
  ASSERT_TRUE(encode_bind("", "", binary, values, {}, out));
  const auto bind = decode_bind(body_of(out, 'B'));
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->format(0), 1);
  EXPECT_EQ(bind->format(2), 1);
  EXPECT_EQ(bind->value(0), "a"sv);
  EXPECT_EQ(bind->value(1), std::nullopt);
  EXPECT_EQ(bind->value(2), ""sv);
}

TEST(frontend, bind_with_the_most_parameters) {
  const std::vector<value> most(65535, value("x"sv));
  std::string out;
  ASSERT_TRUE(encode_bind("", "", {}, most, {}, out));
  const auto bind = decode_bind(body_of(out, 'B'));
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->values.size(), 65535u);
  EXPECT_EQ(bind->value(65534), "x"sv);
  const std::vector<value> more(65536);
  std::string untouched;
  EXPECT_FALSE(encode_bind("", "", {}, more, {}, untouched));
  EXPECT_TRUE(untouched.empty());
}

TEST(frontend, every_cut_and_every_extra_byte_is_refused) {
  std::string out;
  const std::uint32_t types[] = {23, 0};
  const std::int16_t formats[] = {0, 1};
  const value values[] = {"ab"sv, std::nullopt};
  const auto refused_unless_exact = [&out](auto decode) {
    const std::string body = out.substr(header_size);
    EXPECT_TRUE(decode(body));
    for (std::size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(decode(body.substr(0, size))) << size;
    EXPECT_FALSE(decode(body + '\0'));
    EXPECT_FALSE(decode(body + "x"));
    out.clear();
  };
  ASSERT_TRUE(encode_query("SELECT", out));
  refused_unless_exact([](const std::string& body) { return decode_query(body).has_value(); });
  ASSERT_TRUE(encode_parse("a", "b", types, out));
  refused_unless_exact([](const std::string& body) { return decode_parse(body).has_value(); });
  ASSERT_TRUE(encode_bind("a", "b", formats, values, formats, out));
  refused_unless_exact([](const std::string& body) { return decode_bind(body).has_value(); });
  ASSERT_TRUE(encode_describe(target_kind::portal, "a", out));
  refused_unless_exact([](const std::string& body) { return decode_describe(body).has_value(); });
  ASSERT_TRUE(encode_execute("a", 1, out));
  refused_unless_exact([](const std::string& body) { return decode_execute(body).has_value(); });
  ASSERT_TRUE(encode_function_call(1, formats, values, 1, out));
  refused_unless_exact([](const std::string& body) { return decode_function_call(body).has_value(); });
  ASSERT_TRUE(encode_sasl_initial("SCRAM-SHA-256", "x"sv, out));
  refused_unless_exact([](const std::string& body) { return decode_sasl_initial(body).has_value(); });
}

TEST(frontend, impossible_values_are_refused) {
  EXPECT_FALSE(decode_describe("Xname\0"sv));
  EXPECT_FALSE(decode_close("\0"sv));
  EXPECT_FALSE(decode_bind("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"sv));   // value length -2
  EXPECT_FALSE(decode_bind("\0\0\0\0\0\1\x7f\xff\xff\xffx\0\0"sv));  // far beyond the body
  EXPECT_FALSE(decode_bind("\0\0\xff\xff\0\1"sv));                   // more formats than bytes
  EXPECT_FALSE(decode_parse("\0\0\xff\xff\0\0\0\1"sv));
}

TEST(frontend, encoders_refuse_zero_bytes_and_leave_nothing) {
  const std::string_view zero = "a\0b"sv;
  std::string out;
  EXPECT_FALSE(encode_query(zero, out));
  EXPECT_FALSE(encode_parse(zero, "", {}, out));
  EXPECT_FALSE(encode_parse("", zero, {}, out));
  EXPECT_FALSE(encode_bind(zero, "", {}, {}, {}, out));
  EXPECT_FALSE(encode_bind("", zero, {}, {}, {}, out));
  EXPECT_FALSE(encode_describe(target_kind::portal, zero, out));
  EXPECT_FALSE(encode_close(target_kind::portal, zero, out));
  EXPECT_FALSE(encode_execute(zero, 0, out));
  EXPECT_FALSE(encode_copy_fail(zero, out));
  EXPECT_FALSE(encode_password(zero, out));
  EXPECT_FALSE(encode_sasl_initial(zero, {}, out));
  EXPECT_TRUE(out.empty());
}

TEST(frontend, a_body_above_the_limit_is_refused_not_truncated) {
  // The bytes are never touched: the size alone is refused.
  static const char byte = 'x';
  const std::string_view huge(&byte, std::size_t{max_body_size} + 1);
  const std::string_view wraps(&byte, std::size_t{UINT32_MAX} + 2);
  std::string out;
  EXPECT_FALSE(encode_copy_data(huge, out));
  EXPECT_FALSE(encode_copy_data(wraps, out));
  const value values[] = {wraps};
  EXPECT_FALSE(encode_bind("", "", {}, values, {}, out));
  EXPECT_FALSE(encode_function_call(1, {}, values, 0, out));
  EXPECT_TRUE(out.empty());
}

RC_GTEST_PROP(frontend_property, parse_round_trip, (std::vector<std::uint32_t> types)) {
  const std::string name = test::any_text();
  const std::string sql = test::any_text();
  std::string out;
  RC_ASSERT(encode_parse(name, sql, types, out));
  const auto parse = decode_parse(body_of(out, 'P'));
  RC_ASSERT(parse.has_value());
  RC_ASSERT(parse->statement == name);
  RC_ASSERT(parse->sql == sql);
  RC_ASSERT(same(parse->types, types));
}

RC_GTEST_PROP(frontend_property, bind_round_trip,
              (std::vector<std::int16_t> formats, std::vector<std::int16_t> results)) {
  const std::string portal = test::any_text();
  const std::string name = test::any_text();
  const auto values = test::any_values();
  std::string out;
  RC_ASSERT(encode_bind(portal, name, formats, test::views(values), results, out));
  const auto bind = decode_bind(body_of(out, 'B'));
  RC_ASSERT(bind.has_value());
  RC_ASSERT(bind->portal == portal);
  RC_ASSERT(bind->statement == name);
  RC_ASSERT(same(bind->formats, formats));
  RC_ASSERT(same(bind->values, test::views(values)));
  RC_ASSERT(same(bind->result_formats, results));
  for (std::size_t i = 0; i < values.size(); ++i) RC_ASSERT(bind->value(i) == test::views(values)[i]);
}

RC_GTEST_PROP(frontend_property, function_call_round_trip,
              (std::uint32_t function, std::vector<std::int16_t> formats, std::int16_t result)) {
  const auto values = test::any_values();
  std::string out;
  RC_ASSERT(encode_function_call(function, formats, test::views(values), result, out));
  const auto call = decode_function_call(body_of(out, 'F'));
  RC_ASSERT(call.has_value());
  RC_ASSERT(call->function == function);
  RC_ASSERT(same(call->formats, formats));
  RC_ASSERT(same(call->values, test::views(values)));
  RC_ASSERT(call->result_format == result);
}

RC_GTEST_PROP(frontend_property, short_messages_round_trip, (std::int32_t max_rows)) {
  const std::string text = test::any_text();
  std::string out;
  RC_ASSERT(encode_query(text, out));
  RC_ASSERT(decode_query(body_of(out, 'Q')) == text);
  out.clear();
  RC_ASSERT(encode_execute(text, max_rows, out));
  const auto execute = decode_execute(body_of(out, 'E'));
  RC_ASSERT(execute.has_value());
  RC_ASSERT(execute->portal == text);
  RC_ASSERT(execute->max_rows == max_rows);
  out.clear();
  RC_ASSERT(encode_close(target_kind::portal, text, out));
  const auto close = decode_close(body_of(out, 'C'));
  RC_ASSERT(close.has_value());
  RC_ASSERT(close->kind == target_kind::portal);
  RC_ASSERT(close->name == text);
  out.clear();
  RC_ASSERT(encode_sasl_initial("m", text, out));
  RC_ASSERT(decode_sasl_initial(body_of(out, 'p'))->response == text);
}
