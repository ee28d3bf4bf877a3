// Random and damaged bodies through every decoder: the address sanitizer is the judge of what is read.
#include <memory>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/error_fields.hpp"
#include "protocol/framer.hpp"
#include "protocol/startup.hpp"
#include "protocol/trace.hpp"
#include "tests/protocol/random_frames.hpp"

using namespace protocol;

namespace {

/// Writes and reads the frame's line, which runs its decoder over every field.
void expect_round_trip(char tag, std::string_view body, direction from) {
  // An allocation of exactly that size, so that one byte too far is seen.
  const auto size = header_size + body.size();
  const auto wire = std::make_unique<char[]>(size);
  const auto length = static_cast<std::uint32_t>(body.size() + 4);
  wire[0] = tag;
  for (int i = 0; i < 4; ++i) wire[1 + i] = static_cast<char>(length >> (24 - 8 * i));
  std::copy(body.begin(), body.end(), wire.get() + header_size);
  const std::string_view bytes(wire.get(), size);
  RC_ASSERT(from_text(to_text(test::as_frame(bytes), from), from) == bytes);
}

direction any_direction() {
  return *rc::gen::element(direction::from_client, direction::from_server);
}

}  // namespace

RC_GTEST_PROP(robustness, random_bodies_of_every_tag, ()) {
  const direction from = any_direction();
  const std::string body = test::any_bytes();
  for (int tag = 0; tag < 256; ++tag) expect_round_trip(static_cast<char>(tag), body, from);
}

RC_GTEST_PROP(robustness, valid_frames_with_one_byte_changed, ()) {
  const direction from = any_direction();
  std::string wire = test::any_frame(from);
  if (wire.size() == header_size) return;
  wire[*rc::gen::inRange(header_size, wire.size())] = *rc::gen::arbitrary<char>();
  expect_round_trip(wire[0], std::string_view(wire).substr(header_size), from);
}

RC_GTEST_PROP(robustness, valid_frames_cut_anywhere, ()) {
  const direction from = any_direction();
  const std::string wire = test::any_frame(from);
  const auto size = *rc::gen::inRange<std::size_t>(0, wire.size() - header_size + 1);
  expect_round_trip(wire[0], std::string_view(wire).substr(header_size, size), from);
}

RC_GTEST_PROP(robustness, random_bytes_at_startup, ()) {
  std::string bytes = test::any_bytes();
  if (*rc::gen::arbitrary<bool>() && bytes.size() >= 4) {
    bytes.replace(0, 4, std::string("\0\0\0", 3) + static_cast<char>(bytes.size()));
  }
  const startup_packet read = read_startup(bytes);
  if (read.kind != startup_kind::need_more && read.kind != startup_kind::broken) {
    RC_ASSERT(startup_from_text(startup_to_text(read)) == read.wire);
  }
}

RC_GTEST_PROP(robustness, rewritten_errors_are_complete, ()) {
  const std::string body = test::any_bytes();
  const std::string message = test::any_text();
  const error_field replace[] = {{'M', message}, {'C', "23514"}};
  std::string out;
  RC_ASSERT(rewrite_error('E', body, "WPp", replace, out));
  const error_fields read(std::string_view(out).substr(header_size));
  RC_ASSERT(read.ok());
  RC_ASSERT(read.get('M') == message);
  RC_ASSERT(read.get('C') == "23514");
  RC_ASSERT(!read.get('W'));
}

RC_GTEST_PROP(robustness, random_bytes_in_the_framer, ()) {
  whole_limits limits;
  limits.bytes.fill(*rc::gen::inRange<std::uint32_t>(0, 300));
  framer cut(limits);
  for (int i = *rc::gen::inRange(0, 10); i > 0; --i) {
    std::string bytes = test::any_bytes();
    if (bytes.size() >= 5) bytes.replace(1, 3, std::string(3, '\0'));
    cut.feed(bytes);
    while (true) {
      const piece one = cut.next();
      if (one.kind == piece_kind::need_more || one.kind == piece_kind::broken) break;
      RC_ASSERT(!one.frame.wire.empty());
    }
    cut.settle();
    RC_ASSERT(cut.held() <= 305u);
  }
}
