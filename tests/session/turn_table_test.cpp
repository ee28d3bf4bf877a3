#include "proxy/session/turn_table.hpp"

#include <gtest/gtest.h>

#include "tests/session/turns.hpp"

namespace {

using namespace std::chrono_literals;
using session_test::turn_desk;

class turn_table : public testing::Test, protected turn_desk {};

TEST_F(turn_table, with_turns_on_the_second_reader_waits_until_the_first_has_written) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(last.ask_again_at, now + 1000ms);
  EXPECT_EQ(ask(write(1, "a")), go);
  wrote(1, {"a"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(read(2, "a")), go);
  wrote(2, {"a"});
  EXPECT_EQ(woken(), ids{});
  EXPECT_EQ(active(), 0U);
}

TEST_F(turn_table, reading_again_in_ones_own_turn_never_waits) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_table, first_come_first_served_and_a_newcomer_does_not_overtake_a_grant_on_its_way) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(3, "a")), wait);
  wrote(1, {"a"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(read(4, "a")), wait);
  EXPECT_EQ(ask(read(3, "a")), wait);  // asking again keeps the place, neither better nor worse
  EXPECT_EQ(ask(read(2, "a")), go);
  leave(2);
  EXPECT_EQ(woken(), ids{3});
  leave(3);
  EXPECT_EQ(woken(), ids{4});
}

TEST_F(turn_table, a_turn_not_used_in_time_is_given_to_the_next_who_asks_again) {
  EXPECT_EQ(ask(read(1, "a")), go);
  now += 300ms;
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(last.ask_again_at, now + 700ms);
  EXPECT_EQ(ask(read(3, "a")), wait);
  now += 699ms;
  EXPECT_EQ(ask(read(2, "a")), wait);
  now += 1ms;
  EXPECT_EQ(ask(read(3, "a")), wait);
  EXPECT_EQ(last.ask_again_at, now + 1000ms);
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(read(2, "a")), go);
  EXPECT_EQ(woken(), ids{});
  EXPECT_EQ(ask(write(1, "a")), wait);  // late: it waits like any other
}

TEST_F(turn_table, who_asks_again_at_the_front_when_the_time_has_come_is_not_woken_as_well) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  now += 1000ms;
  EXPECT_EQ(ask(read(2, "a")), go);
  EXPECT_EQ(woken(), ids{});
}

