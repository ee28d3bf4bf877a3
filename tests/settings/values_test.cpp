#include <array>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "proxy/ops/setting_values.hpp"
#include "proxy/ops/suggestion.hpp"

namespace proxy::ops {
namespace {

using std::chrono::milliseconds;

TEST(duration, reads_each_unit) {
  EXPECT_EQ(parse_duration("500ms").value, milliseconds{500});
  EXPECT_EQ(parse_duration("5s").value, milliseconds{5000});
  EXPECT_EQ(parse_duration("1m").value, milliseconds{60'000});
  EXPECT_EQ(parse_duration("0").value, milliseconds{0});
  EXPECT_EQ(parse_duration("0s").value, milliseconds{0});
  EXPECT_EQ(parse_duration("1440m").value, milliseconds{86'400'000});
}

TEST(duration, says_what_is_wrong) {
  EXPECT_EQ(parse_duration("5").problem, R"(has no unit; write "ms", "s" or "m" after the number)");
  EXPECT_EQ(parse_duration("5h").problem, R"(has an unknown unit; the units are "ms", "s" and "m")");
  EXPECT_EQ(parse_duration("5 s").problem, R"(has an unknown unit; the units are "ms", "s" and "m")");
  EXPECT_EQ(parse_duration("1441m").problem, "is longer than 24 hours");
  EXPECT_EQ(parse_duration("99999999999999999999s").problem, "is longer than 24 hours");
  EXPECT_EQ(parse_duration("9223372036854775807m").problem, "is longer than 24 hours");
  for (const auto* text : {"", "s", "-5s", "+5s", " 5s", "1.5s", "five", "0x5s"}) {
    EXPECT_FALSE(parse_duration(text).value) << text;
    EXPECT_FALSE(parse_duration(text).problem.empty()) << text;
  }
}

TEST(duration, prints_the_shortest_form) {
  EXPECT_EQ(to_text(milliseconds{0}), "0");
  EXPECT_EQ(to_text(milliseconds{1500}), "1500ms");
  EXPECT_EQ(to_text(milliseconds{5000}), "5s");
  EXPECT_EQ(to_text(milliseconds{120'000}), "2m");
}

TEST(decimal, is_normalised_without_losing_digits) {
  EXPECT_EQ(parse_decimal("0").value, "0");
  EXPECT_EQ(parse_decimal("+12.50").value, "12.50");
  EXPECT_EQ(parse_decimal("-007").value, "-7");
  EXPECT_EQ(parse_decimal("-0").value, "0");
  EXPECT_EQ(parse_decimal("-0.00").value, "0.00");
  EXPECT_EQ(parse_decimal("00.10").value, "0.10");
  EXPECT_EQ(parse_decimal("99999999999999999999999999.000000000000000000001").value,
            "99999999999999999999999999.000000000000000000001");
}

TEST(decimal, refuses_what_is_not_plain) {
  for (const auto* text : {"", "-", ".", "1.", ".5", "1e5", "1_000", "1,5", " 1", "1 ", "NaN", "Infinity",
                           "--1", "1.2.3", "1;DROP TABLE wallets"}) {
    EXPECT_FALSE(parse_decimal(text).value) << text;
  }
  EXPECT_EQ(parse_decimal(std::string(201, '1')).problem, "has more than 200 characters");
}

TEST(decimal, compares_exactly) {
  EXPECT_TRUE(compare_decimals("0", "0.00") == 0);
  EXPECT_TRUE(compare_decimals("-1", "0") < 0);
  EXPECT_TRUE(compare_decimals("-1", "-2") > 0);
  EXPECT_TRUE(compare_decimals("10", "9") > 0);
  EXPECT_TRUE(compare_decimals("-10", "-9") < 0);
  EXPECT_TRUE(compare_decimals("0.1", "0.09") > 0);
  EXPECT_TRUE(compare_decimals("0.1", "0.10") == 0);
  EXPECT_TRUE(compare_decimals("-0.1", "-0.10000000000000000000000000001") > 0);
  EXPECT_TRUE(compare_decimals("9007199254740993", "9007199254740992") > 0);  // equal as doubles
}

// Cents as an integer and as text must agree.
TEST(decimal, agrees_with_integer_arithmetic) {
  const auto text = [](std::int64_t cents) {
    const auto size = cents < 0 ? -cents : cents;
    const auto rest = std::to_string(size % 100);
    return (cents < 0 ? "-" : "") + std::to_string(size / 100) + "." + (rest.size() < 2 ? "0" : "") + rest;
  };
  EXPECT_TRUE(rc::check([&text] {
    const auto a = *rc::gen::inRange<std::int64_t>(-100'000, 100'000);
    const auto b = *rc::gen::inRange<std::int64_t>(-100'000, 100'000);
    const auto left = parse_decimal(text(a)).value;
    const auto right = parse_decimal(text(b)).value;
    RC_ASSERT(left && right);
    RC_ASSERT(compare_decimals(*left, *right) == (a <=> b));
  }));
}

TEST(names, fold_as_postgresql_does) {
  EXPECT_EQ(parse_relation_name("wallets").value, (relation_name{"", "wallets"}));
  EXPECT_EQ(parse_relation_name("Shop.Wallets").value, (relation_name{"shop", "wallets"}));
  EXPECT_EQ(parse_relation_name(R"("Shop"."My Wallets")").value, (relation_name{"Shop", "My Wallets"}));
  EXPECT_EQ(parse_relation_name(R"(shop."a""b.c")").value, (relation_name{"shop", "a\"b.c"}));
  EXPECT_EQ(parse_relation_name("_x$1").value, (relation_name{"", "_x$1"}));
  EXPECT_EQ(parse_relation_name("Größe").value, (relation_name{"", "größe"}));
  EXPECT_EQ(parse_relation_name("ÄRGER").value, (relation_name{"", "Ärger"}));  // only ASCII letters fold
  EXPECT_EQ(parse_name("Balance").value, "balance");
  EXPECT_EQ(parse_name("\"Balance\"").value, "Balance");
}

TEST(names, refuse_what_no_identifier_can_be) {
  for (const auto* text :
       {"", ".", "a.", ".a", "a.b.c", "\"a", "\"\"", "a b", "a-b", "1a", "a;", "\"a\"b", " a", "$a"}) {
    EXPECT_FALSE(parse_relation_name(text).value) << text;
  }
  EXPECT_FALSE(parse_name("wallets.balance").value);
  EXPECT_FALSE(parse_name(std::string("\"a\0\"", 4)).value);
  EXPECT_TRUE(parse_name(std::string(63, 'a')).value);
  EXPECT_EQ(parse_name(std::string(64, 'a')).problem, "a name has at most 63 bytes");
}

TEST(names, shown_ones_read_back_the_same) {
  EXPECT_EQ(display_name("wallets"), "wallets");
  EXPECT_EQ(display_name("Wallets"), "\"Wallets\"");
  EXPECT_TRUE(rc::check([](const std::string& name) {
    RC_PRE(!name.empty() && name.size() <= 63 && name.find('\0') == std::string::npos);
    RC_ASSERT(parse_name(display_name(name)).value == name);
  }));
}

TEST(suggestion, finds_the_near_word_only) {
  constexpr std::array<std::string_view, 3> known = {"lock_timeout", "turn_timeout", "min"};
  EXPECT_EQ(nearest("lock_timout", known), "lock_timeout");
  EXPECT_EQ(nearest("locktimeout", known), "lock_timeout");
  EXPECT_EQ(nearest("mni", known), "min");
  EXPECT_EQ(nearest("zzz", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(10'000, 'x'), known), "");
  EXPECT_EQ(shown("a\nb"), "\"a?b\"");
  EXPECT_EQ(shown(std::string(100, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace proxy::ops
