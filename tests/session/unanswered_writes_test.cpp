// Which writes of one batch must wait for those of an earlier one.
#include <initializer_list>

#include <gtest/gtest.h>

#include "proxy/session/limits.hpp"
#include "proxy/session/watch.hpp"
#include "tests/session/stage.hpp"

namespace {

namespace limits = proxy::session::limits;

class unanswered_writes : public testing::Test {
 protected:
  static proxy::session::named_rows rows(std::initializer_list<int> ids) {
    proxy::session::named_rows made;
    for (const int id : ids) {
      proxy::session::named_row& row = made.add();
      row.id = std::to_string(id);
      row.by_key = true;
    }
    return made;
  }
  std::uint32_t table(std::uint16_t relation) const { return book_->relations()[relation].oid; }

  bool concern(std::uint16_t relation, int id, std::uint64_t batch) const {
    rules::write_note note;
    note.relation = relation;
    proxy::session::watch on;
    on.book = book_;
    on.writes.emplace_back().note = &note;
    on.writes.back().rows = rows({id});
    return writes_.concern(on, batch);
  }

  proxy::session::book_ptr book_ = stage::book();
  proxy::session::unanswered_writes writes_;
};

TEST_F(unanswered_writes, same_row_of_the_same_table_in_an_earlier_batch) {
  ASSERT_NE(table(0), table(1));
  writes_.add(1, table(0), rows({7}));
  EXPECT_TRUE(concern(0, 7, 2));
  EXPECT_FALSE(concern(0, 7, 1));
  EXPECT_FALSE(concern(0, 8, 2));
  EXPECT_FALSE(concern(1, 7, 2));
  writes_.answered(2);
  EXPECT_FALSE(concern(0, 7, 2));
}

TEST_F(unanswered_writes, rows_that_are_not_named_by_their_keys_may_be_any) {
  writes_.add(1, table(0), {});
  EXPECT_TRUE(concern(0, 7, 2));
  EXPECT_FALSE(concern(1, 7, 2));
}

TEST_F(unanswered_writes, more_than_are_told_apart_may_be_any_row) {
  const int most = static_cast<int>(limits::unanswered_writes);
  for (int id = 0; id < most; ++id) writes_.add(1, table(0), rows({id}));
  EXPECT_FALSE(concern(0, most, 2));
  writes_.add(1, table(0), rows({most}));
  EXPECT_TRUE(concern(0, most, 2));
  EXPECT_TRUE(concern(0, most + 1, 2));
  EXPECT_FALSE(concern(1, 7, 2));
  writes_.add(1, table(1), rows({7}));
  EXPECT_TRUE(concern(1, 7, 2));
  EXPECT_FALSE(concern(1, 7, 1));
  writes_.answered(2);
  EXPECT_FALSE(concern(0, 7, 2));
}

}  // namespace
