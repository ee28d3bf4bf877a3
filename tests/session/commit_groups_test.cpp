// Who shares a commit with whom, call by call.
#include "proxy/session/commit_groups.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace {

using proxy::session::commit_groups;
using proxy::session::group_answer;
using proxy::session::group_job;
using proxy::session::group_result;
using proxy::session::session_id;
using proxy::session::shared_row;
using proxy::session::wake_list;
using ids = std::vector<session_id>;

class groups : public testing::Test {
 protected:
  bool enter(session_id who, bool goes_first = false) {
    auto job = std::make_shared<group_job>();
    job->goes_first = goes_first;
    return table.enter(row, who, job, now, wake);
  }
  ids lead(session_id who) {
    ids found;
    for (const auto& each : table.lead(row, who, now).members) found.push_back(each.who);
    return found;
  }
  void finish(session_id who, group_result::type what, std::size_t culprit = 0,
              std::vector<std::string> frames = {}) {
    table.finish(row, who, {what, culprit, std::move(frames)}, now, wake);
  }
  ids woken() {
    ids list = std::exchange(wake, {});
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }
  /// "committed", "alone"…, with the frames; "" where there is none.
  std::string told(session_id who) {
    const auto found = table.answer(row, who);
    return found ? text(*found) : "";
  }
  std::string abandon(session_id who) { return text(table.abandon(row, who, now, wake)); }
  static std::string text(const group_answer& found) {
    const char* const names[] = {"committed ", "alone", "unknown", "timed out"};
    return names[static_cast<std::size_t>(found.what)] + found.frames;
  }

  using result = group_result::type;
  const shared_row row{"row", {}};
  commit_groups table;
  proxy::session::clock::time_point now{std::chrono::hours{1}};
  wake_list wake;
};

TEST_F(groups, a_depth_of_one_runs_at_once) {
  EXPECT_TRUE(enter(1));
  EXPECT_TRUE(table.enter(shared_row("other row", {}), 2, std::make_shared<group_job>(), now, wake));
  table.done(row, 1, now, wake);
  table.done(shared_row("other row", {}), 2, now, wake);
  EXPECT_EQ(woken(), ids{});
  EXPECT_EQ(table.rows(), 0U);
  EXPECT_TRUE(table.take(row, 3, now));
  EXPECT_FALSE(table.take(row, 4, now));
}

TEST_F(groups, what_came_meanwhile_is_the_next_group) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  EXPECT_EQ(lead(2), ids{});
  table.done(row, 1, now, wake);
  EXPECT_EQ(woken(), ids{2});
  EXPECT_FALSE(enter(4));      // before the leader has made up the group
  EXPECT_EQ(woken(), ids{4});  // as many as were expected: the last one leads
  EXPECT_EQ(lead(3), ids{});
  EXPECT_EQ(lead(2), ids{});
  EXPECT_EQ(lead(4), (ids{2, 3, 4}));
  EXPECT_FALSE(enter(5));
  EXPECT_EQ(lead(4), ids{});
  finish(4, result::committed, 0, {"two", "three", "four"});
  EXPECT_EQ(woken(), (ids{2, 3, 4, 5}));
  EXPECT_EQ(told(3), "committed three");
  EXPECT_EQ(told(3), "");
  EXPECT_EQ(told(4), "committed four");
  EXPECT_EQ(told(2), "committed two");
  EXPECT_EQ(lead(5), ids{5});  // alone: it runs in the ordinary way
  table.done(row, 5, now, wake);
  EXPECT_EQ(table.rows(), 0U);
}

TEST_F(groups, a_group_has_a_limit) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 2 + 70; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2).size(), commit_groups::most_members);
}

