#include "proxy/session/reused.hpp"

#include <string>

#include <gtest/gtest.h>

namespace proxy::session {
namespace {

TEST(reused_list, keeps_what_it_lets_go_of) {
  reused_list<std::string> list;
  list.add() = std::string(100, 'a');
  list.add() = "b";
  const char* const memory = list[0].data();
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.kept(), 2U);
  list.add().assign(50, 'c');
  EXPECT_EQ(list.size(), 1U);
  EXPECT_EQ(list.front().data(), memory);
  EXPECT_EQ(list.begin() + 1, list.end());
}

TEST(reused_list, a_copy_has_only_what_is_in_use) {
  reused_list<std::string> list;
  list.add() = "a";
  list.add() = "b";
  list.clear();
  list.add() = "c";
  reused_list<std::string> made(list);
  EXPECT_EQ(made.kept(), 1U);
  reused_list<std::string> assigned;
  assigned.add() = "d";
  assigned.add() = "e";
  assigned = list;
  EXPECT_EQ(assigned.size(), 1U);
  EXPECT_EQ(assigned.front(), "c");
  const reused_list<std::string> moved(std::move(assigned));
  EXPECT_EQ(moved.size(), 1U);
}

struct thing {
  std::string text;
  bool worth_keeping = true;
  [[nodiscard]] bool let_go() {
    text.clear();
    return worth_keeping;
  }
};

TEST(reuse_pool, gives_an_object_again_once_nobody_has_it) {
  reuse_pool<thing> pool;
  auto first = pool.take();
  first->text = "a";
  const thing* const where = first.get();
  auto second = first;
  first = nullptr;
  EXPECT_EQ(second->text, "a");
  EXPECT_NE(pool.take().get(), where);
  second = nullptr;
  const auto again = pool.take();
  EXPECT_EQ(again.get(), where);
  EXPECT_EQ(again->text, "");
}

TEST(reuse_pool, may_have_any_number_in_use) {
  reuse_pool<thing> pool;
  std::vector<reuse_pool<thing>::handle> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(pool.take());
    all.back()->worth_keeping = i % 2 == 0;
  }
  all.clear();
  EXPECT_TRUE(pool.take());
  EXPECT_FALSE(reuse_pool<thing>::handle());
}

}  // namespace
}  // namespace proxy::session
