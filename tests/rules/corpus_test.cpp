// What every statement in tests/rules/corpus counts as. Each line "=> in a block | outside" is one statement
// of the string; "kind action reason", more than one behind ";". A "!" marks what on_opaque = "reject"
// refuses. Not to be written by a program: the expectations are what the reader of SPEC.md would say.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/rules/fixtures.hpp"

namespace rules::testing {
namespace {

const std::filesystem::path folder = std::filesystem::path{PGTELLER_SOURCE_DIR} / "tests/rules/corpus";
constexpr std::string_view expects = "    => ";

struct entry {
  std::string sql;
  parse_settings settings;
  std::vector<std::string> expected;  // by statement
  int line = 0;
};

std::vector<entry> load(const std::filesystem::path& path) {
  std::vector<entry> all;
  std::ifstream in{path};
  int number = 0;
  bool open = false;  // the last entry's SQL may go on
  parse_settings settings;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with(expects)) {
      all.back().expected.push_back(line.substr(expects.size()));
      open = false;
    } else if (open) {
      all.back().sql += "\n" + line;
    } else if (line == "settings: strings") {
      settings.standard_conforming_strings = false;
    } else if (line == "settings: encoding") {
      settings.ascii_safe_encoding = false;
    } else if (!line.empty() && line.front() != '#') {
      all.push_back({line, settings, {}, number});
      settings = {};
      open = true;
    }
  }
  return all;
}

std::string describe(const rule_book& lenient, const plan& seen, const plan& strict) {
  std::string text;
  for (const auto& touch : seen.touches) {
    if (!text.empty()) text += "; ";
    if (touch.rule != 0) text += lenient.rules()[touch.rule].name + ": ";
    text.append(name(touch.kind)).append(" ").append(name(touch.action));
    if (touch.unguarded) text.append(" ").append(name(touch.reason));
    const auto refused =
        std::any_of(strict.touches.begin(), strict.touches.end(), [&](const rules::touch& other) {
          return other.rule == touch.rule && other.kind == touch.kind && other.reason == touch.reason &&
                 other.unguarded == touch.unguarded && other.action == statement_action::reject;
        });
    if (refused) text += "!";
  }
  return text.empty() ? "none" : text;
}

std::vector<std::string> classify(const rule_book& lenient, const rule_book& strict, const entry& tested) {
  const auto seen = lenient.analyse(tested.sql, tested.settings);
  const auto refused = strict.analyse(tested.sql, tested.settings);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < seen->statements.size(); ++i) {
    const auto& one = seen->statements[i];
    const auto& other = refused->statements[i];
    const auto in_block = describe(lenient, one.in_block, other.in_block);
    const auto outside = describe(lenient, one.autonomous, other.autonomous);
    std::string text = in_block == outside ? in_block : in_block + " | " + outside;
    if (!seen->exact && text == "other forward opaque!") text = "opaque!";
    found.push_back(std::move(text));
  }
  return found;
}

rule_set refusing(rule_set made) {
  for (auto& each : made.rules) each.on_opaque = policy::reject;
  return made;
}

class corpus : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  std::shared_ptr<const rule_book> lenient_ =
      rule_book::compile(situation("corpus"), corpus_catalog(), "app", false);
  std::shared_ptr<const rule_book> strict_ =
      rule_book::compile(refusing(situation("corpus")), corpus_catalog(), "app", false);
};

TEST_P(corpus, statements_count_as_expected) {
  for (const auto& tested : load(GetParam())) {
    EXPECT_EQ(classify(*lenient_, *strict_, tested), tested.expected)
        << GetParam().filename().string() << ":" << tested.line << ": " << tested.sql;
  }
}

// Before a statement is parsed, a filter looks whether it can name anything guarded at all.
TEST_P(corpus, the_filters_let_nothing_by) {
  for (const auto& tested : load(GetParam())) {
    const auto& all = tested.expected;
    if (std::all_of(all.begin(), all.end(), [](const auto& each) { return each == "none"; })) continue;
    EXPECT_TRUE(lenient_->may_touch(tested.sql)) << tested.sql;
  }
}

TEST(corpus_size, has_three_hundred_statements) {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator{folder}) count += load(file.path()).size();
  EXPECT_GE(count, 300U);
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator{folder}) found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(files, corpus, ::testing::ValuesIn(files()),
                         [](const auto& tested) { return tested.param.stem().string(); });

}  // namespace
}  // namespace rules::testing
