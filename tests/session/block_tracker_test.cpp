#include "proxy/session/block_tracker.hpp"

#include <gtest/gtest.h>

namespace {

using proxy::session::block;
using proxy::session::block_tracker;
using rules::block_effect;

TEST(block_tracker, follows_ready_for_query) {
  block_tracker tracker;
  EXPECT_EQ(tracker.now(), block::outside);
  tracker.query_sent(block_effect::begin);
  EXPECT_EQ(tracker.now(), block::unknown);
  tracker.ready('T', false, false);
  EXPECT_EQ(tracker.now(), block::inside);
  tracker.query_sent(block_effect::none);
  tracker.ready('E', false, false);
  EXPECT_EQ(tracker.now(), block::inside);
  tracker.query_sent(block_effect::end);
  tracker.ready('I', false, false);
  EXPECT_EQ(tracker.now(), block::outside);
}

TEST(block_tracker, takes_the_effect_of_statements_in_flight_in_a_batch) {
  block_tracker tracker;
  tracker.statement_sent(block_effect::begin);  // JDBC sends BEGIN and the write in one batch
  EXPECT_EQ(tracker.now(), block::inside);
  tracker.statement_sent(block_effect::none);
  EXPECT_EQ(tracker.now(), block::inside);
  tracker.statement_sent(block_effect::end);
  EXPECT_EQ(tracker.now(), block::outside);
  tracker.ready('I', false, false);
  EXPECT_EQ(tracker.now(), block::outside);
}

TEST(block_tracker, keeps_later_effects_when_an_earlier_batch_is_answered) {
  block_tracker tracker;
  tracker.statement_sent(block_effect::begin);
  tracker.ready('I', false, true);  // of a batch before; more is owed
  EXPECT_EQ(tracker.now(), block::inside);
}

TEST(block_tracker, is_sure_only_of_what_no_failure_changes) {
  block_tracker tracker;
  EXPECT_FALSE(tracker.surely_inside());
  tracker.statement_sent(block_effect::begin);
  EXPECT_TRUE(tracker.surely_inside()) << "if BEGIN fails, nothing up to Sync runs";
  tracker.batch_sent();
  EXPECT_FALSE(tracker.surely_inside()) << "BEGIN may have been skipped";
  tracker.ready('T', false, false);
  EXPECT_TRUE(tracker.surely_inside());
  tracker.statement_sent(block_effect::end);
  tracker.batch_sent();
  EXPECT_EQ(tracker.now(), block::inside) << "to be locked";
  EXPECT_FALSE(tracker.surely_inside()) << "COMMIT has probably run";
  tracker.query_sent(block_effect::none);
  EXPECT_FALSE(tracker.surely_inside());
}

TEST(block_tracker, does_not_know_while_any_query_runs) {
  block_tracker tracker;
  tracker.query_sent(block_effect::begin);
  tracker.query_sent(block_effect::none);
  tracker.ready('T', true, true);
  EXPECT_EQ(tracker.now(), block::unknown);
  tracker.ready('T', false, false);
  EXPECT_EQ(tracker.now(), block::inside);
}

TEST(block_tracker, knows_again_after_a_begin_behind_a_query) {
  block_tracker tracker;
  tracker.query_sent(block_effect::none);
  tracker.statement_sent(block_effect::begin);
  EXPECT_EQ(tracker.now(), block::inside);
}

TEST(block_tracker, a_chained_commit_stays_inside) {
  block_tracker tracker;
  tracker.ready('T', false, false);
  tracker.statement_sent(block_effect::chain);
  EXPECT_EQ(tracker.now(), block::inside);
}

TEST(block_tracker, read_only_is_declared_per_transaction) {
  block_tracker tracker;
  EXPECT_FALSE(tracker.read_only());
  tracker.statement_sent(block_effect::begin_read_only);
  EXPECT_TRUE(tracker.read_only());
  tracker.statement_sent(block_effect::set_read_write);
  EXPECT_FALSE(tracker.read_only());
  tracker.statement_sent(block_effect::set_read_only);
  tracker.statement_sent(block_effect::end);
  tracker.ready('I', false, false);
  EXPECT_FALSE(tracker.read_only());
}

TEST(block_tracker, an_end_that_may_have_been_skipped_does_not_count_in_the_next_batch) {
  block_tracker tracker;
  tracker.ready('T', false, false);
  tracker.statement_sent(block_effect::end);
  EXPECT_EQ(tracker.now(), block::outside);
  tracker.batch_sent();
  EXPECT_EQ(tracker.now(), block::inside);
  tracker.ready('I', false, false);
  EXPECT_EQ(tracker.now(), block::outside);
}

TEST(block_tracker, read_write_wins_over_the_default_and_a_chain_keeps_what_was_declared) {
  block_tracker tracker;
  tracker.default_read_only(true);
  tracker.statement_sent(block_effect::begin_read_write);
  EXPECT_EQ(tracker.now(), block::inside);
  EXPECT_FALSE(tracker.read_only());
  tracker.statement_sent(block_effect::chain);
  EXPECT_FALSE(tracker.read_only());
}

TEST(block_tracker, read_only_by_default_or_on_a_standby) {
  block_tracker tracker;
  tracker.default_read_only(true);
  EXPECT_TRUE(tracker.read_only());
  tracker.statement_sent(block_effect::set_read_write);
  EXPECT_FALSE(tracker.read_only());
  tracker.standby(true);
  EXPECT_TRUE(tracker.read_only());
}

}  // namespace
