#include "proxy/ops/command_line.hpp"

#include <gtest/gtest.h>

namespace proxy::ops {
namespace {

std::string complaint(const std::vector<std::string>& words) {
  const auto parsed = parse_command_line(words);
  const auto* error = std::get_if<usage_error>(&parsed);
  return error == nullptr ? "none" : error->message;
}

TEST(command_line, serve) {
  EXPECT_EQ(std::get<serve_options>(parse_command_line({"serve", "--config", "f"})).config, "f");
  EXPECT_EQ(std::get<serve_options>(parse_command_line({"serve", "--config=f=g"})).config, "f=g");
}

TEST(command_line, check) {
  const auto options = std::get<check_options>(parse_command_line({"check", "--offline", "--config", "f"}));
  EXPECT_EQ(options.config, "f");
  EXPECT_TRUE(options.offline);
  EXPECT_EQ(
      std::get<check_options>(parse_command_line({"check", "--config", "f", "--database", "d"})).database,
      "d");
}

TEST(command_line, explain) {
  const auto options =
      std::get<explain_options>(parse_command_line({"explain", "SELECT 1", "--in-transaction", "--config",
                                                    "f", "--database=d", "--user", "u", "--offline"}));
  EXPECT_EQ(options.sql, "SELECT 1");
  EXPECT_TRUE(options.in_transaction);
  EXPECT_TRUE(options.offline);
  EXPECT_EQ(options.database, "d");
  EXPECT_EQ(options.user, "u");
}

TEST(command_line, sql_may_begin_with_dashes) {
  const auto options =
      std::get<explain_options>(parse_command_line({"explain", "--config", "f", "--", "--x\nSELECT 1"}));
  EXPECT_EQ(options.sql, "--x\nSELECT 1");
}

TEST(command_line, version_and_help) {
  EXPECT_TRUE(std::holds_alternative<version_options>(parse_command_line({"version"})));
  EXPECT_TRUE(std::holds_alternative<version_options>(parse_command_line({"--version"})));
  EXPECT_TRUE(std::holds_alternative<help_options>(parse_command_line({"--help"})));
  EXPECT_TRUE(std::holds_alternative<help_options>(parse_command_line({"help"})));
  EXPECT_TRUE(std::holds_alternative<help_options>(parse_command_line({"check", "-h"})));
  EXPECT_TRUE(version_text().starts_with("pgteller 0."));
  for (const auto* word : {"serve", "check", "explain", "version"})
    EXPECT_NE(usage().find(word), std::string::npos);
}

TEST(command_line, says_what_is_wrong) {
  EXPECT_EQ(complaint({}), "a command is missing");
  EXPECT_EQ(complaint({"sevre"}), "unknown command \"sevre\"; did you mean serve?");
  EXPECT_EQ(complaint({"serve"}), "--config FILE is missing");
  EXPECT_EQ(complaint({"serve", "--config"}), "--config needs a value");
  EXPECT_EQ(complaint({"serve", "--config="}), "--config needs a value that is not empty");
  EXPECT_EQ(complaint({"serve", "--conf", "f"}), "unknown option \"--conf\"; did you mean --config?");
  EXPECT_EQ(complaint({"serve", "--config", "f", "--config", "g"}), "--config is given twice");
  EXPECT_EQ(complaint({"serve", "--config", "f", "extra"}), "unexpected \"extra\"");
  EXPECT_EQ(complaint({"check", "--config", "f", "--offline=yes"}), "--offline takes no value");
  EXPECT_EQ(complaint({"check", "--config", "f", "--in-transaction"}), "unknown option \"--in-transaction\"");
  EXPECT_EQ(complaint({"explain", "--config", "f"}), "the SQL to explain is missing");
  EXPECT_EQ(complaint({"explain", "--config", "f", "SELECT", "1"}),
            "unexpected \"1\"; put the whole SQL in one pair of quotes");
  EXPECT_EQ(complaint({"version", "x"}), "unexpected \"x\"");
}

}  // namespace
}  // namespace proxy::ops