TEST_F(turn_table, a_grant_that_nobody_comes_for_runs_out_too) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(3, "a")), wait);
  wrote(1, {"a"});
  now += 1000ms;
  EXPECT_EQ(ask(read(3, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);  // at the end of the queue
  wrote(3, {"a"});
  EXPECT_EQ(woken(), (ids{2, 2}));
  EXPECT_EQ(ask(read(2, "a")), go);
}

TEST_F(turn_table, turns_off_neither_begin_nor_wait) {
  EXPECT_EQ(ask(read(1, "a")), go);
  turn_request off = read(2, "a");
  off.mode = turns::off;
  EXPECT_EQ(ask(off), go);
  off.read = false;
  off.in_transaction = true;
  EXPECT_EQ(ask(off), go);
  off.rows = {"b"};
  EXPECT_EQ(ask(off), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_table, adaptive_turns_begin_after_a_conflict_and_for_reads_that_led_to_a_write) {
  turn_request shown = read(1, "a", turns::adaptive);
  EXPECT_EQ(ask(shown), go);
  EXPECT_EQ(active(), 0U);
  table.conflict({"a"}, now);
  EXPECT_EQ(ask(shown), go);
  EXPECT_EQ(active(), 0U) << "a page that shows a balance";
  table.led_to_write(shown.shape);
  EXPECT_EQ(ask(shown), go);
  EXPECT_EQ(active(), 1U);
  turn_request other = read(2, "a", turns::adaptive);
  other.shape = 99;
  EXPECT_EQ(ask(other), go) << "shows a balance, so it does not queue";
  other.in_transaction = true;
  EXPECT_EQ(ask(other), wait) << "in a transaction it does";
}

TEST_F(turn_table, adaptive_turns_end_when_the_conflict_is_forgotten) {
  table.led_to_write(7);
  table.conflict({"a"}, now);
  now += 10s;
  EXPECT_EQ(ask(read(1, "a", turns::adaptive)), go);
  EXPECT_EQ(active(), 1U);
  leave(1);
  now += 1ms;
  EXPECT_EQ(ask(read(1, "a", turns::adaptive)), go);
  EXPECT_EQ(active(), 0U);
}

TEST_F(turn_table, waiting_keeps_adaptive_turns_alive) {
  table.led_to_write(7);
  table.conflict({"a"}, now);
  EXPECT_EQ(ask(read(1, "a", turns::adaptive)), go);
  for (session_id who = 2; who < 10; ++who) {
    now += 900ms;
    EXPECT_EQ(ask(read(who, "a", turns::adaptive)), wait);
    now += 900ms;
    EXPECT_EQ(ask(read(who, "a", turns::adaptive)), go);
  }
}

TEST_F(turn_table, rows_not_named_by_key_begin_turns_only_for_reads_that_led_to_a_write) {
  turn_request by_mail = read(1, "mail=x");
  by_mail.by_key = false;
  EXPECT_EQ(ask(by_mail), go);
  EXPECT_EQ(active(), 0U);
  table.led_to_write(by_mail.shape);
  EXPECT_EQ(ask(by_mail), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_table, a_write_waits_its_turn_and_then_keeps_readers_from_what_it_is_about_to_change) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(write(2, "a")), wait);
  EXPECT_EQ(ask(read(3, "a")), wait);
  wrote(1, {"a"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(write(2, "a")), go);
  EXPECT_EQ(woken(), ids{});
  wrote(2, {"a"});
  EXPECT_EQ(woken(), ids{3});
}

TEST_F(turn_table, a_write_on_a_quiet_row_takes_no_turn_unless_turns_are_on_and_it_is_in_a_transaction) {
  EXPECT_EQ(ask(write(1, "a")), go);
  turn_request adaptive = write(1, "a");
  adaptive.mode = turns::adaptive;
  adaptive.in_transaction = true;
  EXPECT_EQ(ask(adaptive), go);
  EXPECT_EQ(active(), 0U);
  turn_request on = write(1, "a");
  on.in_transaction = true;
  EXPECT_EQ(ask(on), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_table, reads_that_begin_no_turn_go_on_together) {
  EXPECT_EQ(ask(read(1, "a")), go);
  for (session_id who = 2; who < 5; ++who) {
    turn_request shown = read(who, "a", turns::adaptive);
    shown.in_transaction = true;
    EXPECT_EQ(ask(shown), wait);
  }
  wrote(1, {"a"});
  for (session_id who = 2; who < 5; ++who) {
    EXPECT_EQ(woken(), ids{who});
    turn_request shown = read(who, "a", turns::adaptive);
    shown.in_transaction = true;
    EXPECT_EQ(ask(shown), go);
  }
  EXPECT_EQ(active(), 0U);
}

TEST_F(turn_table, several_rows_are_taken_in_the_order_of_their_bytes_and_kept_while_waiting) {
  EXPECT_EQ(ask(read(1, "b")), go);
  turn_request both = read(2, "b");
  both.rows = {"b", "a", "b"};
  EXPECT_EQ(ask(both), wait);
  EXPECT_TRUE(table.outstanding(9, {"a"}, now));
  EXPECT_EQ(ask(read(3, "a")), wait);
  now += 1000ms;  // its own time for "a" does not run while it waits for "b"
  EXPECT_EQ(ask(read(3, "a")), wait);
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(both), go);
  EXPECT_EQ(active(), 2U);
  wrote(2, {"a", "b"});
  EXPECT_EQ(woken(), ids{3});
}

TEST_F(turn_table, giving_up_keeps_earlier_turns_and_gives_back_those_of_the_unfinished_request) {
  EXPECT_EQ(ask(read(1, "c")), go);
  EXPECT_EQ(ask(read(2, "a")), go);
  turn_request more = read(2, "b");
  more.rows = {"b", "c"};
  EXPECT_EQ(ask(more), wait);
  EXPECT_EQ(ask(read(3, "b")), wait);
  table.give_up(2, now, wake);
  EXPECT_EQ(woken(), ids{3});
  EXPECT_TRUE(table.outstanding(9, {"a"}, now));
  wrote(1, {"c"});
  EXPECT_EQ(woken(), ids{});
}

TEST_F(turn_table, what_is_held_already_is_asked_again_without_losing_the_place_elsewhere) {
  EXPECT_EQ(ask(read(1, "b")), go);
  EXPECT_EQ(ask(read(2, "a")), go);
  EXPECT_EQ(ask(write(2, "b")), wait);
  EXPECT_EQ(ask(read(3, "b")), wait);
  EXPECT_EQ(ask(read(2, "a")), go);
  wrote(1, {"b"});
  EXPECT_EQ(woken(), ids{2});
  EXPECT_EQ(ask(read(2, "a")), go);
  EXPECT_EQ(ask(write(2, "b")), go);
  wrote(2, {"a", "b"});
  EXPECT_EQ(woken(), ids{3});
}

TEST_F(turn_table, another_request_of_a_session_that_waits_takes_the_place_of_the_first) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(2, "b")), go);
  wrote(1, {"a"});
  EXPECT_EQ(woken(), ids{});
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(turn_table, who_leaves_frees_the_queue_and_all_it_held) {
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(1, "b")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  EXPECT_EQ(ask(read(3, "a")), wait);
  EXPECT_EQ(ask(read(4, "b")), wait);
  leave(2);
  EXPECT_EQ(woken(), ids{});
  leave(1);
  EXPECT_EQ(woken(), (ids{3, 4}));
}

