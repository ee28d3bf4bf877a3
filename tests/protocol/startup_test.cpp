#include "protocol/startup.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/reader.hpp"
#include "tests/protocol/random_frames.hpp"

using namespace std::string_view_literals;
using namespace std::string_view_literals;
using namespace protocol;

namespace {

std::string packet(std::string_view after_length) {
  const auto length = static_cast<std::uint32_t>(after_length.size() + 4);
  std::string wire{static_cast<char>(length >> 24), static_cast<char>(length >> 16),
                   static_cast<char>(length >> 8), static_cast<char>(length)};
  return wire.append(after_length);
}

void expect_broken(std::string_view bytes, std::string_view reason) {
  const startup_packet read = read_startup(bytes);
  EXPECT_EQ(read.kind, startup_kind::broken);
  EXPECT_EQ(read.reason, reason);
}

}  // namespace

TEST(startup, message_with_parameters_in_order_and_the_last_duplicate_counting) {
  const std::string wire = packet("\0\3\0\0user\0a\0database\0b\0user\0c\0_pq_.x\0\0\0"sv);
  const startup_packet read = read_startup(wire);
  ASSERT_EQ(read.kind, startup_kind::startup_message);
  EXPECT_EQ(read.major, 3);
  EXPECT_EQ(read.minor, 0);
  EXPECT_EQ(read.wire, wire);
  ASSERT_EQ(read.parameters.size(), 4u);
  EXPECT_EQ(read.parameters[0], (startup_parameter{"user", "a"}));
  EXPECT_EQ(read.parameter("user"), "c");
  EXPECT_EQ(read.parameter("_pq_.x"), "");
  EXPECT_EQ(read.parameter("options"), std::nullopt);
}

TEST(startup, every_prefix_needs_more_and_bytes_behind_are_left) {
  const std::string wire = packet("\0\3\0\x02user\0a\0\0"sv);
  for (std::size_t size = 0; size < wire.size(); ++size) {
    EXPECT_EQ(read_startup(std::string_view(wire).substr(0, size)).kind, startup_kind::need_more);
  }
  const std::string longer = wire + "more";
  const startup_packet read = read_startup(longer);
  EXPECT_EQ(read.kind, startup_kind::startup_message);
  EXPECT_EQ(read.minor, 2);
  EXPECT_EQ(read.wire, wire);
}

TEST(startup, impossible_lengths_are_refused_at_once) {
  for (const auto length : {"\0\0\0\0"sv, "\0\0\0\1"sv, "\0\0\0\3"sv, "\0\0\0\7"sv}) {
    expect_broken(length, "startup packet length below 8");
  }
  for (const auto length :
       {"\0\0\x27\x15"sv, "\x7f\xff\xff\xff"sv, "\x80\0\0\0"sv, "\xff\xff\xff\xff"sv, "GET "sv}) {
    expect_broken(length, "startup packet length above 10,000");
  }
  EXPECT_EQ(read_startup("\0\0\x27\x14"sv).kind, startup_kind::need_more);
}

TEST(startup, layout_errors) {
  expect_broken(packet("\0\3\0\0"sv), "startup packet without a terminator");
  expect_broken(packet("\0\3\0\0user\0a\0"sv), "startup packet without a terminator");
  expect_broken(packet("\0\3\0\0user"sv), "startup packet without a terminator");
  expect_broken(packet("\0\3\0\0user\0"sv), "startup parameter without a value");
  expect_broken(packet("\0\3\0\0user\0a"sv), "startup parameter without a value");
  expect_broken(packet("\0\3\0\0user\0a\0\0x"sv), "startup packet with bytes after its terminator");
  EXPECT_EQ(read_startup(packet("\0\3\0\0\0"sv)).kind, startup_kind::startup_message);
}

TEST(startup, other_majors_are_reported_and_not_decoded) {
  const startup_packet two = read_startup(packet("\0\2\0\0whatever"sv));
  EXPECT_EQ(two.kind, startup_kind::startup_message);
  EXPECT_EQ(two.major, 2);
  EXPECT_TRUE(two.parameters.empty());
  const startup_packet unknown_request = read_startup(packet("\x04\xd2\x16\x31"sv));
  EXPECT_EQ(unknown_request.kind, startup_kind::startup_message);
  EXPECT_EQ(unknown_request.major, 1234);
  const startup_packet probe = read_startup(packet("\0\3\x27\x0f\0"sv));
  EXPECT_EQ(probe.minor, 9999);
}

TEST(startup, requests) {
  EXPECT_EQ(read_startup(ssl_request_packet).kind, startup_kind::ssl_request);
  EXPECT_EQ(read_startup(gssenc_request_packet).kind, startup_kind::gssenc_request);
  expect_broken(packet("\x04\xd2\x16\x2fx"sv), "encryption request of wrong length");
  const std::string wire = packet("\x04\xd2\x16\x2e\0\0\x10\x01wxyz"sv);
  const startup_packet cancel = read_startup(wire);
  EXPECT_EQ(cancel.kind, startup_kind::cancel_request);
  EXPECT_EQ(cancel.process_id, 0x1001u);
  EXPECT_EQ(cancel.key, "wxyz");
}

TEST(startup, cancel_keys_have_4_to_256_bytes) {
  for (const std::size_t size : {0u, 3u, 4u, 255u, 256u, 257u}) {
    const std::string key(size, '\0');
    const bool possible = size >= 4 && size <= 256;
    std::string encoded;
    EXPECT_EQ(encode_cancel_request(7, key, encoded), possible);
    const std::string wire = packet(std::string("\x04\xd2\x16\x2e\0\0\0\7"sv) + key);
    if (possible) {
      EXPECT_EQ(encoded, wire);
      EXPECT_EQ(read_startup(wire).key, key);
    } else {
      EXPECT_TRUE(encoded.empty());
      expect_broken(wire, "cancel request with a key of impossible length");
    }
  }
  expect_broken(packet("\x04\xd2\x16\x2e"sv), "cancel request with a key of impossible length");
}

TEST(startup, encoder_refuses_what_could_not_be_read_back) {
  std::string out = "x";
  for (const startup_parameter& bad : {startup_parameter{"", "v"}, {"a\0b"sv, "v"}, {"a", "v\0w"sv}}) {
    EXPECT_FALSE(encode_startup_message(3, 0, {&bad, 1}, out));
  }
  const std::string long_value(10000, 'x');
  const startup_parameter too_long{"options", long_value};
  EXPECT_FALSE(encode_startup_message(3, 0, {&too_long, 1}, out));
  const startup_parameter longest{"options", std::string_view(long_value).substr(0, 10000 - 4 - 8 - 1 - 1)};
  std::string wire;
  EXPECT_TRUE(encode_startup_message(3, 0, {&longest, 1}, wire));
  EXPECT_EQ(wire.size(), max_startup_size);
  EXPECT_EQ(read_startup(wire).parameters.front(), longest);
  EXPECT_EQ(out, "x");
}

RC_GTEST_PROP(startup_property, message_round_trip, (std::uint16_t minor)) {
  std::vector<std::pair<std::string, std::string>> owned(*rc::gen::inRange(0, 6));
  for (auto& [name, value] : owned) {
    name = "n" + test::any_text();
    value = test::any_text();
  }
  const std::vector<startup_parameter> parameters(owned.begin(), owned.end());
  std::string wire;
  RC_ASSERT(encode_startup_message(3, minor, parameters, wire));
  const startup_packet read = read_startup(wire);
  RC_ASSERT(read.kind == startup_kind::startup_message);
  RC_ASSERT(read.minor == minor);
  RC_ASSERT(read.parameters == parameters);
}
