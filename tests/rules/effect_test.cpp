#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "rules/plan.hpp"

namespace rules {
namespace {

class effect : public ::testing::TestWithParam<std::pair<std::string_view, block_effect>> {};

TEST_P(effect, is_read_off_the_first_words) {
  EXPECT_EQ(effect_of(GetParam().first), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
    statements, effect,
    ::testing::Values(
        std::pair{"", block_effect::none}, std::pair{"SELECT 1", block_effect::none},
        std::pair{"BEGIN", block_effect::begin}, std::pair{"begin;", block_effect::begin},
        std::pair{"BEGIN WORK", block_effect::begin},
        std::pair{"BEGIN READ WRITE", block_effect::begin_read_write},
        std::pair{"BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY", block_effect::begin_read_only},
        std::pair{"BEGIN READ ONLY READ WRITE", block_effect::begin_read_write},
        std::pair{"START TRANSACTION", block_effect::begin},
        std::pair{"start transaction read only deferrable", block_effect::begin_read_only},
        std::pair{"START REPLICATION", block_effect::none},
        std::pair{"/* x */ -- y\n BEGIN", block_effect::begin}, std::pair{"; ;BEGIN", block_effect::begin},
        std::pair{"\"begin\"", block_effect::none}, std::pair{"COMMIT", block_effect::end},
        std::pair{"END", block_effect::end}, std::pair{"END TRANSACTION", block_effect::end},
        std::pair{"ABORT WORK", block_effect::end}, std::pair{"ROLLBACK", block_effect::end},
        std::pair{"COMMIT AND CHAIN", block_effect::chain},
        std::pair{"ROLLBACK TRANSACTION AND CHAIN", block_effect::chain},
        std::pair{"COMMIT AND NO CHAIN", block_effect::end},
        std::pair{"ROLLBACK TO s", block_effect::rollback_to},
        std::pair{"ROLLBACK WORK TO SAVEPOINT s", block_effect::rollback_to},
        std::pair{"rollback transaction to s;", block_effect::rollback_to},
        std::pair{"SAVEPOINT s", block_effect::savepoint}, std::pair{"RELEASE s", block_effect::release},
        std::pair{"RELEASE SAVEPOINT s", block_effect::release},
        std::pair{"ROLLBACK TRANSACTION", block_effect::end},
        std::pair{"COMMIT PREPARED 'x'", block_effect::none},
        std::pair{"ROLLBACK PREPARED 'x'", block_effect::none},
        std::pair{"PREPARE TRANSACTION 'x'", block_effect::end},
        std::pair{"PREPARE transaction AS SELECT 1", block_effect::none}));

INSTANTIATE_TEST_SUITE_P(
    settings, effect,
    ::testing::Values(std::pair{"SET TRANSACTION READ ONLY", block_effect::set_read_only},
                      std::pair{"SET LOCAL TRANSACTION READ WRITE", block_effect::set_read_write},
                      std::pair{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", block_effect::none},
                      std::pair{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", block_effect::none},
                      std::pair{"SET transaction_read_only = on", block_effect::set_read_only},
                      std::pair{"SET LOCAL transaction_read_only TO 'tr'", block_effect::set_read_only},
                      std::pair{"SET transaction_read_only = 0", block_effect::set_read_write},
                      std::pair{"SET transaction_read_only", block_effect::set_read_write},
                      std::pair{"SET search_path TO x", block_effect::none},
                      std::pair{"SET", block_effect::none}));

TEST(savepoint_name, is_as_postgresql_stores_it) {
  EXPECT_EQ(savepoint_name("SAVEPOINT Before_Debit"), "before_debit");
  EXPECT_EQ(savepoint_name("; savepoint /* x */ \"A \"\"b\"\"\" ;"), "A \"b\"");
  EXPECT_EQ(savepoint_name("RELEASE SAVEPOINT s"), "s");
  EXPECT_EQ(savepoint_name("RELEASE savepoint"), "savepoint");
  EXPECT_EQ(savepoint_name("RELEASE SAVEPOINT SAVEPOINT"), "savepoint");
  EXPECT_EQ(savepoint_name("ROLLBACK TO s2;"), "s2");
  EXPECT_EQ(savepoint_name("rollback work to savepoint S2"), "s2");
  EXPECT_EQ(savepoint_name("SAVEPOINT U&\"d\\0061t\\+000061\\\\\""), "data\\");
  EXPECT_EQ(savepoint_name("SAVEPOINT U&\"d!0061t\" UESCAPE '!'"), "dat");
  EXPECT_EQ(savepoint_name("SAVEPOINT \"" + std::string(62, 'x') + "\xC3\xA4\""), std::string(62, 'x'));
  EXPECT_EQ(savepoint_name("SAVEPOINT " + std::string(70, 'Y')), std::string(63, 'y'));
}

TEST(savepoint_name, is_empty_for_other_statements) {
  for (const auto* sql : {"", "SELECT 1", "ROLLBACK", "ROLLBACK AND CHAIN", "COMMIT", "SAVEPOINT", "RELEASE",
                          "ROLLBACK TO", "\"savepoint\" s", "ABORT TO s"}) {
    EXPECT_EQ(savepoint_name(sql), "") << sql;
  }
}

}  // namespace
}  // namespace rules
