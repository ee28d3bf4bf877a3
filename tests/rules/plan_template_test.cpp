// What a template gives must be what analysing the text itself gives, in every field: on every statement of
// tests/rules/golden and tests/rules/corpus, and on made ones, with other literals in place of their own.
#include "rules/plan_template.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/rules/fixtures.hpp"

namespace rules::testing {
namespace {

using random_numbers = std::mt19937;

const std::filesystem::path tests = std::filesystem::path{PGTELLER_SOURCE_DIR} / "tests/rules";

struct subject {
  std::shared_ptr<const rule_book> book;
  std::string sql;
};

void add_goldens(std::vector<subject>& all) {
  for (const auto& file : std::filesystem::directory_iterator{tests / "golden"}) {
    std::ifstream in{file.path()};
    std::shared_ptr<const rule_book> book;
    bool continues = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("rules: ")) book = book_of(line.substr(7));
      const bool sql = line.starts_with("sql> ");
      if (sql && continues) all.back().sql += "\n" + line.substr(5);
      if (sql && !continues) all.push_back({book, line.substr(5)});
      continues = sql;
    }
  }
}

void add_corpus(std::vector<subject>& all) {
  const auto lenient = rule_book::compile(situation("corpus"), corpus_catalog(), "app", true);
  auto configured = situation("corpus");
  for (auto& each : configured.rules) each.on_opaque = policy::reject;
  const auto strict = rule_book::compile(configured, corpus_catalog(), "app", false);
  for (const auto& file : std::filesystem::directory_iterator{tests / "corpus"}) {
    std::ifstream in{file.path()};
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line.front() == '#' || line.front() == ' ') continue;
      all.push_back({lenient, line});
      all.push_back({strict, line});
    }
  }
}

std::string digits(random_numbers& random, std::size_t size, char least) {
  std::string made(size, '0');
  for (char& each : made) each = static_cast<char>('0' + random() % 10);
  made.front() = std::max(made.front(), least);
  return made;
}

std::string random_value(random_numbers& random, literal_class of) {
  static const std::vector<std::string> strings{
      "NaN",  "infinity", "-Infinity", "1",       "-1",          "{1,2}",    "{}",         "5 000",
      "true", "f",        "null",      "wallets", "balance = 1", "a,b",      "2024-01-01", "$1",
      " ",    "--",       "/* */",     "\"",      "~?10000?~",   "x; y = 2", "0",          "pgteller/0/1/"};
  switch (of) {
    case literal_class::integer:
      return random() % 8 == 0 ? "2147483647" : digits(random, 1 + random() % 9, '1');
    case literal_class::wide:
      return random() % 8 == 0 ? "2147483648" : digits(random, 11 + random() % 8, '1');
    case literal_class::decimal:
      return digits(random, 1 + random() % 18, '0') + "." + digits(random, 1 + random() % 18, '0');
    case literal_class::string:
      break;
  }
  return random() % 2 == 0 ? strings[random() % strings.size()] : std::string(1 + random() % 128, 'q');
}

// Often equal to one another, where they can be.
std::vector<std::string> random_values(random_numbers& random, const lifted_text& text) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < text.literals().size(); ++i) {
    const auto of = text.literals()[i].of;
    made.push_back(random_value(random, of));
    for (std::size_t k = 0; k < i; ++k) {
      if (text.literals()[k].of == of && random() % 3 == 0) made.back() = made[k];
    }
  }
  return made;
}

std::string show(const rule_book& book, const analysis& made) {
  std::string shown = made.text;
  for (const auto& each : made.statements) {
    shown += "\n" + std::to_string(each.begin) + "-" + std::to_string(each.end) + "\n" +
             book.to_text(each.in_block) + book.to_text(each.autonomous);
  }
  return shown;
}

struct outcome {
  bool lifted = false;
  std::size_t compared = 0;
};