TEST_F(groups, the_next_group_waits_a_moment_for_those_just_answered) {
  using namespace std::chrono_literals;
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  now += 2ms;
  table.done(row, 1, now, wake);
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(lead(2), ids{});
  EXPECT_EQ(table.lead(row, 2, now).ask_again_at, now + 1ms);
  now += 100us;
  EXPECT_FALSE(enter(1));
  EXPECT_EQ(woken(), ids{1});  // the last one leads
  EXPECT_EQ(lead(2), ids{});
  EXPECT_EQ(lead(1), (ids{2, 1}));
  EXPECT_FALSE(enter(3));
  now += 20ms;
  finish(1, result::committed, 0, {"", ""});
  EXPECT_EQ(table.lead(row, 3, now).ask_again_at, now + 1ms);
  now += 1ms;
  EXPECT_EQ(lead(3), ids{3});  // nobody has come: next time fewer are expected
  EXPECT_FALSE(enter(4));
  now += 20ms;
  table.done(row, 3, now, wake);
  EXPECT_EQ(lead(4), ids{4});
}

TEST_F(groups, the_first_to_come_again_waits_for_the_others) {
  using namespace std::chrono_literals;
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_FALSE(enter(1));
  EXPECT_EQ(lead(1), (ids{2, 3, 1}));
  now += 1ms;
  finish(1, result::committed, 0, {"", "", ""});
  for (session_id who = 1; who < 4; ++who) EXPECT_EQ(told(who), "committed ");
  static_cast<void>(woken());
  EXPECT_EQ(table.rows(), 0U);
  now += 100us;
  EXPECT_FALSE(table.take(row, 3, now));
  EXPECT_FALSE(enter(3));
  EXPECT_EQ(woken(), ids{3});
  EXPECT_EQ(lead(3), ids{});
  EXPECT_EQ(table.lead(row, 3, now).ask_again_at, now + 400us);
  EXPECT_FALSE(enter(2));
  EXPECT_EQ(woken(), ids{});
  EXPECT_FALSE(enter(1));
  EXPECT_EQ(woken(), ids{1});
  EXPECT_EQ(lead(1), (ids{3, 2, 1}));
}

TEST_F(groups, nobody_waits_for_others_once_the_moment_is_over) {
  using namespace std::chrono_literals;
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3}));
  now += 20ms;
  finish(2, result::committed, 0, {"", ""});
  for (session_id who = 2; who < 4; ++who) EXPECT_EQ(told(who), "committed ");
  now += 1ms;
  EXPECT_TRUE(table.take(row, 2, now));
  now += 20ms;
  table.done(row, 2, now, wake);
  EXPECT_TRUE(table.take(row, 2, now));  // it was alone: it does not wait for itself
}

TEST_F(groups, one_who_is_compared_with_a_read_goes_first_and_one_at_a_time) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3, true));
  EXPECT_FALSE(enter(4, true));
  EXPECT_FALSE(enter(5));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{3, 2, 5}));
  finish(2, result::committed, 0, {"", "", ""});
  EXPECT_EQ(lead(4), ids{4});
}

TEST_F(groups, who_may_not_be_in_a_group_does_not_lead_it) {
  using namespace std::chrono_literals;
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2, true));
  now += 1ms;
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), ids{});
  static_cast<void>(woken());
  EXPECT_FALSE(enter(3, true));  // the last one of those expected
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(lead(3), ids{});
  EXPECT_EQ(lead(2), ids{2});
  table.done(row, 2, now, wake);
  EXPECT_EQ(lead(3), ids{3});
}

TEST_F(groups, who_is_to_blame_runs_alone_the_others_again) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 6; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3, 4, 5}));
  EXPECT_FALSE(enter(6));
  static_cast<void>(woken());
  finish(2, result::refused, 1);
  EXPECT_EQ(woken(), (ids{2, 3}));
  EXPECT_EQ(told(3), "alone");
  EXPECT_EQ(told(2), "");
  EXPECT_EQ(lead(2), (ids{2, 4, 5, 6}));
}

TEST_F(groups, a_group_that_fails_makes_the_next_ones_smaller) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 40; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2).size(), 38U);
  finish(2, result::refused, 0);
  EXPECT_EQ(told(2), "alone");
  EXPECT_EQ(lead(3).size(), 32U);
  finish(3, result::refused, 31);
  EXPECT_EQ(lead(3).size(), 16U);
  finish(3, result::refused, 15);
  EXPECT_EQ(told(4), "alone");  // it has failed often enough
  EXPECT_EQ(lead(3), ids{});
  EXPECT_EQ(told(18), "alone");  // it was to blame
  EXPECT_EQ(lead(19).size(), 8U);
}

