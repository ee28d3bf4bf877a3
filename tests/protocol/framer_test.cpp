#include "protocol/framer.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

using namespace std::string_view_literals;
using namespace protocol;

namespace {

std::string message(char tag, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 4);
  std::string wire{tag, static_cast<char>(length >> 24), static_cast<char>(length >> 16),
                   static_cast<char>(length >> 8), static_cast<char>(length)};
  return wire.append(body);
}

whole_limits limits_of(std::uint32_t limit) {
  whole_limits limits;
  limits.bytes.fill(limit);
  return limits;
}

/// What one message arrived as.
struct arrival {
  char tag = 0;
  std::string wire;
  std::string body;
  bool streamed = false;
  bool complete = false;

  bool operator==(const arrival&) const = default;
};

/// Takes up to `most` pieces, checks that they follow each other rightly, and joins them to messages.
class collector {
 public:
  void take(framer& from, std::size_t most = SIZE_MAX) {
    for (std::size_t i = 0; i < most; ++i) {
      const piece one = from.next();
      if (one.kind == piece_kind::need_more || one.kind == piece_kind::broken) break;
      add(one);
    }
  }

  void add(const piece& one) {
    const bool begins = one.kind == piece_kind::whole || one.kind == piece_kind::head;
    ASSERT_EQ(begins, messages.empty() || messages.back().complete);
    if (begins) {
      messages.push_back({one.frame.tag, {}, {}, one.kind == piece_kind::head, false});
      ASSERT_GE(one.frame.wire.size(), header_size);
      ASSERT_EQ(one.frame.wire[0], one.frame.tag);
      ASSERT_EQ(load_u32(one.frame.wire.data() + 1), one.body_size + 4);
    } else {
      ASSERT_FALSE(one.frame.wire.empty());
    }
    arrival& now = messages.back();
    ASSERT_EQ(one.frame.tag, now.tag);
    now.wire += one.frame.wire;
    now.body += one.frame.body;
    now.complete = one.kind == piece_kind::whole || one.kind == piece_kind::tail;
    if (now.complete) {
      ASSERT_EQ(now.body.size(), one.body_size);
    }
  }

  std::vector<arrival> messages;
};

}  // namespace

TEST(framer, several_messages_in_one_feed_are_views_of_it) {
  const whole_limits limits = limits_of(100);
  const std::string wire = message('Q', "abc") + message('S', "") + message('D', "xyz");
  framer cut(limits);
  cut.feed(wire);
  piece one = cut.next();
  EXPECT_EQ(one.kind, piece_kind::whole);
  EXPECT_EQ(one.frame.tag, 'Q');
  EXPECT_EQ(one.frame.body, "abc");
  EXPECT_EQ(one.body_size, 3u);
  EXPECT_EQ(one.frame.wire.data(), wire.data());
  EXPECT_EQ(cut.next().frame.wire, message('S', ""));
  EXPECT_EQ(cut.next().frame.body, "xyz");
  EXPECT_EQ(cut.next().kind, piece_kind::need_more);
  cut.settle();
  EXPECT_EQ(cut.held(), 0u);
}

TEST(framer, a_small_message_is_held_until_it_is_whole) {
  const whole_limits limits = limits_of(3);
  framer cut(limits);
  const std::string wire = message('Q', "abc");
  for (const char& byte : wire) {
    EXPECT_EQ(cut.next().kind, piece_kind::need_more);
    cut.settle();
    cut.feed({&byte, 1});
  }
  EXPECT_EQ(cut.held(), 8u);
  EXPECT_EQ(cut.next().frame.body, "abc");
  EXPECT_EQ(cut.held(), 0u);
}

TEST(framer, a_large_message_streams_as_it_arrives) {
  const whole_limits limits = limits_of(3);
  const std::string wire = message('d', "abcdef") + message('c', "");
  framer cut(limits);
  cut.feed(std::string_view(wire).substr(0, 6));
  piece one = cut.next();
  EXPECT_EQ(one.kind, piece_kind::head);
  EXPECT_EQ(one.frame.wire, wire.substr(0, 6));
  EXPECT_EQ(one.frame.body, "a");
  EXPECT_EQ(one.body_size, 6u);
  EXPECT_TRUE(cut.inside_message());
  EXPECT_EQ(cut.next().kind, piece_kind::need_more);
  cut.settle();
  EXPECT_EQ(cut.held(), 0u);
  cut.feed("bc"sv);
  one = cut.next();
  EXPECT_EQ(one.kind, piece_kind::part);
  EXPECT_EQ(one.frame.wire, "bc");
  EXPECT_EQ(one.body_size, 6u);
  cut.settle();
  cut.feed(std::string_view(wire).substr(8));
  one = cut.next();
  EXPECT_EQ(one.kind, piece_kind::tail);
  EXPECT_EQ(one.frame.body, "def");
  EXPECT_EQ(cut.next().frame.tag, 'c');
  EXPECT_FALSE(cut.inside_message());
}

