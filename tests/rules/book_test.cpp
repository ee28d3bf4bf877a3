#include <algorithm>

#include <gtest/gtest.h>

#include "tests/rules/fixtures.hpp"

namespace rules {
namespace {

using testing::book_of;
using testing::shop_catalog;
using testing::situation;

constexpr std::string_view update_sql = "UPDATE wallets SET balance = balance - 1 WHERE user_id = 2";
constexpr std::string_view read_sql = "SELECT balance FROM wallets WHERE id = 1";

TEST(book, without_applicable_rules_is_empty) {
  EXPECT_TRUE(book_of("no such situation")->empty());
  auto configured = situation("plain");
  configured.rules[0].databases = {"elsewhere"};
  EXPECT_TRUE(rule_book::compile(configured, shop_catalog(), "app", false)->empty());
  configured = situation("plain");
  configured.rules[0].users = {"ann"};
  EXPECT_TRUE(rule_book::compile(configured, shop_catalog(), "app", false)->empty());
  EXPECT_FALSE(rule_book::compile(configured, shop_catalog(), "ann", false)->empty());
  configured.rules[0].except_users = {"ann"};
  EXPECT_TRUE(rule_book::compile(configured, shop_catalog(), "ann", false)->empty());
}

TEST(book, leaves_out_rules_whose_table_is_not_there) {
  auto configured = situation("two rules");
  configured.rules[0].table = "nowhere";
  const auto book = rule_book::compile(configured, shop_catalog(), "app", false);
  ASSERT_EQ(book->rules().size(), 2U);
  EXPECT_EQ(book->rules()[0].name, "reserved");
  configured.rules[1].schema = "app";
  EXPECT_EQ(rule_book::compile(configured, shop_catalog(), "app", false)->rules().size(), 1U);
}

TEST(book, does_not_lock_reads_of_a_role_that_may_not) {
  const auto book = rule_book::compile(situation("plain"), shop_catalog(), "reporter", false);
  const auto found = book->analyse(read_sql, {});
  const auto& in_block = found->statements.at(0).in_block;
  EXPECT_EQ(in_block.kind, plan_kind::forward);
  ASSERT_EQ(in_block.touches.size(), 1U);
  EXPECT_TRUE(in_block.touches[0].unguarded);
  EXPECT_EQ(in_block.touches[0].reason, unguarded_reason::privilege);
}

bool is_opaque(const analysis& found) {
  return !found.exact && found.statements.size() == 1 && found.statements[0].in_block.touches.size() == 1 &&
         found.statements[0].in_block.touches[0].reason == unguarded_reason::opaque;
}

TEST(book, does_not_trust_text_that_the_server_may_read_otherwise) {
  const auto book = book_of("plain");
  const parse_settings loose{false, true};
  const parse_settings foreign{true, false};
  EXPECT_TRUE(is_opaque(*book->analyse("SELECT balance, '\\' FROM wallets WHERE id = 1 --'", loose)));
  EXPECT_TRUE(book->analyse(read_sql, loose)->exact);
  EXPECT_TRUE(is_opaque(*book->analyse("SELECT balance, '\x95\\' FROM wallets", foreign)));
  EXPECT_TRUE(book->analyse(read_sql, foreign)->exact);
  EXPECT_TRUE(is_opaque(*book->analyse(std::string_view{"SELECT balance FROM wallets\0x", 29}, {})));
  EXPECT_TRUE(is_opaque(*book->analyse(std::string(1024 * 1024, ' ') + std::string{read_sql}, {})));
  EXPECT_TRUE(is_opaque(*book->analyse("SELECT balance FROM wallets WHERE 'open", {})));
}

TEST(book, opaque_text_counts_only_rules_it_may_name) {
  const auto found = book_of("two rules")->analyse("SELECT FROM FROM vouchers", {});
  ASSERT_EQ(found->statements.at(0).in_block.touches.size(), 1U);
  EXPECT_EQ(found->statements[0].in_block.touches[0].rule, 2);
}

TEST(book, an_opaque_string_has_the_effect_of_its_last_transaction_command) {
  const auto book = book_of("plain");
  EXPECT_EQ(book->analyse("BEGIN; SELECT wallets FROM FROM", {})->statements.at(0).effect,
            block_effect::begin);
  EXPECT_EQ(book->analyse("BEGIN; x wallets; COMMIT", {})->statements.at(0).effect, block_effect::end);
}

TEST(book, statements_have_their_ranges) {
  const std::string sql = " ; SELECT 1 /* ; */ ; -- x\n UPDATE wallets SET balance = 1 ; ";
  const auto found = book_of("plain")->analyse(sql, {});
  ASSERT_EQ(found->statements.size(), 2U);
  const auto text = [&](std::size_t i) {
    return sql.substr(found->statements[i].begin, found->statements[i].end - found->statements[i].begin);
  };
  EXPECT_EQ(text(0), "SELECT 1");
  EXPECT_EQ(text(1), "UPDATE wallets SET balance = 1");
  EXPECT_EQ(found->text, sql);
  EXPECT_TRUE(book_of("plain")->analyse("-- wallets", {})->statements.empty());
}

TEST(book, lock_timeout_0_leaves_the_setting_alone) {
  auto configured = situation("plain");
  configured.rules[0].lock_timeout = std::chrono::milliseconds{0};
  const auto found = rule_book::compile(configured, shop_catalog(), "app", false)->analyse(update_sql, {});
  EXPECT_EQ(found->statements.at(0).in_block.preludes.at(0).sql.find("lock_timeout"), std::string::npos);
}

TEST(book, markers_carry_values_only_where_they_may) {
  auto configured = situation("plain");
  configured.rules[0].min = "0";
  for (const bool log_values : {false, true}) {
    const auto found =
        rule_book::compile(configured, shop_catalog(), "app", log_values)->analyse(update_sql, {});
    const auto& sql = found->statements.at(0).in_block.preludes.at(0).sql;
    EXPECT_EQ(sql.find("pgteller_old0") != std::string::npos, log_values);
  }
}

TEST(book, knows_the_tables_that_its_rules_guard) {
  const auto book = book_of("two rules");
  const auto& relations = book->relations();
  ASSERT_EQ(relations.size(), 3U);
  EXPECT_EQ(relations[1].rule, 1);
  EXPECT_EQ(relations[1].oid, relations[0].oid);
  EXPECT_EQ(relations[1].name, "wallets");
  ASSERT_EQ(relations[1].columns.size(), 1U);
  EXPECT_EQ(relations[1].columns[0].name, "reserved");
  EXPECT_EQ(relations[1].columns[0].number, 4);
  ASSERT_EQ(relations[2].key.size(), 1U);
  EXPECT_EQ(relations[2].key[0].name, "code");
}

TEST(book, a_table_that_cannot_be_guarded_is_no_relation) {
  const auto book = book_of("defects");
  ASSERT_EQ(book->relations().size(), 2U);
  EXPECT_EQ(book->relations()[0].schema, "north");
  EXPECT_EQ(book->relations()[1].schema, "south");
}

// What an observing rule would lock is no reason for another not to.
TEST(book, an_observing_rule_takes_no_prelude_from_another) {
  auto configured = situation("two rules");
  configured.rules[0].mode = mode::observe;
  const auto book = rule_book::compile(configured, shop_catalog(), "app", false);
  const auto found = book->analyse("SELECT balance, reserved FROM wallets WHERE id = 1", {});
  const auto& planned = found->statements.at(0).in_block;
  ASSERT_EQ(planned.preludes.size(), 1U);
  EXPECT_EQ(planned.preludes[0].rule, 1);
  ASSERT_EQ(planned.reads.size(), 2U);
  EXPECT_FALSE(planned.reads[0].locks);
  EXPECT_TRUE(planned.reads[1].locks);
}

TEST(book, two_bounded_rules_carry_insertions_side_by_side) {
  auto configured = situation("two rules");
  configured.rules[0].min = "0";
  configured.rules[1].min = "0";
  const auto book = rule_book::compile(configured, shop_catalog(), "app", false);
  const auto found =
      book->analyse("UPDATE wallets SET balance = 1, reserved = reserved - 1 WHERE user_id = 2", {});
  const auto& planned = found->statements.at(0).in_block;
  ASSERT_EQ(planned.preludes.size(), 2U);
  EXPECT_EQ(planned.preludes[0].insertions.size(), 2U);
  EXPECT_EQ(planned.preludes[1].insertions.size(), 2U);
  EXPECT_NE(planned.preludes[1].sql.find("'pgteller/1/0/'"), std::string::npos);
  for (const auto& counted : planned.touches) EXPECT_FALSE(counted.unguarded);
}

TEST(book, a_column_under_two_bounded_rules_is_checked_by_one_and_counted) {
  auto configured = situation("two rules");
  configured.rules[0].min = "0";
  configured.rules[1] = configured.rules[0];
  const auto book = rule_book::compile(configured, shop_catalog(), "app", false);
  const auto found = book->analyse(update_sql, {});
  const auto& planned = found->statements.at(0).in_block;
  ASSERT_EQ(planned.preludes.size(), 2U);
  EXPECT_EQ(planned.preludes[0].insertions.size(), 2U);
  EXPECT_TRUE(planned.preludes[1].insertions.empty());
  EXPECT_TRUE(std::any_of(planned.touches.begin(), planned.touches.end(), [](const touch& counted) {
    return counted.rule == 1 && counted.unguarded && counted.reason == unguarded_reason::shape;
  }));
}

TEST(book, many_values_in_a_list_name_no_rows) {
  std::string sql = "SELECT balance FROM wallets WHERE id IN (0";
  for (int i = 1; i < 1000; ++i) sql += "," + std::to_string(i);
  EXPECT_EQ(book_of("plain")->analyse(sql + ")", {})->statements.at(0).autonomous.reads.at(0).rows.size(),
            1000U);
  EXPECT_TRUE(
      book_of("plain")->analyse(sql + ",1000)", {})->statements.at(0).autonomous.reads.at(0).rows.empty());
}

TEST(check, finds_what_is_wrong_and_what_to_know) {
  auto configured = situation("defects");
  configured.rules.push_back(testing::wallet_rule());
  configured.rules.push_back(testing::wallet_rule());
  configured.rules[4].table = "nowhere";
  configured.rules.push_back(testing::wallet_rule());
  configured.rules[5].columns = {"cash"};
  std::string all;
  for (const auto& each : check(configured, shop_catalog())) {
    all += (each.level == finding::severity::problem ? "problem: " : "note: ") + each.rule + ": " +
           each.message + "\n";
  }
  EXPECT_NE(all.find("problem: keyless: \"public.keyless\" has no primary key"), std::string::npos) << all;
  EXPECT_NE(all.find("note: ledger: the rule holds for table \"ledgers\" in several schemas: north, south"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("problem: text: \"public.vouchers\" column \"code\" is of type text"), std::string::npos)
      << all;
  EXPECT_NE(
      all.find("note: wallet-balance: \"public.wallets\" is also reached through \"public.wallet_view\""),
      std::string::npos)
      << all;
  EXPECT_NE(all.find("problem: wallet-balance: database \"shop\" has no table \"nowhere\""),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("problem: wallet-balance: \"public.wallets\" has no column \"cash\""), std::string::npos)
      << all;
}

TEST(check, is_content_with_a_good_rule) {
  auto configured = situation("two rules");
  configured.rules.resize(1);
  for (const auto& each : check(configured, shop_catalog())) EXPECT_EQ(each.level, finding::severity::note);
}

TEST(assumed_catalog, has_what_the_rules_say) {
  auto configured = situation("two rules");
  configured.rules[2].key = {"code"};
  configured.rules[2].schema = "app";
  const auto invented = assumed_catalog(configured);
  ASSERT_EQ(invented.tables.size(), 2U);
  EXPECT_EQ(invented.tables[0].primary_key, std::vector<std::string>{"id"});
  EXPECT_EQ(invented.tables[0].columns.size(), 3U);
  EXPECT_EQ(invented.tables[1].schema, "app");
  const auto book = rule_book::compile(configured, invented, "app", false);
  const auto found = book->analyse("SELECT * FROM wallets w WHERE w.user_id = 2 AND status = 'x'", {});
  EXPECT_EQ(found->statements.at(0).in_block.kind, plan_kind::wrap);
  EXPECT_TRUE(book->analyse("SELECT w.user_id FROM wallets w WHERE id = 1", {})
                  ->statements.at(0)
                  .in_block.touches.empty());
}

// Two relations of one name: what an unqualified name means is told by the server.
TEST(rule_book, takes_unqualified_names_as_the_server_resolved_them) {
  auto known = testing::shop_catalog();
  known.namesakes = {"wallets"};
  const auto base = rule_book::compile(testing::situation("plain"), known, "app", false);
  ASSERT_EQ(base->ambiguous(), std::vector<std::string>{"wallets"});
  const auto touches = [](const rule_book& book, std::string_view sql) {
    return book.analyse(sql, {})->statements.back().in_block.touches;
  };
  const std::string bare = "UPDATE wallets SET balance = 1 WHERE id = 1";
  const auto here = base->resolved({{"wallets", 20001}});
  const auto elsewhere = base->resolved({{"wallets", 5}});
  EXPECT_FALSE(touches(*here, bare).empty());
  EXPECT_TRUE(touches(*elsewhere, bare).empty());
  EXPECT_FALSE(touches(*elsewhere, "UPDATE public.wallets SET balance = 1 WHERE id = 1").empty());
  EXPECT_EQ(base->resolved({{"wallets", 5}}), elsewhere);
  const auto reason_behind = [&](const std::string& first) {
    const auto all = touches(*elsewhere, first + "; " + bare);
    return all.empty() ? std::string{"none"} : std::string{name(all.front().reason)};
  };
  for (const auto* change : {"SET search_path = public", "RESET ALL", "DISCARD ALL", "ROLLBACK", "SELECT f()",
                             "SET ROLE joe", "DO 'x'", "CALL f()"}) {
    EXPECT_EQ(reason_behind(change), "opaque") << change;
  }
  for (const auto* same : {"BEGIN", "SAVEPOINT a", "SELECT 1"})
    EXPECT_EQ(reason_behind(same), "none") << same;
}

TEST(rule_book, names_beyond_ascii_are_compared_in_utf8_alone) {
  auto configured = testing::situation("plain");
  configured.rules.front().columns = {"balance"};
  configured.rules.front().table = "kont\xC3\xB3";
  const auto book = rule_book::compile(configured, assumed_catalog(configured), "app", false);
  parse_settings latin;
  latin.utf8 = false;
  EXPECT_TRUE(book->analyse("UPDATE kont\xC3\xB3 SET balance = 1 WHERE id = 1", {})->exact);
  EXPECT_FALSE(book->analyse("UPDATE kont\xF3 SET balance = 1 WHERE id = 1", latin)->exact);
  EXPECT_FALSE(book->analyse("UPDATE kont\xF3 SET balance = 1 WHERE id = 1", {})->exact);
}

TEST(rule_book, text_that_no_server_accepts_as_utf8_is_opaque) {
  const auto book = testing::book_of("plain");
  for (const std::string bad :
       {"\xC3", "\xC0\xA7", "\xE0\x80\xA7", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80", "\xE2\x82"})
    EXPECT_FALSE(book->analyse("SELECT '" + bad + "', balance FROM wallets", {})->exact);
  for (const std::string good :
       {"\xC3\xA9", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xF0\x9F\x92\xB0", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(book->analyse("SELECT '" + good + "', balance FROM wallets", {})->exact);
  EXPECT_FALSE(book->analyse(std::string("SELECT balance FROM wallets\0 WHERE id = 1", 38), {})->exact);
  const std::string deep = std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_FALSE(book->analyse("SELECT " + deep + ", balance FROM wallets", {})->exact);
}

}  // namespace
}  // namespace rules
