// Cycles of turns, groups of rows that share one, and owners with several sessions.
#include <gtest/gtest.h>

#include "tests/session/turns.hpp"

namespace {

using namespace std::chrono_literals;
using session_test::turn_desk;

class turn_cycle : public testing::Test, protected turn_desk {};

TEST_F(turn_cycle, a_cycle_lets_the_last_comer_pass_without_a_turn) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "b")), go);
  EXPECT_EQ(ask(read(1, "b")), wait);
  EXPECT_EQ(ask(read(2, "a")), go);
  EXPECT_EQ(active(), 2U);
  wrote(2, {"b"});
  EXPECT_EQ(woken(), ids{1});
}

TEST_F(turn_cycle, a_cycle_of_three_in_which_the_last_comer_holds_row_locks_is_a_deadlock) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "b")), go);
  EXPECT_EQ(ask(read(3, "c")), go);
  EXPECT_EQ(ask(read(1, "b")), wait);
  EXPECT_EQ(ask(read(2, "c")), wait);
  turn_request closes = read(3, "a");
  closes.in_transaction = closes.holds_row_locks = true;
  EXPECT_EQ(ask(closes), deadlock);
  EXPECT_EQ(woken(), ids{2}) << "the unit of work begins anew, so its turns are over";
}

TEST_F(turn_cycle, who_is_about_to_lock_stands_back_from_a_cycle) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(transfer_read(2, "b")), go);
  EXPECT_EQ(ask(transfer_read(2, "a")), wait);
  turn_request locks = read(1, "b");
  locks.in_transaction = locks.locks = true;
  EXPECT_EQ(ask(locks), wait) << "at PostgreSQL it would wait for session 2, which waits for it here";
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(transfer_read(2, "a")), go);
  wrote(2, {"a", "b"});
  EXPECT_EQ(woken(), ids{1});
  EXPECT_EQ(ask(locks), go);
}

TEST_F(turn_cycle, a_write_on_its_own_stands_back_only_from_who_holds_row_locks) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "b")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(write(1, "b")), go) << "nothing is locked, so it passes without the turn";
  leave(1);
  leave(2);
  EXPECT_EQ(ask(read(3, "c")), go);
  EXPECT_EQ(ask(transfer_read(4, "d")), go);
  EXPECT_EQ(ask(transfer_read(4, "c")), wait);
  EXPECT_EQ(ask(write(3, "d")), wait);
}

TEST_F(turn_cycle, waiting_behind_a_waiter_that_waits_for_oneself_is_a_cycle) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "b")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(3, "b")), wait);
  EXPECT_EQ(ask(read(1, "b")), go);
}

TEST_F(turn_cycle, rows_that_met_in_a_cycle_share_a_turn_so_that_transfers_stop_deadlocking) {
  EXPECT_EQ(ask(transfer_read(1, "a")), go);
  EXPECT_EQ(ask(transfer_read(2, "b")), go);
  EXPECT_EQ(ask(transfer_read(1, "b")), wait);
  EXPECT_EQ(ask(transfer_read(2, "a")), deadlock);
  EXPECT_EQ(woken(), ids{1});
  EXPECT_EQ(ask(transfer_read(1, "b")), go);
  wrote(1, {"a", "b"});
  for (int round = 0; round < 5; ++round) {
    now += 5s;
    EXPECT_EQ(ask(transfer_read(3, "a")), go);
    EXPECT_EQ(ask(transfer_read(4, "b")), wait) << "the group's turn";
    EXPECT_EQ(ask(transfer_read(3, "b")), go);
    wrote(3, {"a", "b"});
    EXPECT_EQ(woken(), ids{4});
    EXPECT_EQ(ask(transfer_read(4, "b")), go);
    EXPECT_EQ(ask(transfer_read(4, "a")), go);
    wrote(4, {"b", "a"});
    EXPECT_EQ(active(), 0U);
  }
  now += 10001ms;
  EXPECT_FALSE(table.outstanding(9, {"a"}, now));
  EXPECT_EQ(ask(transfer_read(3, "a")), go);
  EXPECT_EQ(ask(transfer_read(4, "b")), go) << "forgotten, so each row is on its own again";
}