TEST_F(groups, a_failure_that_is_nobodys_lets_all_run_alone) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3}));
  finish(2, result::failed);
  EXPECT_EQ(told(2), "alone");
  EXPECT_EQ(told(3), "alone");
  EXPECT_EQ(table.rows(), 0U);
}

TEST_F(groups, a_lost_group_is_unknown_to_all_and_a_late_lock_is_everybodys) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3}));
  EXPECT_FALSE(enter(4));
  EXPECT_FALSE(enter(5));
  finish(2, result::lost);
  EXPECT_EQ(told(2), "unknown");
  EXPECT_EQ(told(3), "unknown");
  EXPECT_EQ(lead(4), (ids{4, 5}));
  finish(4, result::timed_out);
  EXPECT_EQ(told(4), "timed out");
  EXPECT_EQ(told(5), "timed out");
  EXPECT_EQ(table.rows(), 0U);
}

TEST_F(groups, who_withdraws_in_time_is_not_run_and_calls_the_next) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  EXPECT_FALSE(enter(4));
  EXPECT_TRUE(table.withdraw(row, 3, now, wake));
  table.done(row, 1, now, wake);
  EXPECT_EQ(woken(), ids{2});
  EXPECT_TRUE(table.withdraw(row, 2, now, wake));
  EXPECT_EQ(woken(), ids{4});
  EXPECT_EQ(lead(2), ids{});
  EXPECT_EQ(lead(4), ids{4});
  table.done(row, 4, now, wake);
  EXPECT_EQ(table.rows(), 0U);
}

TEST_F(groups, who_has_been_sent_cannot_withdraw_and_may_go) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3}));
  EXPECT_FALSE(table.withdraw(row, 3, now, wake));
  EXPECT_EQ(abandon(3), "unknown");
  static_cast<void>(woken());
  finish(2, result::committed, 0, {"a", "b"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(told(3), "");
  EXPECT_EQ(told(2), "committed a");
  EXPECT_EQ(table.rows(), 0U);
}

TEST_F(groups, who_goes_while_its_group_is_put_back_holds_up_nobody) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 6; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3, 4, 5}));
  EXPECT_FALSE(table.withdraw(row, 3, now, wake));
  EXPECT_FALSE(table.withdraw(row, 4, now, wake));
  finish(2, result::refused, 0);  // between the two looks of those who leave
  EXPECT_EQ(abandon(3), "alone");
  EXPECT_EQ(abandon(5), "alone");
  EXPECT_EQ(told(2), "alone");
  EXPECT_EQ(told(4), "alone");
  EXPECT_EQ(table.rows(), 0U);
  EXPECT_TRUE(enter(6));
}

TEST_F(groups, who_was_called_and_goes_calls_the_next) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 5; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3, 4}));
  finish(2, result::refused, 0);
  static_cast<void>(woken());
  EXPECT_EQ(abandon(3), "alone");  // it was to run the next group
  EXPECT_EQ(woken(), ids{4});
  EXPECT_EQ(lead(4), ids{4});
}

TEST_F(groups, who_goes_with_an_answer_is_told_it) {
  EXPECT_TRUE(enter(1));
  EXPECT_FALSE(enter(2));
  EXPECT_FALSE(enter(3));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3}));
  finish(2, result::committed, 0, {"a", "b"});
  EXPECT_EQ(abandon(3), "committed b");
  EXPECT_EQ(abandon(3), "alone");
}

TEST_F(groups, who_withdraws_too_late_is_in_no_second_group) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 5; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3, 4}));
  EXPECT_FALSE(table.withdraw(row, 4, now, wake));
  finish(2, result::refused, 1);
  EXPECT_EQ(told(4), "alone");
  EXPECT_EQ(lead(2), ids{2});
}

TEST_F(groups, who_goes_is_not_run_again) {
  EXPECT_TRUE(enter(1));
  for (session_id who = 2; who < 5; ++who) EXPECT_FALSE(enter(who));
  table.done(row, 1, now, wake);
  EXPECT_EQ(lead(2), (ids{2, 3, 4}));
  EXPECT_EQ(abandon(4), "unknown");
  finish(2, result::refused, 1);
  EXPECT_EQ(lead(2), ids{2});
}

}  // namespace
