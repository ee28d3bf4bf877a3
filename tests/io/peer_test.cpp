// A peer on an edge-triggered loop: nothing that arrives is missed, an end least of all, and what is not
// taken at once is written when there is room.
#include "proxy/io/peer.hpp"

#include <array>
#include <optional>

#include <gtest/gtest.h>

#include "tests/io/socket_pair.hpp"

namespace {

using io_test::socket_pair;
using proxy::io::event_loop;
using proxy::io::peer;
using proxy::io::transfer;

class peer_test : public testing::Test {
 protected:
  /// Runs the loop until the peer has gone.
  void run() {
    loop_.finish();
    loop_.run();
  }
  /// One read of at most `most` bytes; the peer goes at its end.
  void read_once(std::size_t most) {
    std::string into(most, '\0');
    const transfer got = here_->read(into);
    heard_ += into.substr(0, got.bytes);
    ++reads_;
    if (got.ended || got.error) {
      ended_ = got.ended;
      here_.reset();
    }
  }

  event_loop loop_;
  socket_pair pair_;
  std::optional<peer> here_{pair_.take()};
  std::string heard_;
  int reads_ = 0;
  bool ended_ = false;
};

TEST_F(peer_test, hears_what_came_before_it_was_watched) {
  ASSERT_TRUE(pair_.say("early"));
  pair_.end_sending();
  here_->watch(loop_, [&] {
    read_once(100);
    if (here_ && here_->readable()) here_->look_again();
  });
  run();
  EXPECT_EQ(heard_, "early");
  EXPECT_TRUE(ended_);
  EXPECT_EQ(reads_, 2);
}

TEST_F(peer_test, what_fills_the_buffer_is_not_all) {
  ASSERT_TRUE(pair_.say("abcdefgh"));
  here_->watch(loop_, [&] {
    read_once(4);
    if (heard_.size() == 8 && here_) pair_.hang_up();
    if (here_ && here_->readable()) here_->look_again();
  });
  run();
  EXPECT_EQ(heard_, "abcdefgh");
  EXPECT_TRUE(ended_);
}

TEST_F(peer_test, a_short_read_is_the_bottom_until_more_comes) {
  ASSERT_TRUE(pair_.say("a"));
  here_->watch(loop_, [&] {
    read_once(4);
    if (!here_) return;
    EXPECT_FALSE(here_->readable());
    heard_.size() < 3 ? static_cast<void>(pair_.say("b")) : pair_.hang_up();
  });
  run();
  EXPECT_EQ(heard_, "abb");
  EXPECT_TRUE(ended_);
}

TEST_F(peer_test, what_comes_between_the_event_and_the_read_is_not_lost) {
  ASSERT_TRUE(pair_.say("a"));
  here_->watch(loop_, [&] {
    if (heard_.empty()) static_cast<void>(pair_.say("b"));  // the event told of "a" alone
    if (heard_ == "ab") pair_.end_sending();
    read_once(4);
    if (here_ && here_->readable()) here_->look_again();
    if (here_ && heard_ == "ab" && reads_ == 1) static_cast<void>(pair_.say("c"));
  });
  run();
  EXPECT_EQ(heard_, "abc");
  EXPECT_TRUE(ended_);
}

TEST_F(peer_test, an_end_behind_bytes_that_were_not_read_stays_known) {
  bool paused = true;
  ASSERT_TRUE(pair_.say("ab"));
  pair_.end_sending();
  here_->watch(loop_, [&] {
    if (std::exchange(paused, false)) {
      // Somebody does not want to read now, and goes on later.
      return loop_.post([&] { here_->look_again(); });
    }
    EXPECT_TRUE(here_->readable());
    read_once(100);
    if (here_) here_->look_again();
  });
  run();
  EXPECT_EQ(heard_, "ab");
  EXPECT_TRUE(ended_);
}

TEST_F(peer_test, a_broken_connection_is_told) {
  ASSERT_TRUE(pair_.say("unread"));
  proxy::session::channel bytes;
  bytes.append("never read, so that closing resets");
  here_->watch(loop_, [&] {
    read_once(100);
    if (here_) {
      ASSERT_FALSE(here_->write(bytes));
      pair_.hang_up();
    }
  });
  run();
  EXPECT_EQ(heard_, "unread");
  EXPECT_FALSE(here_);
}

TEST_F(peer_test, writes_the_rest_when_there_is_room) {
  const std::string much(4U << 20U, 'x');
  proxy::session::channel bytes;
  bytes.append(much);
  bytes.forward("the end");
  std::size_t arrived = 0;
  std::string last;
  const auto take = [&] {
    const std::string some = pair_.hear(1U << 20U);
    arrived += some.size();
    if (!some.empty()) last = some;
  };
  here_->watch(loop_, [&] {
    if (here_->has_room() && here_->flush()) ADD_FAILURE();
    if (here_->pending() == 0) here_.reset();
  });
  ASSERT_FALSE(here_->write(bytes));
  EXPECT_GT(here_->pending(), 0U);
  std::function<void()> reader = [&] {
    take();
    if (here_) loop_.post(reader);
  };
  loop_.post(reader);
  run();
  for (std::size_t before = 0; before != arrived;) {
    before = arrived;
    take();
  }
  EXPECT_EQ(arrived, much.size() + 7);
  EXPECT_TRUE(last.ends_with("the end"));
}

}  // namespace
