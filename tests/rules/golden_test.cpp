// Rule + SQL → to_text(plan), compared with tests/rules/golden/*.txt. REWRITE=1 writes them anew.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/rules/fixtures.hpp"

namespace rules::testing {
namespace {

const std::filesystem::path folder = std::filesystem::path{PGTELLER_SOURCE_DIR} / "tests/rules/golden";

struct golden_file {
  std::string situation_name;
  std::vector<std::string> statements;
  std::string text;
};

golden_file load(const std::filesystem::path& path) {
  golden_file loaded;
  std::ifstream in{path};
  std::stringstream all;
  all << in.rdbuf();
  loaded.text = all.str();
  std::istringstream lines{loaded.text};
  bool continues = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("rules: ")) loaded.situation_name = line.substr(7);
    const bool sql = line.starts_with("sql> ");
    if (sql && continues) loaded.statements.back() += "\n" + line.substr(5);
    if (sql && !continues) loaded.statements.push_back(line.substr(5));
    continues = sql;
  }
  return loaded;
}

std::string indented(std::string_view prefix, std::string_view text) {
  std::string result;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    result.append(prefix).append(line);
    while (!result.empty() && result.back() == ' ') result.pop_back();
    result += '\n';
  }
  return result;
}

std::string_view name_of(block_effect effect) {
  switch (effect) {
    case block_effect::none:
      return "none";
    case block_effect::begin:
      return "begin";
    case block_effect::begin_read_write:
      return "begin read write";
    case block_effect::begin_read_only:
      return "begin read only";
    case block_effect::end:
      return "end";
    case block_effect::chain:
      return "chain";
    case block_effect::set_read_only:
      return "set read only";
    case block_effect::set_read_write:
      return "set read write";
    case block_effect::savepoint:
      return "savepoint";
    case block_effect::release:
      return "release";
    case block_effect::rollback_to:
      break;
  }
  return "rollback to";
}

std::string describe(const rule_book& book, const analysis& found, const std::string& sql) {
  std::string text = indented("sql> ", sql);
  if (!found.exact) text += "not exact\n";
  for (const auto& each : found.statements) {
    if (found.statements.size() > 1) {
      text += indented("statement: ", sql.substr(each.begin, each.end - each.begin));
    }
    if (each.effect != block_effect::none) text += "effect: " + std::string{name_of(each.effect)} + "\n";
    const auto in_block = book.to_text(each.in_block);
    const auto autonomous = book.to_text(each.autonomous);
    text += (in_block == autonomous ? "always:\n" : "in a transaction:\n") + indented("  ", in_block);
    if (in_block != autonomous) text += "outside:\n" + indented("  ", autonomous);
  }
  return text;
}

std::string render(const golden_file& loaded) {
  const auto book = book_of(loaded.situation_name);
  std::string text = "rules: " + loaded.situation_name + "\n";
  for (const auto& sql : loaded.statements) text += "\n" + describe(*book, *book->analyse(sql, {}), sql);
  return text;
}

class golden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(golden, plans_are_as_reviewed) {
  const auto loaded = load(GetParam());
  ASSERT_FALSE(loaded.statements.empty());
  const auto text = render(loaded);
  if (std::getenv("REWRITE") != nullptr) {
    std::ofstream{GetParam()} << text;
  } else {
    EXPECT_EQ(text, loaded.text);
  }
}

// A statement that is planned to be touched must have passed the filter before it.
TEST_P(golden, the_filter_lets_no_touched_statement_by) {
  const auto loaded = load(GetParam());
  const auto book = book_of(loaded.situation_name);
  for (const auto& sql : loaded.statements) {
    const auto found = book->analyse(sql, {});
    for (const auto& each : found->statements) {
      if (!each.in_block.touches.empty()) {
        EXPECT_TRUE(book->may_touch(sql)) << sql;
      }
    }
  }
}

// What a prelude copied stands in both texts, byte for byte.
TEST_P(golden, copied_stretches_are_the_clients_text) {
  const auto loaded = load(GetParam());
  const auto book = book_of(loaded.situation_name);
  for (const auto& sql : loaded.statements) {
    const auto found = book->analyse(sql, {});
    for (const auto& each : found->statements) {
      for (const auto& hidden : each.in_block.preludes) {
        for (const auto& stretch : hidden.copied) {
          EXPECT_EQ(hidden.sql.substr(stretch.prelude_offset, stretch.size),
                    sql.substr(stretch.client_offset, stretch.size));
        }
      }
    }
  }
}

bool are_inside(const std::vector<hole>& holes, const std::string& text) {
  return std::is_sorted(holes.begin(), holes.end(),
                        [](const hole& one, const hole& other) { return one.offset < other.offset; }) &&
         std::all_of(holes.begin(), holes.end(), [&](const hole& one) { return one.offset <= text.size(); });
}

// What a note refers to is there: a relation, its columns, a prelude with a hole for checks.
TEST_P(golden, notes_refer_to_what_there_is) {
  const auto loaded = load(GetParam());
  const auto book = book_of(loaded.situation_name);
  for (const auto& sql : loaded.statements) {
    const auto found = book->analyse(sql, {});
    for (const auto& each : found->statements) {
      for (const auto& hidden : each.in_block.preludes)
        EXPECT_TRUE(are_inside(hidden.holes, hidden.sql)) << sql;
      for (const auto& note : each.in_block.reads) ASSERT_LT(note.relation, book->relations().size()) << sql;
      for (const auto& note : each.in_block.writes) {
        ASSERT_LT(note.relation, book->relations().size()) << sql;
        const auto& columns = book->relations()[note.relation].columns;
        for (const auto& value : note.values) EXPECT_LT(value.column, columns.size()) << sql;
        for (const auto& own : note.rebase) EXPECT_TRUE(are_inside(own.holes, own.text)) << sql;
        if (note.prelude < 0) continue;
        const auto& holes = each.in_block.preludes.at(static_cast<std::size_t>(note.prelude)).holes;
        ASSERT_FALSE(holes.empty()) << sql;
        EXPECT_EQ(holes.front().kind, hole_kind::checks) << sql;
      }
    }
  }
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(files, golden, ::testing::ValuesIn(files()),
                         [](const auto& tested) { return tested.param.stem().string(); });

}  // namespace
}  // namespace rules::testing
