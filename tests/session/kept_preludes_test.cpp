// Which hidden statements have names, and when names are freed.
#include "proxy/session/kept_preludes.hpp"

#include <gtest/gtest.h>

#include "proxy/session/limits.hpp"

namespace proxy::session {
namespace {

class kept_preludes_of : public ::testing::Test {
 protected:
  kept_preludes::answer find(kept_preludes& of, const std::string& text, std::uint64_t batch) {
    auto found = of.find(text, {}, names_, batch);
    if (found.parse) names_->expect(found.what);
    return found;
  }
  /// Runs twice, so that it has a name, which the server has confirmed.
  std::string name(kept_preludes& of, const std::string& text) {
    EXPECT_EQ(find(of, text, 1).what, nullptr);
    const auto named = find(of, text, 2);
    EXPECT_TRUE(named.parse);
    names_->settle(true, 0);
    return named.what ? named.what->name : "";
  }

  std::shared_ptr<prelude_names> names_ = std::make_shared<prelude_names>();
};

TEST_F(kept_preludes_of, a_text_has_a_name_from_its_second_run_on) {
  kept_preludes of;
  EXPECT_EQ(name(of, "one"), "_pgteller_p1");
  const auto again = find(of, "one", 3);
  ASSERT_NE(again.what, nullptr);
  EXPECT_FALSE(again.parse);
  EXPECT_EQ(again.what->name, "_pgteller_p1");
}

TEST_F(kept_preludes_of, a_name_counts_in_the_batch_of_its_parse_and_once_it_is_confirmed) {
  kept_preludes of;
  EXPECT_EQ(find(of, "one", 1).what, nullptr);
  EXPECT_TRUE(find(of, "one", 2).parse);
  EXPECT_NE(find(of, "one", 2).what, nullptr);
  EXPECT_EQ(find(of, "one", 3).what, nullptr);
  names_->settle(true, 0);
  EXPECT_NE(find(of, "one", 3).what, nullptr);
}

TEST_F(kept_preludes_of, a_parse_that_failed_is_tried_under_another_name) {
  kept_preludes of;
  EXPECT_EQ(find(of, "one", 1).what, nullptr);
  EXPECT_TRUE(find(of, "one", 2).parse);
  names_->settle(false, 0);
  EXPECT_EQ(names_->take_freed(), std::vector<std::string>{"_pgteller_p1"});
  const auto again = find(of, "one", 3);
  ASSERT_TRUE(again.parse);
  EXPECT_EQ(again.what->name, "_pgteller_p2");
  // The Close is in flight before the Parse.
  names_->settle(true, 0);
  names_->settle(true, 0);
  EXPECT_EQ(find(of, "one", 4).what->name, "_pgteller_p2");
  EXPECT_EQ(names_->in_use(), 1U);
}

TEST_F(kept_preludes_of, other_types_get_another_name) {
  kept_preludes of;
  EXPECT_EQ(name(of, "one"), "_pgteller_p1");
  const auto other = of.find("one", {20}, names_, 3);
  ASSERT_TRUE(other.parse);
  EXPECT_EQ(other.what->name, "_pgteller_p2");
  EXPECT_EQ(names_->take_freed(), std::vector<std::string>{"_pgteller_p1"});
}

TEST_F(kept_preludes_of, names_go_with_the_statement_even_if_they_are_in_flight) {
  {
    kept_preludes of;
    EXPECT_EQ(name(of, "one"), "_pgteller_p1");
    EXPECT_EQ(find(of, "two", 3).what, nullptr);
    EXPECT_TRUE(find(of, "two", 4).parse);
  }
  EXPECT_EQ(names_->in_use(), 0U);
  names_->settle(true, 0);
  EXPECT_EQ(names_->in_use(), 0U);
  EXPECT_EQ(names_->take_freed(), (std::vector<std::string>{"_pgteller_p1", "_pgteller_p2"}));
  EXPECT_TRUE(names_->take_freed().empty());
}

TEST_F(kept_preludes_of, a_close_that_was_skipped_is_sent_again) {
  {
    kept_preludes of;
    EXPECT_EQ(name(of, "one"), "_pgteller_p1");
  }
  EXPECT_EQ(names_->take_freed().size(), 1U);
  names_->settle(false, 0);
  EXPECT_EQ(names_->take_freed(), std::vector<std::string>{"_pgteller_p1"});
}

TEST_F(kept_preludes_of, a_statement_has_few_and_a_session_too) {
  kept_preludes of;
  for (std::size_t i = 0; i <= limits::kept_preludes_of_one; ++i) {
    EXPECT_NE(name(of, std::to_string(i)), "");
  }
  EXPECT_EQ(names_->in_use(), limits::kept_preludes_of_one);
  EXPECT_EQ(find(of, "0", 9).what, nullptr);  // forgotten
  while (names_->in_use() < limits::kept_preludes) ASSERT_TRUE(names_->take());
  kept_preludes further;
  EXPECT_EQ(find(further, "one", 9).what, nullptr);
  EXPECT_EQ(find(further, "one", 10).what, nullptr);
}

}  // namespace
}  // namespace proxy::session
