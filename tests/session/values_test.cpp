#include "proxy/session/values.hpp"

#include <array>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace proxy::session {
namespace {

using namespace std::string_literals;
using text = std::optional<std::string>;

constexpr std::uint32_t boolean = 16;
constexpr std::uint32_t name = 19;
constexpr std::uint32_t int8 = 20;
constexpr std::uint32_t int2 = 21;
constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t text_type = 25;
constexpr std::uint32_t oid = 26;
constexpr std::uint32_t float4 = 700;
constexpr std::uint32_t float8 = 701;
constexpr std::uint32_t unknown = 705;
constexpr std::uint32_t bpchar = 1042;
constexpr std::uint32_t varchar = 1043;
constexpr std::uint32_t timestamptz = 1184;
constexpr std::uint32_t numeric = 1700;
constexpr std::uint32_t uuid = 2950;
constexpr std::uint32_t some_domain = 16'500;

constexpr std::array all_types{boolean,     name,    int8,   int2,    int4,       text_type,
                               oid,         float4,  float8, unknown, bpchar,     varchar,
                               timestamptz, numeric, uuid,   0U,      some_domain};

bound_value as_text(std::uint32_t type, std::string_view bytes) {
  return {type, 0, std::string(bytes)};
}
bound_value as_binary(std::uint32_t type, std::string_view bytes) {
  return {type, 1, std::string(bytes)};
}

template <class Number>
std::string big_endian(Number number) {
  std::string bytes;
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>((number >> shift) & 0xFF);
  }
  return bytes;
}

TEST(values, binary_integers_have_the_width_of_their_type) {
  EXPECT_EQ(text_of(as_binary(int2, big_endian(std::int16_t{-7}))), "-7");
  EXPECT_EQ(text_of(as_binary(int4, big_endian(std::int32_t{-7}))), "-7");
  EXPECT_EQ(text_of(as_binary(int8, big_endian(INT64_MIN))), "-9223372036854775808");
  EXPECT_EQ(text_of(as_binary(oid, "\xff\xff\xff\xfe")), "4294967294");
  EXPECT_EQ(text_of(as_binary(int4, big_endian(std::int16_t{7}))), std::nullopt);
  EXPECT_EQ(text_of(as_binary(int8, "")), std::nullopt);
}