// Every variant goes through one copy, as it would in use.
outcome compare(const subject& tested, random_numbers& random, int variants) {
  outcome found;
  lifted_text text;
  if (!text.take(tested.sql)) return found;
  const auto made = plan_template::make(*tested.book, {}, text, *tested.book->analyse(tested.sql, {}));
  if (!made) return found;
  found.lifted = true;
  const auto copy = made->copy();
  for (int i = 0; i < variants; ++i) {
    const auto values = random_values(random, text);
    // Literals that the template holds fast keep their values.
    std::string sql = text.with(values);
    lifted_text other;
    EXPECT_TRUE(other.take(sql)) << sql;
    EXPECT_EQ(other.frame(), text.frame()) << sql;
    if (!made->fits(other)) {
      auto kept = values;
      for (std::size_t k = 0; k < kept.size(); ++k) {
        auto one = std::vector<std::string>(values.size());
        for (std::size_t n = 0; n < one.size(); ++n) one[n] = n == k ? values[n] : text.value(n);
        const auto probe = text.with(one);
        lifted_text probed;
        if (probed.take(probe) && !made->fits(probed)) kept[k] = text.value(k);
      }
      sql = text.with(kept);
      EXPECT_TRUE(other.take(sql) && made->fits(other)) << sql;
    }
    made->write(other, *copy);
    const auto wanted = tested.book->analyse(sql, {});
    const bool same = copy->made() == *wanted;
    EXPECT_TRUE(same) << show(*tested.book, *wanted) << "\nbut:\n" << show(*tested.book, copy->made());
    // Settings decide nothing in what is lifted.
    EXPECT_TRUE(*wanted == *tested.book->analyse(sql, {false, false, false})) << sql;
    ++found.compared;
  }
  return found;
}

TEST(plan_template, gives_what_analysing_gives) {
  std::vector<subject> all;
  add_goldens(all);
  add_corpus(all);
  random_numbers random{20240501};
  std::size_t lifted = 0;
  for (const auto& tested : all) {
    if (compare(tested, random, 6).lifted) ++lifted;
    if (HasFailure()) return;
  }
  EXPECT_GE(all.size(), 1400U);
  EXPECT_GE(lifted, 650U);
}

std::string pick(std::vector<std::string> from) {
  return *rc::gen::elementOf(std::move(from));
}

std::string made_value() {
  return pick({"5",
               "-5",
               "- -7",
               "3000000000",
               "12.50",
               "-0.75",
               "'a'",
               "'12'::int",
               "CAST('3' AS numeric)",
               "'x'::uuid",
               "5 + 6",
               "(8)",
               "0",
               "round(7.25, 2)",
               "-'9'",
               "+'9'",
               "-(4::int)",
               "'{1,2}'::int[]",
               "NULL",
               "(SELECT 5)",
               "balance",
               "-(id + 3)",
               "numeric '5'",
               "365.5 - 5",
               "(3 - 8) * (4.5 + 2)",
               "5 / (1 = 1)::int",
               "ARRAY[1,2]",
               "float8(3)"});
}

std::string made_column() {
  return pick({"id", "user_id", "balance", "email", "status", "wallets.id", "version"});
}

std::string made_condition() {
  const auto column = made_column();
  switch (*rc::gen::inRange(0, 9)) {
    case 0:
      return column + " IN (" + made_value() + ", " + made_value() + ")";
    case 1:
      return column + " BETWEEN " + made_value() + " AND (" + made_value() + ")";
    case 2:
      return "(" + column + ", status) = (" + made_value() + ", " + made_value() + ")";
    case 3:
      return column + " = ANY ('{1,2,3}')";
    case 4:
      return made_value() + " = " + made_value();
    case 5:
      return column + " IS NOT DISTINCT FROM " + made_value();
    case 6:
      return "NOT (" + column + " <> " + made_value() + ")";
    default:
      return column + " = " + made_value();
  }
}

std::string made_where() {
  std::string made = " WHERE " + made_condition();
  for (int more = *rc::gen::inRange(0, 3); more > 0; --more)
    made += pick({" AND ", " OR "}) + made_condition();
  return made;
}

std::string made_statement() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return "UPDATE wallets SET balance = " + made_value() + made_where();
    case 1:
      return "UPDATE wallets SET balance = balance " + pick({"+ ", "- ", "* "}) + made_value() +
             ", reserved = " + made_value() + made_where() + pick({"", " RETURNING balance, 5"});
    case 2:
      return "UPDATE wallets SET (balance, status) = (" + made_value() + ", " + made_value() + ")" +
             made_where();
    case 3:
      return "INSERT INTO wallets (id, balance) VALUES (" + made_value() + ", " + made_value() + "), (" +
             made_value() + ", " + made_value() + ")" +
             pick({"", " ON CONFLICT (id) DO UPDATE SET balance = 5", " RETURNING id"});
    case 4:
      return "DELETE FROM wallets" + made_where();
    case 5:
      return "SELECT balance FROM wallets" + made_where() + " UNION ALL SELECT reserved FROM wallets" +
             made_where() + pick({"", " ORDER BY 1, 2", " LIMIT (5)"});
    default:
      return "SELECT balance, " + made_value() + " FROM wallets" + made_where() +
             pick({"", " ORDER BY 1", " LIMIT 5", " GROUP BY 1, 2", " FOR UPDATE"});
  }
}

