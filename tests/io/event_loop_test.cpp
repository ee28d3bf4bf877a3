// The loop by itself: timers, posts from other threads, its end, and sockets that go while others are ready.
#include "proxy/io/event_loop.hpp"

#include <atomic>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/io/socket_pair.hpp"

namespace {

using namespace std::chrono_literals;
using io_test::socket_pair;
using proxy::io::event_loop;
using proxy::io::peer;
using proxy::io::timer;

TEST(event_loop, ends_when_nothing_is_left) {
  event_loop loop;
  loop.finish();
  loop.run();
}

TEST(event_loop, runs_what_was_posted_before_it_ends) {
  event_loop loop;
  int done = 0;
  loop.post([&] {
    ++done;
    loop.post([&] { ++done; });
  });
  loop.finish();
  loop.run();
  EXPECT_EQ(done, 2);
}

TEST(event_loop, runs_posts_of_other_threads_in_their_order) {
  event_loop loop;
  constexpr int each = 1000;
  std::vector<int> heard;
  std::vector<std::thread> others;
  for (int who = 0; who < 3; ++who) {
    others.emplace_back([&, who] {
      for (int i = who * each; i < (who + 1) * each; ++i) loop.post([&heard, i] { heard.push_back(i); });
    });
  }
  std::thread runner([&] { loop.run(); });
  for (std::thread& other : others) other.join();
  loop.finish();
  runner.join();
  ASSERT_EQ(heard.size(), 3U * each);
  for (int who = 0; who < 3; ++who) {
    int next = who * each;
    for (const int one : heard) {
      if (one / each != who) continue;
      EXPECT_EQ(one, next++);
    }
  }
}

TEST(event_loop, timers_run_in_their_order_and_once) {
  event_loop loop;
  std::string heard;
  timer late(loop);
  timer early(loop);
  timer moved(loop);
  timer gone(loop);
  const auto begin = event_loop::clock::now();  // however long it takes to set them
  late.at(begin + 4ms, [&] { heard += 'c'; });
  early.at(begin + 1ms, [&] { heard += 'a'; });
  moved.at(begin, [&] { heard += '-'; });
  moved.at(begin + 2ms, [&] { heard += 'b'; });
  gone.after(1ms, [&] { heard += '-'; });
  gone.cancel();
  loop.finish();
  loop.run();
  EXPECT_EQ(heard, "abc");
}

TEST(event_loop, a_timer_may_set_itself_again_and_cancel_another) {
  event_loop loop;
  int count = 0;
  timer other(loop);
  timer again(loop);
  other.after(1h, [] { FAIL(); });
  std::function<void()> step = [&] {
    if (++count < 3) return again.after(0ms, step);
    other.cancel();
  };
  again.after(0ms, step);
  loop.finish();
  loop.run();
  EXPECT_EQ(count, 3);
}

TEST(event_loop, the_time_goes_on_within_a_turn) {
  event_loop loop;
  const auto first = loop.now();
  EXPECT_LT(first, loop.now());
}

// Who is told a time before the one it waited for takes it for too early, and asks again at once.
TEST(event_loop, a_timer_is_not_told_a_time_before_its_own) {
  event_loop loop;
  timer due(loop);
  event_loop::clock::time_point when;
  event_loop::clock::time_point told;
  loop.post([&] {
    when = loop.now() + 200us;  // the time of this turn is read here
    due.at(when, [&] { told = loop.now(); });
    while (event_loop::clock::now() < when) std::this_thread::yield();
  });
  loop.finish();
  loop.run();
  EXPECT_GE(told, when);
}

TEST(event_loop, a_socket_that_goes_while_it_is_ready_is_not_called) {
  event_loop loop;
  socket_pair one;
  socket_pair two;
  std::optional<peer> first(one.take());
  std::optional<peer> second(two.take());
  int called = 0;
  // Whichever is called first takes the other away, and itself.
  const auto both_go = [&] {
    ++called;
    first.reset();
    second.reset();
  };
  first->watch(loop, both_go);
  second->watch(loop, both_go);
  ASSERT_TRUE(one.say("x"));
  ASSERT_TRUE(two.say("x"));
  loop.finish();
  loop.run();
  EXPECT_EQ(called, 1);
}

TEST(event_loop, a_socket_that_goes_after_it_has_asked_again_is_not_called) {
  event_loop loop;
  socket_pair pair;
  std::optional<peer> here(pair.take());
  int called = 0;
  here->watch(loop, [&] {
    ++called;
    here->look_again();
    here.reset();
  });
  ASSERT_TRUE(pair.say("x"));
  loop.finish();
  loop.run();
  EXPECT_EQ(called, 1);
}

TEST(event_loop, who_asks_again_does_not_keep_the_others_waiting) {
  event_loop loop;
  socket_pair busy_pair;
  socket_pair other_pair;
  std::optional<peer> busy(busy_pair.take());
  std::optional<peer> other(other_pair.take());
  int turns = 0;
  busy->watch(loop, [&] {
    if (++turns == 3) static_cast<void>(other_pair.say("x"));
    if (other) return busy->look_again();
    busy.reset();
  });
  other->watch(loop, [&] { other.reset(); });
  ASSERT_TRUE(busy_pair.say("x"));
  loop.finish();
  loop.run();
  EXPECT_LE(turns, 6);
}

TEST(event_loop, a_handler_may_be_replaced_from_within_it) {
  event_loop loop;
  socket_pair pair;
  std::optional<peer> here(pair.take());
  std::string heard;
  const std::string first = "the first one, long enough to be on the heap";
  here->watch(loop, [&, first] {
    here->watch(loop, [&] {
      heard += "second";
      here.reset();
    });
    heard += first;
    EXPECT_TRUE(pair.say("y"));
  });
  ASSERT_TRUE(pair.say("x"));
  loop.finish();
  loop.run();
  EXPECT_EQ(heard, first + "second");
}

}  // namespace
