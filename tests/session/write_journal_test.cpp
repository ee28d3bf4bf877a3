#include "proxy/session/write_journal.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace proxy::session {
namespace {

using marks = std::vector<write_journal::mark>;

/// Collects the rows that are undone.
struct undone {
  std::string rows;
  write_journal::undo how = [this](const write_journal::moved& what) { rows += what.row; };
};

/// A journal whose rows are letters.
class write_journal_of_rows : public testing::Test {
 protected:
  write_journal::mark add(std::string_view row) {
    return journal.add({.row = std::string(row), .before = std::nullopt, .version = 1});
  }
  void back_to(const char* savepoint) { journal.rolled_back_to(journal.add_rollback_to(savepoint), saw.how); }

  write_journal journal;
  undone saw;
};

TEST_F(write_journal_of_rows, marks_ascend) {
  EXPECT_EQ(journal.last(), 0U);
  const auto first = add("a");
  const auto second = journal.add_savepoint("s");
  EXPECT_LT(first, second);
  EXPECT_EQ(journal.last(), second);
  EXPECT_EQ(journal.size(), 2U);
  journal.committed_all();
  EXPECT_TRUE(journal.empty());
  EXPECT_GT(journal.add_end(), second);
}

TEST_F(write_journal_of_rows, a_statement_that_failed_is_undone_once) {
  add("a");
  const auto failed = add("b");
  add("c");
  journal.drop(failed, saw.how);
  journal.drop(failed, saw.how);
  EXPECT_EQ(saw.rows, "b");
  journal.rolled_back_all(saw.how);
  EXPECT_EQ(saw.rows, "bca");
  journal.drop(failed, saw.how);
  EXPECT_EQ(saw.rows, "bca");
}

TEST_F(write_journal_of_rows, a_transaction_ends_at_its_end_and_not_later) {
  add("a");
  const auto first = journal.add_end();
  add("b");
  add("c");
  const auto second = journal.add_end();
  add("d");
  journal.committed(first);
  journal.rolled_back(second, saw.how);
  EXPECT_EQ(saw.rows, "cb");
  journal.rolled_back(second, saw.how);
  EXPECT_EQ(saw.rows, "cb");
  EXPECT_EQ(journal.size(), 1U);
}

TEST_F(write_journal_of_rows, rollback_to_keeps_its_savepoint) {
  add("a");
  journal.add_savepoint("s");
  add("b");
  back_to("s");
  add("c");
  back_to("s");
  EXPECT_EQ(saw.rows, "bc");
  journal.rolled_back_all(saw.how);
  EXPECT_EQ(saw.rows, "bca");
}

TEST_F(write_journal_of_rows, the_youngest_savepoint_of_a_name_counts_until_it_is_released) {
  journal.add_savepoint("s");
  add("a");
  journal.add_savepoint("s");
  add("b");
  back_to("s");
  EXPECT_EQ(saw.rows, "b");
  add("c");
  journal.add_release("s");
  add("d");
  back_to("s");
  EXPECT_EQ(saw.rows, "bdca");
}

TEST_F(write_journal_of_rows, release_ends_the_savepoints_within) {
  journal.add_savepoint("inner");
  add("a");
  journal.add_savepoint("outer");
  journal.add_savepoint("inner");
  add("b");
  journal.add_release("outer");
  back_to("inner");
  EXPECT_EQ(saw.rows, "ba");
}

TEST_F(write_journal_of_rows, an_unknown_savepoint_is_older_than_everything) {
  add("a");
  journal.add_savepoint("s");
  add("b");
  back_to("older");
  EXPECT_EQ(saw.rows, "ba");
  EXPECT_TRUE(journal.empty());

  // To release an older one ends all that are known.
  journal.add_savepoint("s");
  add("c");
  journal.add_release("older");
  add("d");
  back_to("s");
  EXPECT_EQ(saw.rows, "badc");
}

TEST_F(write_journal_of_rows, what_was_sent_after_rollback_to_is_not_undone_by_it) {
  journal.add_savepoint("s");
  add("a");
  const auto back = journal.add_rollback_to("s");
  add("b");
  journal.rolled_back_to(back, saw.how);
  EXPECT_EQ(saw.rows, "a");
  journal.rolled_back_all(saw.how);
  EXPECT_EQ(saw.rows, "ab");
}

TEST_F(write_journal_of_rows, a_mark_that_failed_never_was) {
  journal.add_savepoint("s");
  add("a");
  const auto skipped = journal.add_savepoint("s");
  const auto release = journal.add_release("s");
  const auto back = journal.add_rollback_to("s");
  for (const auto each : marks{skipped, release, back}) journal.drop(each, saw.how);
  EXPECT_EQ(saw.rows, "");
  journal.rolled_back_to(back, saw.how);
  EXPECT_EQ(saw.rows, "");
  add("b");
  back_to("s");
  EXPECT_EQ(saw.rows, "ba");
  EXPECT_EQ(journal.size(), 1U);
}

TEST_F(write_journal_of_rows, what_rests_on_an_undone_movement_goes_back_to_what_was_before_it) {
  recorded_read first;
  first.version = 1;
  recorded_read second;
  second.version = 2;
  const auto failed = journal.add({.row = "a", .before = first, .version = 2});
  journal.add({.row = "b", .before = second, .version = 4});
  journal.add({.row = "a", .before = second, .version = 3});
  std::map<std::string, std::uint64_t> before;
  const write_journal::undo how = [&](const write_journal::moved& what) {
    before[what.row] = what.before->version;
  };
  journal.drop(failed, how);
  journal.rolled_back_all(how);
  EXPECT_EQ(before, (std::map<std::string, std::uint64_t>{{"a", 1}, {"b", 2}}));
}

TEST_F(write_journal_of_rows, of_two_movements_that_left_no_record_the_later_stands) {
  const auto failed = journal.add({.row = "a", .before = recorded_read{}, .version = 0});
  journal.add({.row = "a", .before = std::nullopt, .version = 0});
  journal.drop(failed, saw.how);
  EXPECT_EQ(saw.rows, "");
  journal.rolled_back_all(saw.how);
  EXPECT_EQ(saw.rows, "a");
}

}  // namespace
}  // namespace proxy::session
