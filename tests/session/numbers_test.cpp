#include "proxy/session/numbers.hpp"

#include <charconv>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace proxy::session {
namespace {

using text = std::optional<std::string>;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

text numeric(std::string_view hex) {
  return numeric_text(from_hex(hex));
}

// What numeric_send and numeric_out of PostgreSQL 15 gave for the same value.
TEST(numbers, numeric_reads_as_postgresql_writes_it) {
  EXPECT_EQ(numeric("0000000000000000"), "0");
  EXPECT_EQ(numeric("0000000000000002"), "0.00");
  EXPECT_EQ(numeric("0002000000000002000c1388"), "12.50");
  EXPECT_EQ(numeric("0002000040000002000c1388"), "-12.50");
  EXPECT_EQ(numeric("000500000000000e016d0897270f270f25e4"), "365.21999999999997");
  EXPECT_EQ(numeric("00010001000000000001"), "10000");
  EXPECT_EQ(numeric("00010002000000000001"), "100000000");
  EXPECT_EQ(numeric("0001ffff000000040001"), "0.0001");
  EXPECT_EQ(numeric("0001fffe0000000503e8"), "0.00001");
  EXPECT_EQ(numeric("0002fffe4000000c000108fc"), "-0.000000012300");
  EXPECT_EQ(numeric("0005000400000003007b11d722c509291a85"), "1234567890123456789.000");
  EXPECT_EQ(numeric("00010005000000000001"), "100000000000000000000");
  EXPECT_EQ(numeric("0002000040000004270f270f"), "-9999.9999");
  EXPECT_EQ(numeric("0003000100000004000100000001"), "10000.0001");
  EXPECT_EQ(numeric("0001ffff0000000203e8"), "0.10");
  EXPECT_EQ(numeric("0001000100000000270f"), "99990000");
  EXPECT_EQ(numeric("00000000c0000000"), "NaN");
  EXPECT_EQ(numeric("00000000d0000020"), "Infinity");
  EXPECT_EQ(numeric("00000000f0000020"), "-Infinity");
}

TEST(numbers, numeric_digits_that_its_scale_hides_are_cut_off) {
  EXPECT_EQ(numeric("0002000000000001000c1388"), "12.5");
  EXPECT_EQ(numeric("0002000040000000000c1388"), "-12");
  EXPECT_EQ(numeric("0001ffff400000020001"), "0.00");
}

TEST(numbers, what_numeric_recv_refuses_is_no_numeric) {
  EXPECT_EQ(numeric(""), std::nullopt);
  EXPECT_EQ(numeric("00000000000000"), std::nullopt);
  EXPECT_EQ(numeric("0001000000000000"), std::nullopt);
  EXPECT_EQ(numeric("000000000000000000"), std::nullopt);
  EXPECT_EQ(numeric("00010000000000002710"), std::nullopt);
  EXPECT_EQ(numeric("0000000080000000"), std::nullopt);
  EXPECT_EQ(numeric("0000000000004000"), std::nullopt);
}

TEST(numbers, numeric_never_runs_over_any_bytes) {
  EXPECT_TRUE(rc::check("any header",
                        [](std::uint16_t weight, std::uint16_t scale, std::vector<std::uint16_t> groups) {
                          std::string bytes;
                          const auto add = [&](std::uint16_t n) {
                            bytes += static_cast<char>(n >> 8U);
                            bytes += static_cast<char>(n & 0xFFU);
                          };
                          add(static_cast<std::uint16_t>(groups.size()));
                          add(weight);
                          add(0);
                          add(scale & 0x3FFFU);
                          for (const auto group : groups) add(group % 10000);
                          const auto read = numeric_text(bytes);
                          RC_ASSERT(read);
                          RC_ASSERT(read->size() <= 147'456U);
                          RC_ASSERT(decimal_form(*read));
                        }));
}

TEST(numbers, floats_are_written_as_postgresql_writes_them) {
  EXPECT_EQ(shortest(0.0), "0");
  EXPECT_EQ(shortest(-0.0), "-0");
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(-365.21999999999997), "-365.21999999999997");
  EXPECT_EQ(shortest(100000.0), "100000");
  EXPECT_EQ(shortest(123456789012345.0), "123456789012345");
  EXPECT_EQ(shortest(999999999999999.0), "999999999999999");
  EXPECT_EQ(shortest(1e15), "1e+15");
  EXPECT_EQ(shortest(1.5e15), "1.5e+15");
  EXPECT_EQ(shortest(0.0001), "0.0001");
  EXPECT_EQ(shortest(0.00001), "1e-05");
  EXPECT_EQ(shortest(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(shortest(5e-324), "5e-324");
  EXPECT_EQ(shortest(9007199254740993.0), "9.007199254740992e+15");
  EXPECT_EQ(shortest(0.1F), "0.1");
  EXPECT_EQ(shortest(100000.0F), "100000");
  EXPECT_EQ(shortest(123456.7F), "123456.7");
  EXPECT_EQ(shortest(1e6F), "1e+06");
  EXPECT_EQ(shortest(12345678.0F), "1.2345678e+07");
  EXPECT_EQ(shortest(3.4028235e38F), "3.4028235e+38");
  EXPECT_EQ(shortest(1e-45F), "1e-45");
}

TEST(numbers, floats_read_back_the_same) {
  EXPECT_TRUE(rc::check("double", [](std::uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(number == number);
    const auto written = shortest(number);
    if (written.ends_with("Infinity")) return;
    double again = 0;
    std::from_chars(written.data(), written.data() + written.size(), again);
    RC_ASSERT(std::bit_cast<std::uint64_t>(again) == bits);
  }));
}

TEST(numbers, one_decimal_form_for_every_spelling) {
  for (const auto* spelling : {"12.5", " +012.500\n", "1.25e1", "125E-1", "0.00125e+4", "12.50"}) {
    EXPECT_EQ(decimal_form(spelling), "12.5") << spelling;
  }
  for (const auto* spelling : {"0", "-0", "+0.00", ".0", "0.", "0e5", "-0e-7"}) {
    EXPECT_EQ(decimal_form(spelling), "0") << spelling;
  }
  EXPECT_EQ(decimal_form("1e3"), "1000");
  EXPECT_EQ(decimal_form("-1.5e-3"), "-0.0015");
  EXPECT_EQ(decimal_form("100"), "100");
  EXPECT_EQ(decimal_form("nAn"), "NaN");
  EXPECT_EQ(decimal_form("inf"), "Infinity");
  EXPECT_EQ(decimal_form("-Infinity"), "-Infinity");
  for (const auto* none : {"", " ", "-", ".", "e5", "1e", "1e1001", "1 2", "1,5", "--1", "0x10", "1_000",
                           "-NaN", "infinityx", "1.2.3", "1e-1001", "1e99999999999999999999"}) {
    EXPECT_EQ(decimal_form(none), std::nullopt) << none;
  }
}

TEST(numbers, decimal_form_keeps_the_value_and_is_its_own_form) {
  EXPECT_TRUE(rc::check("shifted", [](std::int32_t digits, bool plus) {
    const int shift = *rc::gen::inRange(-20, 20);
    const std::string written =
        (plus && digits >= 0 ? "+" : "") + std::to_string(digits) + "e" + std::to_string(shift);
    const auto form = decimal_form(written);
    RC_ASSERT(form);
    RC_ASSERT(decimal_form(*form) == form);
    RC_ASSERT(decimal_form(*form + "e" + std::to_string(-shift)) == std::to_string(digits));
  }));
}

}  // namespace
}  // namespace proxy::session
