#include "proxy/session/name_register.hpp"

#include <gtest/gtest.h>

namespace {

using names = proxy::session::name_register<int>;

/// The meaning in batch `at`: its value, 0 for none, -1 where it is not certain.
int meaning(const names& of, std::string_view name, names::batch at) {
  const auto found = of.find(name, at);
  if (!found.certain) return -1;
  return found.value ? *found.value : 0;
}

TEST(name_register, a_change_counts_at_once_in_its_batch_and_lasts_when_confirmed) {
  names known;
  known.change("s1", std::make_shared<int>(1), 7);
  EXPECT_EQ(meaning(known, "s1", 7), 1);
  known.confirm();
  EXPECT_EQ(meaning(known, "s1", 8), 1);
}

TEST(name_register, a_change_that_was_skipped_never_was) {
  names known;
  known.change("s1", std::make_shared<int>(1), 1);
  known.confirm();
  known.change("s1", nullptr, 2);
  EXPECT_EQ(meaning(known, "s1", 2), 0);
  known.drop();
  EXPECT_EQ(meaning(known, "s1", 3), 1);
}

TEST(name_register, a_later_batch_cannot_rely_on_an_unanswered_change) {
  names known;
  known.change("s1", std::make_shared<int>(1), 1);
  known.confirm();
  known.change("s1", nullptr, 2);
  EXPECT_EQ(meaning(known, "s1", 3), -1);
  known.confirm();
  EXPECT_EQ(meaning(known, "s1", 3), 0);
}

TEST(name_register, a_first_meaning_is_not_certain_for_a_later_batch_either) {
  names known;
  known.change("s1", std::make_shared<int>(1), 1);
  EXPECT_EQ(meaning(known, "s1", 2), -1);
  EXPECT_EQ(meaning(known, "s2", 2), 0);
}

TEST(name_register, what_never_concerned_a_rule_stays_certain) {
  names known;
  known.change("x", std::make_shared<int>(1), 1);
  known.change("", nullptr, 1);
  EXPECT_EQ(meaning(known, "", 2), 0);
}

TEST(name_register, close_and_parse_of_one_name_in_one_pipeline) {
  names known;
  known.change("s1", std::make_shared<int>(1), 1);
  known.confirm();
  known.change("s1", nullptr, 2);
  known.change("s1", std::make_shared<int>(2), 2);
  EXPECT_EQ(meaning(known, "s1", 2), 2);
  known.confirm();
  known.drop();
  EXPECT_EQ(meaning(known, "s1", 3), 0);
}

TEST(name_register, forgets_all) {
  names known;
  known.change("a", std::make_shared<int>(1), 1);
  known.confirm();
  known.change_all(2);
  EXPECT_EQ(meaning(known, "a", 2), 0);
  EXPECT_EQ(meaning(known, "a", 3), -1);
  known.change("a", std::make_shared<int>(3), 2);
  EXPECT_EQ(meaning(known, "a", 2), 3);
  known.confirm();
  known.confirm();
  EXPECT_EQ(meaning(known, "a", 3), 3);
  EXPECT_EQ(known.size(), 1U);
}

TEST(name_register, counts_a_name_that_is_changed_again_and_again_once) {
  names known;
  for (int i = 0; i < 10; ++i) known.change("a", std::make_shared<int>(i), 1);
  EXPECT_EQ(known.size(), 1U);
  for (int i = 0; i < 10; ++i) known.confirm();
  EXPECT_EQ(known.size(), 1U);
}

TEST(name_register, an_unknown_name_that_stays_unknown_is_no_change) {
  names known;
  EXPECT_FALSE(known.would_change("", false));
  EXPECT_TRUE(known.would_change("", true));
  known.change("x", std::make_shared<int>(1), 1);
  EXPECT_TRUE(known.would_change("", false));
}

TEST(name_register, knows_a_name_by_the_63_bytes_that_postgresql_keeps) {
  names known;
  const std::string name(63, 'a');
  known.change(name + "X", std::make_shared<int>(1), 1);
  known.confirm();
  EXPECT_EQ(meaning(known, name + "Y", 2), 1);
  EXPECT_EQ(meaning(known, name.substr(1), 2), 0);
}

/// A pipeline of unnamed statements is one name, however long it is.
TEST(name_register, counts_names_not_changes) {
  names known;
  for (int i = 1; i <= 1000; ++i) known.change("", std::make_shared<int>(i), 1);
  EXPECT_EQ(known.size(), 1U);
  for (int i = 1; i <= 1000; ++i) known.confirm();
  EXPECT_EQ(known.size(), 1U);
  EXPECT_EQ(meaning(known, "", 2), 1000);
}

}  // namespace