TEST(framer, a_large_message_that_is_all_there_still_streams) {
  const whole_limits limits = limits_of(3);
  const std::string wire = message('d', "abcdef");
  framer cut(limits);
  cut.feed(wire);
  EXPECT_EQ(cut.next().kind, piece_kind::head);
  const piece tail = cut.next();
  EXPECT_EQ(tail.kind, piece_kind::tail);
  EXPECT_EQ(tail.frame.body, "abcdef");
}

TEST(framer, limit_zero_never_holds_back_and_gives_whole_what_is_complete) {
  const whole_limits limits = limits_of(0);
  const std::string wire = message('D', "abc") + message('D', "defg");
  framer cut(limits);
  cut.feed(std::string_view(wire).substr(0, 15));
  EXPECT_EQ(cut.next().kind, piece_kind::whole);
  EXPECT_EQ(cut.next().kind, piece_kind::head);
  cut.settle();
  EXPECT_EQ(cut.held(), 0u);
  cut.feed(std::string_view(wire).substr(15));
  EXPECT_EQ(cut.next().kind, piece_kind::tail);

  // Cut inside the header, and complete with the next feed: whole.
  cut.settle();
  cut.feed(std::string_view(wire).substr(0, 2));
  EXPECT_EQ(cut.next().kind, piece_kind::need_more);
  cut.settle();
  cut.feed(std::string_view(wire).substr(2));
  EXPECT_EQ(cut.next().kind, piece_kind::whole);
  EXPECT_EQ(cut.next().frame.body, "defg");
}

TEST(framer, limits_are_by_tag_and_may_be_replaced) {
  whole_limits limits = limits_of(0);
  limits.set('Q', 10);
  framer cut(limits);
  cut.feed("Q\0\0\0\7ab"sv);
  EXPECT_EQ(cut.next().kind, piece_kind::need_more);
  cut.settle();
  const whole_limits none = limits_of(0);
  cut.set_limits(none);
  const piece head = cut.next();
  EXPECT_EQ(head.kind, piece_kind::head);
  EXPECT_EQ(head.frame.body, "ab");
  cut.feed("c"sv);
  EXPECT_EQ(cut.next().kind, piece_kind::tail);
}

TEST(framer, a_message_may_end_where_pieces_point_into_the_carry) {
  const whole_limits limits = limits_of(1000);
  const std::string wire = message('1', "") + message('2', "x") + message('Q', "abcdef") + message('S', "");
  framer cut(limits);
  cut.feed(std::string_view(wire).substr(0, 14));
  cut.settle();  // nothing was taken
  cut.feed(std::string_view(wire).substr(14));
  const piece a = cut.next();
  const piece b = cut.next();
  const piece c = cut.next();
  const piece d = cut.next();
  std::string all;
  for (const piece& one : {a, b, c, d}) all += one.frame.wire;
  EXPECT_EQ(all, wire);
  EXPECT_EQ(cut.next().kind, piece_kind::need_more);
  cut.settle();
  EXPECT_EQ(cut.held(), 0u);
}

TEST(framer, impossible_lengths_break_the_stream_for_good) {
  const whole_limits limits = limits_of(0);
  for (const auto& [header, reason] : {std::pair{"Q\0\0\0\0"sv, "message length below 4"sv},
                                       {"Q\0\0\0\3"sv, "message length below 4"sv},
                                       {"Q\x40\0\0\4"sv, "message length above 1 GiB"sv},
                                       {"Q\x7f\xff\xff\xff"sv, "message length above 1 GiB"sv},
                                       {"Q\x80\0\0\0"sv, "message length above 1 GiB"sv},
                                       {"Q\xff\xff\xff\xff"sv, "message length above 1 GiB"sv}}) {
    for (std::size_t split = 0; split <= header.size(); ++split) {
      framer cut(limits);
      const std::string good = message('S', "") + std::string(header);
      cut.feed(std::string_view(good).substr(0, 5 + split));
      EXPECT_EQ(cut.next().frame.tag, 'S');
      if (split < header.size()) {
        EXPECT_EQ(cut.next().kind, piece_kind::need_more);
      }
      cut.settle();
      cut.feed(std::string_view(good).substr(5 + split));
      EXPECT_EQ(cut.next().kind, piece_kind::broken);
      EXPECT_EQ(cut.broken_reason(), reason);
      cut.settle();
      cut.feed("S\0\0\0\4"sv);
      EXPECT_EQ(cut.next().kind, piece_kind::broken);
      EXPECT_TRUE(cut.broken());
    }
  }
}

