#include "proxy/session/row_activity.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using proxy::session::row_activity;
using proxy::session::seen_write;
using proxy::session::session_id;
using when = proxy::session::clock::time_point;

when at(int ms) {
  return when{1h + std::chrono::milliseconds(ms)};
}

seen_write absolute(session_id who, int read, int sent, int committed) {
  seen_write made;
  made.who = who;
  made.application = "app" + std::to_string(who);
  made.statement = "UPDATE wallets SET balance = 1";
  made.absolute = true;
  made.read = at(read);
  made.sent = at(sent);
  made.committed = at(committed);
  return made;
}

seen_write relative(session_id who, int sent, int committed) {
  seen_write made = absolute(who, 0, sent, committed);
  made.absolute = false;
  made.read.reset();
  return made;
}

TEST(row_activity, a_write_that_rests_on_a_read_older_than_anothers_write_has_overwritten_it) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 20, 30)));
  const auto lost = seen.committed("a", absolute(2, 11, 40, 50));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->row, "a");
  EXPECT_EQ(lost->lost.who, 1U);
  EXPECT_EQ(lost->lost.application, "app1");
  EXPECT_EQ(lost->winner.who, 2U);
}

TEST(row_activity, nothing_is_lost_by_a_write_that_rests_on_a_later_read) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 20, 30)));
  EXPECT_FALSE(seen.committed("a", absolute(2, 31, 40, 50)));
  EXPECT_FALSE(seen.committed("a", absolute(3, 25, 26, 60))) << "may have read either value";
  EXPECT_FALSE(seen.committed("b", absolute(4, 0, 70, 80))) << "another row";
}

TEST(row_activity, a_sessions_own_writes_and_blind_and_relative_ones_overwrite_nobody_knowingly) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 20, 30)));
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 40, 50)));
  seen_write blind = absolute(2, 0, 60, 70);
  blind.read.reset();
  EXPECT_FALSE(seen.committed("a", blind));
  EXPECT_FALSE(seen.committed("a", relative(3, 80, 90)));
}

TEST(row_activity, a_relative_write_can_be_lost) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", relative(1, 20, 30)));
  const auto lost = seen.committed("a", absolute(2, 10, 40, 50));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->lost.who, 1U);
}

TEST(row_activity, of_two_in_flight_at_once_one_is_lost_only_if_both_replaced_what_they_had_read_before) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 20, 40)));
  const auto lost = seen.committed("a", absolute(2, 11, 21, 41));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->winner.who, 2U);
  EXPECT_FALSE(seen.committed("b", relative(1, 20, 40)));
  EXPECT_FALSE(seen.committed("b", absolute(2, 11, 21, 41))) << "the order is not known";
}

TEST(row_activity, a_write_reported_late_is_known_as_the_lost_one) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(2, 11, 40, 50)));
  const auto lost = seen.committed("a", relative(1, 20, 30));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->lost.who, 1U);
  EXPECT_EQ(lost->winner.who, 2U);
}

TEST(row_activity, an_update_is_lost_once) {
  row_activity seen;
  EXPECT_FALSE(seen.committed("a", absolute(1, 10, 20, 30)));
  EXPECT_EQ(seen.committed("a", absolute(2, 11, 40, 50))->lost.who, 1U);
  EXPECT_EQ(seen.committed("a", absolute(3, 12, 60, 70))->lost.who, 2U);
  EXPECT_EQ(seen.committed("a", absolute(4, 13, 80, 90))->lost.who, 3U);
}

TEST(row_activity, texts_are_cut_between_characters) {
  row_activity seen;
  seen_write wordy = absolute(1, 10, 20, 30);
  wordy.statement = std::string(199, 'x') + "\xc3\xa4" + std::string(500, 'y');
  EXPECT_FALSE(seen.committed("a", wordy));
  EXPECT_EQ(seen.committed("a", absolute(2, 11, 40, 50))->lost.statement, std::string(199, 'x'));
  wordy = absolute(3, 12, 60, 70);
  wordy.statement.assign(1000, '\x80');
  EXPECT_LE(seen.committed("a", wordy)->winner.statement.size(), 200U);
}

TEST(row_activity, rows_least_recently_written_and_older_writes_of_a_row_are_forgotten) {
  row_activity seen(2);
  EXPECT_FALSE(seen.committed("a", relative(1, 20, 30)));
  EXPECT_FALSE(seen.committed("b", relative(1, 20, 30)));
  EXPECT_FALSE(seen.committed("c", relative(1, 20, 30)));
  EXPECT_FALSE(seen.committed("a", absolute(2, 11, 40, 50)));
  EXPECT_TRUE(seen.committed("c", absolute(2, 11, 40, 50)));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(seen.committed("c", relative(3, 60 + i, 61 + i)));
  EXPECT_FALSE(seen.committed("c", absolute(4, 45, 46, 80))) << "only the last few are known";
}

TEST(row_activity, the_last_reader_is_known_by_client_and_row) {
  row_activity seen(2);
  EXPECT_EQ(seen.last_reader("c", "a"), 0U);
  seen.read("c", "a", 1);
  seen.read("c", "a", 2);
  seen.read("d", "a", 3);
  EXPECT_EQ(seen.last_reader("c", "a"), 2U);
  EXPECT_EQ(seen.last_reader("d", "a"), 3U);
  EXPECT_EQ(seen.last_reader("ca", ""), 0U);
  seen.read("c", "b", 4);
  EXPECT_EQ(seen.last_reader("c", "a"), 0U);
}

TEST(row_activity, threads_may_report_at_once) {
  row_activity seen(8);
  std::vector<std::thread> all;
  for (session_id who = 1; who <= 4; ++who) {
    all.emplace_back([&seen, who] {
      for (int i = 0; i < 500; ++i) {
        const std::string row = std::to_string(i % 16);
        seen.read("c", row, who);
        static_cast<void>(seen.committed(row, absolute(who, i, i + 1, i + 2)));
        EXPECT_LE(seen.last_reader("c", row), 4U);
      }
    });
  }
  for (std::thread& one : all) one.join();
}

}  // namespace