TEST_F(turn_table, outstanding_is_somebody_elses_turn_that_has_not_run_out) {
  EXPECT_FALSE(table.outstanding(2, {"a", "b"}, now));
  EXPECT_EQ(ask(read(1, "b")), go);
  EXPECT_TRUE(table.outstanding(2, {"a", "b"}, now));
  EXPECT_FALSE(table.outstanding(1, {"a", "b"}, now));
  now += 1000ms;
  EXPECT_FALSE(table.outstanding(2, {"a", "b"}, now));
}

TEST_F(turn_table, turns_that_run_out_go_away_though_nobody_asks_for_their_rows) {
  for (session_id who = 1; who <= 100; ++who) EXPECT_EQ(ask(read(who, "r" + std::to_string(who))), go);
  EXPECT_EQ(active(), 100U);
  now += 1000ms;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(read(1, "x")), go);
  EXPECT_EQ(active(), 1U);
}

TEST_F(turn_table, counts_are_kept_by_rule) {
  turn_request other = read(5, "z");
  other.rule = "stock";
  EXPECT_EQ(ask(other), go);
  EXPECT_EQ(ask(read(1, "a")), go);
  EXPECT_EQ(ask(read(2, "a")), wait);
  const auto counts = table.count();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].rule, "stock");
  EXPECT_EQ(counts[0].active, 1U);
  EXPECT_EQ(counts[0].waiting, 0U);
  EXPECT_EQ(counts[1].rule, "wallets");
  EXPECT_EQ(counts[1].active, 1U);
  EXPECT_EQ(counts[1].waiting, 1U);
}

TEST_F(turn_table, a_turn_timeout_of_nothing_still_lets_everybody_through) {
  for (session_id who = 1; who <= 3; ++who) {
    turn_request hasty = read(who, "a");
    hasty.turn_timeout = 0ms;
    EXPECT_EQ(ask(hasty), who == 1 ? go : wait);
  }
  for (session_id who = 2; who <= 3; ++who) {
    now += 1ms;
    turn_request hasty = read(who, "a");
    hasty.turn_timeout = 0ms;
    EXPECT_EQ(ask(hasty), go);
  }
}

}  // namespace