TEST_F(turn_cycle, transfers_that_only_update_share_the_turn_of_the_rows_that_deadlocked) {
  table.met({"a", "b"}, now);
  turn_request first = write(1, "a", turns::adaptive);
  turn_request second = write(2, "b", turns::adaptive);
  first.in_transaction = second.in_transaction = true;
  EXPECT_TRUE(table.outstanding(1, {"a"}, now)) << "so that they ask at all";
  EXPECT_EQ(ask(first), go);
  EXPECT_EQ(ask(second), wait);
  turn_request alone = write(3, "b", turns::adaptive);
  EXPECT_EQ(ask(alone), go) << "one write alone cannot deadlock";
  wrote(3, {"b"});
  first.rows = {"b"};
  EXPECT_EQ(ask(first), go);
  wrote(1, {"a", "b"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(second), go);
}

TEST_F(turn_cycle, groups_that_meet_become_one) {
  table.met({"a", "b"}, now);
  table.met({"c", "d"}, now);
  EXPECT_EQ(ask(transfer_read(1, "a")), go);
  EXPECT_EQ(ask(transfer_read(2, "d")), go);
  leave(1);
  leave(2);
  table.met({"b", "c"}, now);
  EXPECT_EQ(ask(transfer_read(1, "a")), go);
  EXPECT_EQ(ask(transfer_read(2, "d")), wait);
}

TEST_F(turn_cycle, a_group_turn_is_given_back_with_an_unfinished_request) {
  EXPECT_EQ(ask(read(1, "a")), go);
  table.met({"a", "b"}, now);
  EXPECT_EQ(ask(transfer_read(2, "a")), wait);
  EXPECT_EQ(ask(transfer_read(3, "b")), wait);
  table.give_up(2, now, wake);
  EXPECT_EQ(woken(), ids{3});
  EXPECT_EQ(ask(transfer_read(3, "b")), go);
  EXPECT_EQ(ask(write(1, "a")), go) << "one's own turn, though another has the group's";
}

TEST_F(turn_cycle, with_one_read_a_second_read_of_the_same_client_waits_for_the_write_over_any_session) {
  turn_request first = read(1, "a", turns::off);
  first.one_read = true;
  first.owner = 77;
  turn_request second = first;
  second.who = 2;
  EXPECT_EQ(ask(first), go);
  EXPECT_EQ(ask(second), wait);
  EXPECT_EQ(ask(first), wait) << "even the same session: a pool may have given it to somebody else";
  turn_request writes = second;
  writes.who = 3;
  writes.read = false;
  EXPECT_EQ(ask(writes), go);
  wrote(77, {"a"});
  EXPECT_EQ(woken(), ids{2});
  wrote(77, {"a"});  // a write that cannot rest on the read which has not been let through yet
  EXPECT_EQ(woken(), ids{});
  EXPECT_EQ(ask(second), go);
  wrote(77, {"a"});
  EXPECT_EQ(woken(), ids{1});
}

TEST_F(turn_cycle, with_one_read_a_transaction_may_read_again_what_it_has_read) {
  turn_request first = read(1, "a");
  first.one_read = first.in_transaction = true;
  first.owner = 77;
  EXPECT_EQ(ask(first), go);
  EXPECT_EQ(ask(first), go);
}

TEST_F(turn_cycle, sessions_of_one_trace_do_not_wait_for_each_other) {
  turn_request one = read(1, "a");
  turn_request other = read(2, "a");
  one.owner = other.owner = 77;
  EXPECT_EQ(ask(read(9, "a")), go);
  EXPECT_EQ(ask(one), wait);
  EXPECT_EQ(ask(other), wait);
  wrote(9, {"a"});
  EXPECT_EQ(woken(), (ids{1, 2}));
  EXPECT_EQ(ask(other), go);
  EXPECT_EQ(ask(one), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_cycle, a_cycle_through_two_sessions_of_one_trace_is_found) {
  turn_request holds = read(1, "a");
  turn_request asks = read(2, "b");
  holds.owner = asks.owner = 77;
  EXPECT_EQ(ask(holds), go);
  EXPECT_EQ(ask(read(3, "b")), go);
  EXPECT_EQ(ask(asks), wait);
  EXPECT_EQ(ask(read(3, "a")), go) << "otherwise they wait for each other";
}

}  // namespace