TEST(framer, the_largest_length_is_accepted) {
  const whole_limits limits = limits_of(0);
  framer cut(limits);
  cut.feed("d\x40\0\0\3x"sv);
  const piece head = cut.next();
  EXPECT_EQ(head.kind, piece_kind::head);
  EXPECT_EQ(head.body_size, max_body_size);
}

TEST(framer, a_gigabyte_streams_without_being_held) {
  const whole_limits limits = limits_of(1 << 20);
  const std::string chunk(1 << 20, 'x');
  framer cut(limits);
  cut.feed("d\x40\0\0\3"sv);
  std::uint64_t seen = cut.next().frame.body.size();
  piece_kind last = piece_kind::head;
  while (last != piece_kind::tail) {
    cut.settle();
    cut.feed(chunk);
    const piece one = cut.next();
    ASSERT_TRUE(one.kind == piece_kind::part || one.kind == piece_kind::tail);
    seen += one.frame.body.size();
    last = one.kind;
    ASSERT_LE(cut.held(), 1u);
  }
  EXPECT_EQ(seen, max_body_size);
}

TEST(framer, one_byte_at_a_time_is_linear) {
  const whole_limits limits = limits_of(8 << 20);
  const std::string wire = message('Q', std::string(4 << 20, 'x'));
  framer cut(limits);
  const auto start = std::chrono::steady_clock::now();
  for (const char& byte : wire) {
    cut.feed({&byte, 1});
    if (cut.next().kind == piece_kind::whole) break;
    cut.settle();
  }
  EXPECT_EQ(cut.held(), 0u);
  // Quadratic copying would take many minutes; linear under sanitizers takes about a second.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(framer, a_long_backlog_taken_one_by_one_is_linear) {
  const whole_limits limits = limits_of(100);
  std::string wire;
  for (int i = 0; i < 400000; ++i) wire += message('S', "");
  framer cut(limits);
  cut.feed(wire);
  const auto start = std::chrono::steady_clock::now();
  std::size_t taken = 0;
  while (cut.next().kind == piece_kind::whole) {
    cut.settle();
    ++taken;
  }
  EXPECT_EQ(taken, 400000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

RC_GTEST_PROP(framer_property, any_chunking_gives_the_same_messages, ()) {
  std::string wire;
  std::vector<arrival> expected;
  const auto limit = *rc::gen::inRange<std::uint32_t>(0, 12);
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const char tag = *rc::gen::arbitrary<char>();
    const std::string body(*rc::gen::inRange<std::size_t>(0, 24), static_cast<char>('a' + i));
    expected.push_back({tag, message(tag, body), body, limit > 0 && body.size() > limit, true});
    wire += expected.back().wire;
  }
  const whole_limits limits = limits_of(limit);
  framer cut(limits);
  collector taken;
  std::string_view left = wire;
  while (!left.empty()) {
    // Its own allocation, so that a view outliving settle() is seen by the address sanitizer.
    const std::string chunk(left.substr(0, *rc::gen::inRange<std::size_t>(1, 20)));
    left.remove_prefix(chunk.size());
    cut.feed(chunk);
    taken.take(cut, *rc::gen::element<std::size_t>(0, 1, 2, SIZE_MAX));
    cut.settle();
  }
  taken.take(cut);
  if (limit == 0) {
    for (arrival& one : taken.messages) one.streamed = false;  // depends on the chunking
  }
  RC_ASSERT(taken.messages == expected);
  RC_ASSERT(cut.held() == 0u);
}

RC_GTEST_PROP(framer_property, pieces_stay_valid_until_settled, ()) {
  std::string wire;
  for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
    wire += message('D', std::string(*rc::gen::inRange<std::size_t>(0, 40), 'x'));
  }
  const whole_limits limits = limits_of(*rc::gen::element<std::uint32_t>(0, 5, 100));
  framer cut(limits);
  std::string joined;
  std::string_view left = wire;
  while (!left.empty()) {
    const std::string chunk(left.substr(0, *rc::gen::inRange<std::size_t>(1, 120)));
    left.remove_prefix(chunk.size());
    cut.feed(chunk);
    std::vector<piece> pieces;
    const int most = *rc::gen::inRange(0, 8);
    for (int i = 0; i < most; ++i) pieces.push_back(cut.next());
    for (const piece& one : pieces) joined += one.frame.wire;
    cut.settle();
  }
  for (piece one = cut.next(); one.kind != piece_kind::need_more; one = cut.next()) joined += one.frame.wire;
  RC_ASSERT(joined == wire);
}
