#include <string>

#include <gtest/gtest.h>

#include "rules/marker.hpp"
#include "tests/rules/fixtures.hpp"

namespace rules {
namespace {

using testing::book_of;
using testing::shop_catalog;
using testing::situation;

std::string findings(const rule_set& configured) {
  std::string all;
  for (const auto& each : check(configured, shop_catalog())) {
    all += (each.level == finding::severity::problem ? "problem: " : "note: ") + each.rule + ": " +
           each.message + "\n";
  }
  return all;
}

TEST(once, is_a_rule_behind_the_others_that_guards_no_relation) {
  auto configured = situation("once");
  configured.rules.push_back(testing::wallet_rule());
  const auto book = rule_book::compile(configured, shop_catalog(), "app", false);
  ASSERT_EQ(book->rules().size(), 3U);
  EXPECT_FALSE(book->rules()[0].once);
  EXPECT_TRUE(book->rules()[1].once);
  EXPECT_EQ(book->rules()[1].name, "one-credit-per-order");
  EXPECT_TRUE(book->rules()[1].columns.empty());
  EXPECT_EQ(book->relations().size(), 1U);
  EXPECT_TRUE(book->may_touch("INSERT INTO transactions DEFAULT VALUES"));
  EXPECT_TRUE(may_touch(situation("once"), "shop", "app", "insert into Transactions values (1)"));
  EXPECT_FALSE(may_touch(situation("once"), "shop", "app", "insert into wallets values (1)"));
}

TEST(once, is_left_out_where_the_table_is_not_there) {
  auto configured = situation("once");
  configured.once[0].schema = "app";
  EXPECT_EQ(rule_book::compile(configured, shop_catalog(), "app", false)->rules().size(), 1U);
}

TEST(once, over_a_key_that_cannot_be_used_is_opaque) {
  for (const auto* column : {"nowhere", "bag"}) {
    auto configured = situation("once");
    configured.once.resize(1);
    configured.once[0].key = {column};
    auto known = shop_catalog();
    known.tables.back().columns.push_back({"bag", 6, 114, "json"});
    const auto found = rule_book::compile(configured, known, "app", false)
                           ->analyse("INSERT INTO transactions (order_id) VALUES (1)", {});
    const auto& touches = found->statements.at(0).autonomous.touches;
    ASSERT_EQ(touches.size(), 1U);
    EXPECT_TRUE(touches[0].unguarded);
    EXPECT_EQ(touches[0].reason, unguarded_reason::opaque);
  }
}

TEST(once, marker_names_the_key_and_comes_behind_the_lock) {
  const auto found =
      book_of("once")->analyse("INSERT INTO transactions (kind, order_id, note) VALUES ('a', $3, $1)", {});
  const auto& planned = found->statements.at(0).autonomous;
  ASSERT_EQ(planned.preludes.size(), 5U);
  for (const auto& each : planned.preludes) {
    EXPECT_TRUE(each.once);
    EXPECT_FALSE(each.before_bind);
  }
  EXPECT_NE(planned.preludes[0].sql.find("pg_advisory_xact_lock"), std::string::npos);
  EXPECT_NE(planned.preludes[1].sql.find("pgteller/0/60003/"), std::string::npos);
  EXPECT_EQ(planned.preludes[1].parameters, std::vector<std::uint16_t>{3});
  EXPECT_NE(planned.preludes[3].sql.find("pgteller/1/60003/"), std::string::npos);
  EXPECT_NE(planned.preludes[4].sql.find("pgteller/0/60000/"), std::string::npos);
}

TEST(check, of_once) {
  auto configured = situation("once");
  EXPECT_NE(findings(configured)
                .find("note: one-credit-per-order: \"public.transactions\" has no unique "
                      "index that begins with the key"),
            std::string::npos);
  configured.once[0].key = {"order_no"};
  configured.once[1].table = "nowhere";
  const auto all = findings(configured);
  EXPECT_NE(all.find("problem: one-credit-per-order: \"public.transactions\" has no column \"order_no\""),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("problem: one-of-a-kind: database \"shop\" has no table \"public.nowhere\""),
            std::string::npos)
      << all;
  configured.once = {{"till", "", "tills", {"cash"}}};
  EXPECT_NE(findings(configured).find("column \"cash\" is of type money, which cannot be hashed"),
            std::string::npos);
}

TEST(check, escrow_needs_exact_subtraction) {
  auto configured = situation("bounds");
  for (auto& each : configured.rules) each.strategy = strategy::escrow;
  const auto all = findings(configured);
  EXPECT_NE(all.find("problem: account-balance: \"app.accounts\" column \"balance\" is of type double "
                     "precision, which strategy = \"escrow\""),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("problem: till: \"public.tills\" column \"cash\" is of type money"), std::string::npos);
  EXPECT_EQ(all.find("problem: wallet-balance"), std::string::npos);
  EXPECT_EQ(all.find("problem: voucher"), std::string::npos);
  const auto found = rule_book::compile(configured, shop_catalog(), "app", false)
                         ->analyse("UPDATE tills SET cash = 1 WHERE id = 1", {});
  EXPECT_EQ(found->statements.at(0).autonomous.touches.at(0).reason, unguarded_reason::opaque);
}

TEST(check, keys_must_have_an_order) {
  auto configured = situation("plain");
  configured.rules[0].key = {"place"};
  auto known = shop_catalog();
  known.tables[0].columns.push_back({"place", 8, 600, "point"});
  const auto found = check(configured, known);
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0].message.find("key column \"place\" is of type point, which cannot be put in order"),
            std::string::npos);
}

}  // namespace
}  // namespace rules