TEST(values, other_binary_values_read_as_text) {
  EXPECT_EQ(text_of(as_binary(boolean, "\1")), "t");
  EXPECT_EQ(text_of(as_binary(boolean, "\0"s)), "f");
  EXPECT_EQ(text_of(as_binary(boolean, "")), std::nullopt);
  EXPECT_EQ(text_of(as_binary(varchar, "ab c")), "ab c");
  EXPECT_EQ(text_of(as_binary(numeric, "\0\2\0\0\0\0\0\2\0\x0c\x13\x88"s)), "12.50");
  EXPECT_EQ(text_of(as_binary(float8, "\xc0\x76\xd3\x85\x1e\xb8\x51\xeb")), "-365.21999999999997");
  EXPECT_EQ(text_of(as_binary(float8, "\x7f\xf8\0\0\0\0\0\0"s)), "NaN");
  EXPECT_EQ(text_of(as_binary(float4, "\x3d\xcc\xcc\xcd")), "0.1");
  EXPECT_EQ(text_of(as_binary(float4, "\xff\x80\0\0"s)), "-Infinity");
  EXPECT_EQ(text_of(as_binary(float4, "\x3d\xcc\xcc")), std::nullopt);
  EXPECT_EQ(text_of(as_binary(float8, "\x3d\xcc\xcc\xcd")), std::nullopt);
  EXPECT_EQ(text_of(as_binary(uuid, "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11")),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(text_of(as_binary(timestamptz, big_endian(std::int64_t{0}))), std::nullopt);
  EXPECT_EQ(text_of(as_binary(0, "7")), std::nullopt);
}

TEST(values, text_stays_as_it_is) {
  EXPECT_EQ(text_of(as_text(timestamptz, "2024-05-01 12:00:00+02")), "2024-05-01 12:00:00+02");
  EXPECT_EQ(text_of(as_text(int4, " 007")), " 007");
  EXPECT_EQ(text_of(as_text(text_type, "a\0b"s)), std::nullopt);
  EXPECT_EQ(text_of({int4, 0, std::nullopt}), std::nullopt);
  EXPECT_EQ(text_of({int4, 2, "1"}), std::nullopt);
}

TEST(values, every_spelling_of_an_integer_key_is_one) {
  for (const std::uint32_t key : {int2, int4, int8, oid}) {
    for (const std::uint32_t type : {0U, int2, int4, int8, unknown, numeric}) {
      for (const auto* spelling : {"7", "007", " 7", "+7\n", "\t+0007 "}) {
        EXPECT_EQ(canonical(as_text(type, spelling), key), "7") << type << spelling;
      }
    }
    for (const std::uint32_t type : {0U, int2, int4, int8}) {
      EXPECT_EQ(canonical(as_binary(type, big_endian(std::int16_t{7})), key), "7");
      EXPECT_EQ(canonical(as_binary(type, big_endian(std::int32_t{7})), key), "7");
      EXPECT_EQ(canonical(as_binary(type, big_endian(std::int64_t{7})), key), "7");
    }
  }
  EXPECT_EQ(canonical(as_text(0, " -0012"), int8), "-12");
  EXPECT_EQ(canonical(as_text(numeric, "7.00"), int8), "7");
  EXPECT_EQ(canonical(as_binary(float8, "\x40\x1c\0\0\0\0\0\0"s), int8), "7");
}

TEST(values, what_may_be_another_integer_key_is_not_told) {
  EXPECT_EQ(canonical(as_text(0, "seven"), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(0, ""), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(0, "0x7"), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(0, "9223372036854775808"), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(numeric, "7.5"), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(float8, "9007199254740994"), int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(oid, "-1"), oid), std::nullopt);
  EXPECT_EQ(canonical(as_binary(int4, big_endian(std::int32_t{-1})), int8), "-1");
  EXPECT_EQ(canonical(as_binary(oid, big_endian(std::int32_t{-1})), int8), "4294967295");
  EXPECT_EQ(canonical(as_binary(0, "1"), int8), std::nullopt);
  EXPECT_EQ(canonical({int8, 0, std::nullopt}, int8), std::nullopt);
  EXPECT_EQ(canonical(as_text(timestamptz, "7"), int8), std::nullopt);
}

TEST(values, text_keys_are_told_apart_by_bytes) {
  for (const std::uint32_t key : {text_type, varchar, name}) {
    for (const std::uint32_t type : {0U, text_type, varchar, unknown}) {
      EXPECT_EQ(canonical(as_text(type, " Ab "), key), " Ab ");
      EXPECT_EQ(canonical(as_binary(type, "Ab"), key), "Ab");
    }
  }
  EXPECT_EQ(canonical(as_text(int4, "7"), text_type), std::nullopt);
  EXPECT_EQ(canonical(as_text(0, std::string(64, 'a')), name), std::nullopt);
}

TEST(values, padding_of_a_character_key_does_not_count) {
  EXPECT_EQ(canonical(as_text(bpchar, "ab   "), bpchar, speaker::server), "ab");
  EXPECT_EQ(canonical(as_text(0, "ab"), bpchar), "ab");
  EXPECT_EQ(canonical(as_text(unknown, "ab "), bpchar), "ab");
  EXPECT_EQ(canonical(as_text(text_type, "ab"), bpchar), "ab");
  EXPECT_EQ(canonical(as_text(text_type, "ab "), bpchar), std::nullopt);
  EXPECT_EQ(canonical(as_text(bpchar, "ab "), text_type), std::nullopt);
}

TEST(values, other_keys_in_several_spellings) {
  for (const auto* spelling :
       {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11}",
        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11"}) {
    EXPECT_EQ(canonical(as_text(0, spelling), uuid), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") << spelling;
  }
  EXPECT_EQ(canonical(as_binary(0, "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"), uuid),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  for (const auto* none :
       {"", "{}", "a0eebc99", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a-0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
        " a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a1g"}) {
    EXPECT_EQ(canonical(as_text(0, none), uuid), std::nullopt) << none;
  }
  EXPECT_EQ(canonical(as_text(0, " 12.50"), numeric), "12.5");
  EXPECT_EQ(canonical(as_binary(0, "\0\2\0\0\0\0\0\2\0\x0c\x13\x88"s), numeric), "12.5");
  EXPECT_EQ(canonical(as_binary(int4, big_endian(std::int32_t{12})), numeric), "12");
  EXPECT_EQ(canonical(as_text(float8, "12.5"), numeric), std::nullopt);
  for (const auto* spelling : {"t", "TRUE", " tr", "y", "yes", "on", "1"}) {
    EXPECT_EQ(canonical(as_text(0, spelling), boolean), "t") << spelling;
  }
  for (const auto* spelling : {"f", "fal", "N", "no", "of", "off", "0"}) {
    EXPECT_EQ(canonical(as_text(unknown, spelling), boolean), "f") << spelling;
  }
  for (const auto* none : {"", "o", "2", "truest", "nope"}) {
    EXPECT_EQ(canonical(as_text(0, none), boolean), std::nullopt) << none;
  }
  EXPECT_EQ(canonical(as_binary(boolean, "\1"), boolean), "t");
}

TEST(values, a_clients_spelling_of_any_other_key_is_not_told) {
  EXPECT_EQ(canonical(as_text(timestamptz, "2024-05-01 12:00:00+02"), timestamptz), std::nullopt);
  EXPECT_EQ(canonical(as_text(timestamptz, "2024-05-01 12:00:00+02"), timestamptz, speaker::server),
            "2024-05-01 12:00:00+02");
  EXPECT_EQ(canonical(as_binary(timestamptz, big_endian(std::int64_t{0})), timestamptz, speaker::server),
            std::nullopt);
  EXPECT_EQ(canonical(as_text(int8, "7"), some_domain), std::nullopt);
  EXPECT_EQ(canonical(as_binary(int8, big_endian(std::int64_t{7})), some_domain, speaker::server), "7");
  EXPECT_EQ(canonical(as_text(numeric, "7.50"), some_domain, speaker::server), "7.5");
}

TEST(values, what_the_server_says_in_text_and_binary_is_the_same_key) {
  EXPECT_TRUE(rc::check("integers", [](std::int64_t number) {
    const auto binary = canonical(as_binary(int8, big_endian(number)), int8, speaker::server);
    RC_ASSERT(binary);
    RC_ASSERT(canonical(as_text(int8, std::to_string(number)), int8, speaker::server) == binary);
    RC_ASSERT(canonical(as_text(0, *binary), int8) == binary);
  }));
}

TEST(values, any_bytes_are_read_safely) {
  EXPECT_TRUE(rc::check("any", [](std::string bytes, bool binary) {
    const bound_value value{*rc::gen::elementOf(all_types), static_cast<std::int16_t>(binary), bytes};
    const auto key = *rc::gen::elementOf(all_types);
    static_cast<void>(text_of(value));
    for (const auto who : {speaker::client, speaker::server}) {
      const auto form = canonical(value, key, who);
      if (form && key != some_domain) RC_ASSERT(canonical(as_text(key, *form), key, who) == form);
    }
  }));
}

rules::sql_piece sql(std::string_view words) {
  return {rules::sql_piece::type::text, std::string(words), 0};
}
rules::sql_piece parameter(std::uint16_t number) {
  return {rules::sql_piece::type::parameter, "", number};
}
rules::sql_piece previous() {
  return {rules::sql_piece::type::previous, "", 0};
}

/// A Bind message and the view into it.
class bind_message {
 public:
  bind_message(const std::vector<std::int16_t>& formats,
               const std::vector<std::optional<std::string_view>>& values) {
    EXPECT_TRUE(protocol::frontend::encode_bind("", "", formats, values, {}, bytes_));
    view_ = *protocol::frontend::decode_bind(std::string_view(bytes_).substr(5));
  }
  [[nodiscard]] const protocol::frontend::bind_view* view() const { return &view_; }

 private:
  std::string bytes_;
  protocol::frontend::bind_view view_;
};

TEST(values, an_expression_takes_the_clients_values_and_the_value_before) {
  const bind_message bind({0, 1}, {"3.25", "\0\0\0\7"s});
  const sql_value read = cast(as_text(numeric, "10.00"), "numeric(12,2)");
  const rules::sql_expression subtract{sql("CAST("),
                                       previous(),
                                       sql(" - "),
                                       parameter(1),
                                       sql(" * "),
                                       parameter(2),
                                       sql(" AS numeric(12,2))")};
  const auto moved = evaluate(subtract, bind.view(), {0, int4}, &read);
  ASSERT_TRUE(moved);

  parameter_list parameters{{as_text(int4, "1")}};
  EXPECT_EQ(with_parameters(*moved, parameters),
            "CAST((CAST($2 AS numeric(12,2))) - $3 * $4 AS numeric(12,2))");
  EXPECT_EQ(parameters.values, (std::vector{as_text(int4, "1"), as_text(numeric, "10.00"), as_text(0, "3.25"),
                                            as_binary(int4, "\0\0\0\7"s)}));
  EXPECT_EQ(with_constants(*moved),
            "CAST((CAST(CAST('10.00' AS pg_catalog.numeric) AS numeric(12,2))) - '3.25' * "
            "CAST('7' AS pg_catalog.int4) AS numeric(12,2))");
}

TEST(values, an_expression_whose_parts_are_missing_has_no_value) {
  const bind_message bind({}, {"1"});
  EXPECT_EQ(evaluate({parameter(1)}, nullptr, {}, nullptr), std::nullopt);
  EXPECT_EQ(evaluate({parameter(2)}, bind.view(), {}, nullptr), std::nullopt);
  EXPECT_EQ(evaluate({parameter(0)}, bind.view(), {}, nullptr), std::nullopt);
  EXPECT_EQ(evaluate({previous()}, bind.view(), {}, nullptr), std::nullopt);
  EXPECT_TRUE(evaluate({parameter(1)}, bind.view(), {}, nullptr));
  EXPECT_TRUE(evaluate({sql("5")}, nullptr, {}, nullptr));
}

TEST(values, text_of_an_expression_is_kept_in_one_piece) {
  const auto made = evaluate({sql("CAST("), sql("1"), sql(""), sql(")")}, nullptr, {}, nullptr);
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, (sql_value{{{"CAST(1)", std::nullopt}}}));
}

TEST(values, null_stays_null) {
  const bind_message bind({}, {std::nullopt});
  const auto made = evaluate({sql("1 +"), parameter(1)}, bind.view(), {int4}, nullptr);
  ASSERT_TRUE(made);
  EXPECT_EQ(with_constants(*made), "1 + CAST(NULL AS pg_catalog.int4)");
  const auto untyped = evaluate({sql("1 +"), parameter(1)}, bind.view(), {}, nullptr);
  EXPECT_EQ(with_constants(*untyped), "1 + NULL");
  parameter_list parameters;
  EXPECT_EQ(with_parameters(*made, parameters), "1 +$1");
  EXPECT_EQ(parameters.values.front().bytes, std::nullopt);
}

TEST(values, constants_are_quoted_whatever_is_in_them) {
  EXPECT_EQ(with_constants({{{"", as_text(text_type, R"(it's \ here)")}}}),
            R"(CAST(E'it''s \\ here' AS pg_catalog.text))");
  EXPECT_EQ(with_constants({{{"a&", as_text(unknown, "b")}}}), "a& 'b'");
  EXPECT_EQ(with_constants({{{"x(", as_text(timestamptz, "2024-05-01")}, {")", std::nullopt}}}),
            "x('2024-05-01')");
  EXPECT_EQ(with_constants({{{"", as_binary(timestamptz, big_endian(std::int64_t{0}))}}}), std::nullopt);
  EXPECT_EQ(with_constants({{{"", as_binary(int4, "1")}}}), std::nullopt);
  EXPECT_EQ(with_constants({{{"", as_text(text_type, "a\0b"s)}}}), std::nullopt);
}

}  // namespace
}  // namespace proxy::session