TEST(plan_template, gives_what_analysing_gives_for_made_statements) {
  std::vector<std::shared_ptr<const rule_book>> books;
  for (const auto* name : {"plain", "bounds", "escrow", "notes", "two rules", "corpus", "lock all reads"})
    books.push_back(book_of(name));
  EXPECT_TRUE(rc::check([&] {
    const auto book = *rc::gen::elementOf(books);
    std::string sql = made_statement();
    for (int more = *rc::gen::inRange(0, 2); more > 0; --more) sql += "; " + made_statement();
    random_numbers random{*rc::gen::arbitrary<std::uint32_t>()};
    const auto found = compare({book, sql}, random, 3);
    RC_CLASSIFY(found.lifted, "lifted");
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

std::string kept_of(std::string_view sql, std::string_view rules = "corpus") {
  const auto book = book_of(rules);
  lifted_text text;
  if (!text.take(sql)) return "not taken";
  const auto made = plan_template::make(*book, {}, text, *book->analyse(sql, {}));
  if (!made) return "none";
  std::string kept;
  for (std::size_t i = 0; i < text.literals().size(); ++i) {
    std::vector<std::string> values;
    for (std::size_t k = 0; k < text.literals().size(); ++k) values.emplace_back(text.value(k));
    constexpr std::array<std::string_view, 5> others{"", "911", "91111111111", "9.11", "z"};
    values[i] = others[static_cast<std::size_t>(text.literals()[i].of)];
    const auto other = text.with(values);
    lifted_text changed;
    if (changed.take(other) && !made->fits(changed))
      kept += (kept.empty() ? "" : " ") + std::string{text.value(i)};
  }
  return kept;
}

TEST(plan_template, lifts_values_that_decide_nothing) {
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id = 5"), "");
  EXPECT_EQ(kept_of("UPDATE wallets SET balance = balance - 5.5 WHERE id = 7 AND email = 'x'"), "");
  EXPECT_EQ(kept_of("INSERT INTO wallets (id, balance) VALUES (1, 2.5), (3, '4'::numeric)"), "");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id IN (1, 2, 3) AND version BETWEEN (4) AND (5)"), "");
  EXPECT_EQ(kept_of("UPDATE wallets SET balance = 365.5 - 12 WHERE id = 7 AND version = 4 + 3 * 2"), "");
}

TEST(plan_template, keeps_what_may_decide_something) {
  EXPECT_EQ(kept_of("UPDATE wallets SET balance = round(balance * 1.5, 2) WHERE id = 7"), "2");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id = 7 AND (1 = 1)"), "1 1");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id = 7 AND version = -'1'"), "1");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id = 7 AND version = +8"), "8");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE version = 7 AND id = ANY ('{1,2}')"), "{1,2}");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE version = 7 AND id = ('{1,2}'::int[])"), "{1,2}");
  EXPECT_EQ(kept_of("SELECT balance::numeric(12,2) FROM wallets WHERE id = 7"), "12 2");
  EXPECT_EQ(kept_of("SELECT balance, id FROM wallets WHERE id = 7 ORDER BY id, 2 LIMIT (8)"), "2 8");
  EXPECT_EQ(kept_of("SELECT set_config('search_path', 'x', true), balance FROM wallets WHERE id = 7"),
            "search_path x");
}

TEST(plan_template, makes_none_where_nothing_is_safe) {
  EXPECT_EQ(kept_of("SELECT query_to_xml('SELECT * FROM wallets', true, true, '') FROM wallets WHERE id = 7"),
            "none");
  EXPECT_EQ(kept_of("SET work_mem = 100; SELECT balance FROM wallets WHERE id = 7"), "none");
  EXPECT_EQ(kept_of("EXPLAIN ANALYZE SELECT balance FROM wallets WHERE id = 7"), "none");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE id = 7 AND"), "none");
  EXPECT_EQ(kept_of("SELECT balance FROM wallets WHERE round(5, 2) IS NULL"), "none");
}

// With both the same, one of the two locks would go.
TEST(plan_template, literals_that_coincide) {
  constexpr std::string_view sql =
      "SELECT balance FROM wallets WHERE id = 7 UNION ALL SELECT reserved FROM wallets WHERE id = 8";
  EXPECT_EQ(kept_of(sql, "two rules"), "none");
}

}  // namespace
}  // namespace rules::testing
