// What carrying a message takes of the kernel: one read and one write, and one wait for all that is ready at
// once. Counted, so that the figure does not depend on the machine.
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/io/counted_calls.hpp"
#include "tests/io/socket_pair.hpp"

namespace {

using io_test::call_counts;
using io_test::socket_pair;
using proxy::io::event_loop;
using proxy::io::peer;

/// Reads from one socket what it writes to another, as a connection does.
struct carrier {
  carrier(event_loop& loop, int from, int to) : reads(from), writes(to) {
    writes.watch(loop, [] {});
    reads.watch(loop, [this] {
      std::array<char, 64> room{};
      const auto got = reads.read(room);
      if (got.blocked || got.ended) return;
      proxy::session::channel bytes;
      bytes.forward({room.data(), got.bytes});
      if (writes.write(bytes)) ADD_FAILURE();
      ++carried;
    });
  }
  peer reads;
  peer writes;
  int carried = 0;
};

/// Of `messages` rounds in which each of `clients` says something at once; the test's own calls left out.
call_counts counted(std::size_t clients, int messages) {
  event_loop loop;
  std::vector<std::unique_ptr<socket_pair>> pairs;
  std::vector<std::unique_ptr<carrier>> carriers;
  for (std::size_t i = 0; i < clients; ++i) {
    pairs.push_back(std::make_unique<socket_pair>());
    pairs.push_back(std::make_unique<socket_pair>());
    carriers.push_back(std::make_unique<carrier>(loop, pairs[2 * i]->take(), pairs[2 * i + 1]->take()));
  }
  call_counts before;
  call_counts own;
  int round = 0;
  proxy::io::timer next(loop);
  std::function<void()> say = [&] {
    if (round == 1) before = io_test::calls;  // the first one has met what registering told
    if (round > messages) return loop.stop();
    ++round;
    const call_counts now = io_test::calls;
    for (std::size_t i = 0; i < clients; ++i) EXPECT_TRUE(pairs[2 * i]->say("SELECT 1"));
    if (round > 1) own.sends += io_test::calls.sends - now.sends;
    next.after(std::chrono::milliseconds(0), say);
  };
  next.after(std::chrono::milliseconds(0), say);
  loop.run();
  for (const auto& each : carriers) EXPECT_EQ(each->carried, messages + 1);
  call_counts made = io_test::calls;
  made.receives -= before.receives;
  made.sends -= before.sends + own.sends;
  made.waits -= before.waits;
  made.registrations -= before.registrations;
  return made;
}

TEST(system_calls, one_read_and_one_write_a_message) {
  const call_counts made = counted(1, 100);
  EXPECT_EQ(made.receives, 100U);
  EXPECT_EQ(made.sends, 100U);
  EXPECT_EQ(made.registrations, 0U);
  EXPECT_LE(made.waits, 101U);
}

TEST(system_calls, one_wait_for_all_that_are_ready) {
  const call_counts made = counted(16, 100);
  EXPECT_EQ(made.receives, 1600U);
  EXPECT_EQ(made.sends, 1600U);
  EXPECT_EQ(made.registrations, 0U);
  EXPECT_LE(made.waits, 101U);
}

}  // namespace
