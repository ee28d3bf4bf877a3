#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxy/ops/check_command.hpp"
#include "proxy/ops/explain_command.hpp"
#include "tests/ops/live_database.hpp"

namespace proxy::ops {
namespace {

class config_file {
 public:
  explicit config_file(const std::string& text)
      : path_("/tmp/pgteller_commands_" + std::to_string(getpid()) + ".toml") {
    std::ofstream(path_) << text;
  }
  ~config_file() { std::remove(path_.c_str()); }
  config_file(const config_file&) = delete;
  config_file& operator=(const config_file&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome check(const check_options& options) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_check(options, out, err);
  return {code, out.str(), err.str()};
}

outcome explain(const explain_options& options) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_explain(options, out, err);
  return {code, out.str(), err.str()};
}

const std::string wallet_toml =
    "[[rule]]\nname = 'wallet-balance'\ntable = 'wallets'\ncolumns = ['balance']\nmin = 0\nmax = '99.5'\n";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(check_command, offline) {
  const config_file file(wallet_toml);
  const auto result = check({.config = file.path(), .offline = true, .database = ""});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out,
            "  rule wallet-balance: wallets (balance)\n    bounds from 0 to 99.5; lock_timeout 5s\n" +
                file.path() + ": 1 rule; no database was asked\ngood\n");
}

TEST(check_command, a_bad_file_is_exit_code_2_with_every_problem) {
  const config_file file("[listen]\nprot = 1\nport = 'x'\n");
  const auto result = check({.config = file.path(), .offline = false, .database = ""});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 2);
  EXPECT_TRUE(result.err.starts_with(file.path() + ":2:1: unknown key"));
  EXPECT_EQ(check({.config = "/nonexistent", .offline = true, .database = ""}).code, 2);
}

TEST(check_command, a_database_out_of_reach_is_a_problem) {
  const config_file file("[upstream]\nport = 1\n" + wallet_toml);
  const auto result = check({.config = file.path(), .offline = false, .database = "shop"});
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(holds(result.out, "PROBLEM: the catalog cannot be read: ")) << result.out;
  EXPECT_TRUE(result.out.ends_with("1 problem\n"));
}

TEST(explain_command, offline) {
  const config_file file(wallet_toml);
  const auto result = explain({.config = file.path(),
                               .offline = true,
                               .in_transaction = true,
                               .database = "",
                               .user = "",
                               .sql = "UPDATE wallets SET balance = balance - 5 WHERE id = 7"});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(holds(result.out, "rule wallet-balance guards wallets: relative, check")) << result.out;
  EXPECT_TRUE(holds(result.out, "FOR NO KEY UPDATE")) << result.out;
  EXPECT_TRUE(holds(result.out, "the client's statement, unchanged")) << result.out;
}

TEST(explain_command, follows_begin_and_commit) {
  const config_file file(wallet_toml);
  const std::string read = "SELECT balance FROM wallets WHERE id = 1";
  const auto result = explain({.config = file.path(),
                               .offline = true,
                               .in_transaction = false,
                               .database = "",
                               .user = "",
                               .sql = "BEGIN; " + read + "; COMMIT; " + read});
  const auto inside = result.out.find("statement, inside a transaction\n    " + read);
  const auto outside = result.out.find("statement, outside a transaction\n    " + read);
  EXPECT_NE(inside, std::string::npos) << result.out;
  EXPECT_NE(outside, std::string::npos) << result.out;
  EXPECT_LT(inside, outside);
}

TEST(explain_command, what_no_rule_names_passes) {
  const config_file file(wallet_toml);
  const auto result = explain({.config = file.path(),
                               .offline = true,
                               .in_transaction = false,
                               .database = "",
                               .user = "",
                               .sql = "SELECT 1"});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(result.out.starts_with("no rule: ")) << result.out;
}

TEST(explain_command, says_that_a_rule_is_for_others) {
  const config_file file(wallet_toml + "users = ['app']\n");
  explain_options options{.config = file.path(),
                          .offline = true,
                          .in_transaction = false,
                          .database = "",
                          .user = "other",
                          .sql = "SELECT balance FROM wallets"};
  EXPECT_TRUE(
      holds(explain(options).out, "note: rule wallet-balance does not apply to this database and user"));
  options.user = "app";
  EXPECT_FALSE(holds(explain(options).out, "note: rule"));
}

TEST(explain_command, exit_codes) {
  const config_file file("[upstream]\nport = 1\n" + wallet_toml);
  const auto result = explain({.config = file.path(),
                               .offline = false,
                               .in_transaction = false,
                               .database = "d",
                               .user = "",
                               .sql = "SELECT 1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(holds(result.err, "the catalog of d cannot be read: ")) << result.err;
  EXPECT_EQ(explain({.config = "/nonexistent",
                     .offline = true,
                     .in_transaction = false,
                     .database = "",
                     .user = "",
                     .sql = ""})
                .code,
            2);
}

class live_commands : public testing::Test {
 protected:
  void SetUp() override {
    if (!live_database::available()) GTEST_SKIP() << "PGTELLER_TEST_CONNINFO is not set";
    database = std::make_unique<live_database>();
    const auto upstream = database->upstream();
    toml = "[upstream]\nhost = '" + upstream.host + "'\nport = " + std::to_string(upstream.port) +
           "\n[catalog]\nconninfo = 'user=pgteller dbname=" + database->name() + "'\n" + wallet_toml;
  }

  std::unique_ptr<live_database> database;
  std::string toml;
};

TEST_F(live_commands, check_shows_what_was_found) {
  database->run(
      "CREATE TABLE wallets (id bigint PRIMARY KEY, balance numeric(12,2)); CREATE VIEW v AS TABLE wallets");
  const config_file file(toml);
  const auto result = check({.config = file.path(), .offline = false, .database = ""});
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_TRUE(holds(result.out, "database " + database->name() + "\n"));
  EXPECT_TRUE(holds(result.out, "    table public.wallets\n")) << result.out;
  EXPECT_TRUE(holds(result.out, "key      id bigint (primary key)\n")) << result.out;
  EXPECT_TRUE(holds(result.out, "columns  balance numeric(12,2)\n"));
  EXPECT_TRUE(holds(result.out, "also as  view public.v\n"));
  EXPECT_TRUE(holds(result.out, "bounds from 0 to 99.5"));
  EXPECT_TRUE(result.out.ends_with("good\n"));
}

TEST_F(live_commands, check_finds_a_missing_table_and_a_missing_key) {
  const config_file file(toml);
  EXPECT_EQ(check({.config = file.path(), .offline = false, .database = ""}).code, 1);
  database->run("CREATE TABLE wallets (id bigint, balance numeric(12,2))");
  const auto result = check({.config = file.path(), .offline = false, .database = ""});
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(holds(result.out, "PROBLEM: ")) << result.out;
}

TEST_F(live_commands, explain_uses_the_live_schema) {
  database->run("CREATE TABLE wallets (number bigint PRIMARY KEY, balance numeric(12,2))");
  const config_file file(toml);
  const auto result = explain({.config = file.path(),
                               .offline = false,
                               .in_transaction = false,
                               .database = "",
                               .user = "postgres",
                               .sql = "UPDATE wallets SET balance = 5 WHERE number = 7"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(holds(result.out, "wallets.number")) << result.out;
}

}  // namespace
}  // namespace proxy::ops
