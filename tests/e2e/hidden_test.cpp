// Hidden statements stay hidden: nothing of theirs is seen in errors, catalogs or replies, and what the
// client had prepared or opened is still there.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class hidden : public stage {
 protected:
  std::string texts(const std::vector<std::string>& messages) {
    std::string all;
    for (const std::string& each : messages) {
      // Where in PostgreSQL's source it was raised, and the context of a parameter, may differ.
      if (each[0] == 'E') {
        for (const char code : {'S', 'C', 'M', 'D', 'H', 'P'}) all += error_field(each, code) + "/";
        all += "\n";
      } else {
        all += shown(each) + "\n";
      }
    }
    return all;
  }

  /// Sends the same bytes directly and through pgteller, each part up to its `ready` count, in a transaction
  /// that is rolled back, and expects the same answers.
  void expect_same(const std::vector<std::string>& parts) {
    wire straight(cluster::host(), cluster::port());
    wire proxied("127.0.0.1", proxy_->port());
    ASSERT_TRUE(straight.start(database_->name()));
    for (const std::string& part : parts) straight.send(part);
    const std::string expected = texts(straight.messages(static_cast<int>(parts.size())));
    straight.send(query("ROLLBACK"));
    static_cast<void>(straight.messages(1));
    ASSERT_TRUE(proxied.start(database_->name()));
    for (const std::string& part : parts) proxied.send(part);
    EXPECT_EQ(texts(proxied.messages(static_cast<int>(parts.size()))), expected);
  }
};

const char* const wrong_statements[] = {
    "SELECT nothing, balance FROM wallets WHERE id = 1",
    "SELECT balance FROM wallets WHERE nothing = 1",
    "SELECT balance, w.id FROM wallets WHERE id = 1",
    "SELECT balance FROM wallets WHERE id = 'x'",
    "SELECT balance FROM wallets WHERE id = 1 AND owner = 5",
    "SELECT balance FROM wallets WHERE id = 1 ORDER BY nothing",
    "SELECT balance FROM wallets WHERE id = 1 GROUP BY owner",
    "SELECT sum(balance, 1) FROM wallets WHERE id = 1",
    "SELECT balance FROM wallets JOIN nowhere ON true WHERE wallets.id = 1",
    "SELECT balance FROM wallets WHERE id = 1 / 0",
    "SELECT balance FROM wallets WHERE id = 1 LIMIT -1",
    "SELECT balance FROM wallets WHERE id = 1 FROM",
    "UPDATE wallets SET balance = nothing WHERE id = 1",
    "UPDATE wallets SET balance = balance - 1, nothing = 2 WHERE id = 1",
    "UPDATE wallets SET balance = balance - 1 WHERE nothing = 1",
    "UPDATE wallets SET balance = 'x' WHERE id = 1",
    "UPDATE wallets SET balance = balance - owner WHERE id = 1",
    "UPDATE wallets SET balance = 99999999999999 WHERE id = 1",
    "UPDATE wallets SET balance = balance / 0 WHERE id = 1",
    "UPDATE wallets SET balance = 1 WHERE id = 1 RETURNING nothing",
    "UPDATE wallets w SET balance = 1 WHERE wallets.id = 1",
    "UPDATE wallets SET balance = 1, balance = 2 WHERE id = 1",
    "/* \xc3\xa4\xe2\x82\xac */ UPDATE wallets SET owner = '\xc3\xa4', balance = n\xc3\xb6 WHERE id = 1",
    "SELECT '\xe2\x82\xac' AS \xc3\xa4, balance FROM wallets WHERE \xc3\xb6 = 1 AND id = 1",
};

TEST_F(hidden, errors_have_the_code_message_and_position_of_postgresql) {
  start();
  link straight = direct();
  link proxied = through();
  const auto facts = [](const reply& got) {
    return got.sqlstate() + " at " + got.field(PG_DIAG_STATEMENT_POSITION) + " " +
           got.field(PG_DIAG_MESSAGE_PRIMARY) + "/" + got.field(PG_DIAG_MESSAGE_HINT) + "/" +
           got.field(PG_DIAG_MESSAGE_DETAIL) + "/" + got.field(PG_DIAG_INTERNAL_QUERY);
  };
  for (const char* const begin : {"ROLLBACK", "BEGIN"}) {
    for (const char* const sql : wrong_statements) {
      for (const bool extended : {false, true}) {
        static_cast<void>(straight.run(begin));
        static_cast<void>(proxied.run(begin));
        const reply expected = extended ? straight.run(sql, {}) : straight.run(sql);
        const reply got = extended ? proxied.run(sql, {}) : proxied.run(sql);
        EXPECT_FALSE(expected.ok()) << sql;
        EXPECT_EQ(facts(got), facts(expected)) << begin << (extended ? ", extended: " : ", simple: ") << sql;
        EXPECT_EQ(proxied.block(), straight.block());
        static_cast<void>(straight.run("ROLLBACK"));
        static_cast<void>(proxied.run("ROLLBACK"));
      }
    }
  }
}

TEST_F(hidden, position_in_a_string_of_several_statements) {
  start();
  link straight = direct();
  link proxied = through();
  const std::string sql =
      "BEGIN; SELECT balance FROM wallets WHERE id = 1; UPDATE wallets SET balance = nothing WHERE id = 1";
  const reply expected = straight.run(sql);
  const reply got = proxied.run(sql);
  EXPECT_EQ(got.brief(), expected.brief());
  EXPECT_EQ(got.field(PG_DIAG_STATEMENT_POSITION), expected.field(PG_DIAG_STATEMENT_POSITION));
}

TEST_F(hidden, clients_unnamed_statement_and_portal_survive) {
  start();
  // Each Bind and Execute uses the unnamed ones made before a hidden statement ran.
  expect_same({query("BEGIN"),
               parse("", "SELECT balance FROM wallets WHERE id = $1") + bind("", "", {"1"}) + execute("") +
                   bind("", "", {"2"}) + describe('P', "") + execute("") + sync(),
               bind("", "", {"3"}) + execute("") + sync()});
  expect_same({query("BEGIN"),
               parse("", "SELECT generate_series(1, 10)") + bind("", "") + execute("", 3) +
                   parse("read", "SELECT balance FROM wallets WHERE id = 1") + bind("other", "read") +
                   execute("other") + execute("", 4) + execute("") + sync(),
               query("COMMIT")});
}

TEST_F(hidden, replies_to_guarded_statements_are_those_of_postgresql) {
  start();
  expect_same({query("BEGIN"), query("SELECT * FROM wallets WHERE id = 1"),
               query("UPDATE wallets SET balance = 5 WHERE id = 1 RETURNING *; SELECT 5;;"),
               query("SELECT balance FROM wallets WHERE id = 1; SELECT nothing; SELECT 3")});
  expect_same({query("BEGIN"),
               parse("s", "SELECT id, balance FROM wallets WHERE id = $1") + describe('S', "s") + sync(),
               bind("p", "s", {"1"}) + describe('P', "p") + execute("p", 1) + execute("p", 1) +
                   close('P', "p") + flush() + sync(),
               bind("p", "s", {"x"}) + execute("p") + bind("", "s", {"2"}) + sync(),
               bind("", "s", {"1"}) + sync()});
  expect_same({parse("u", "UPDATE wallets SET balance = balance - $1 WHERE id = $2") +
                   bind("", "u", {"1", "1"}) + execute("") + bind("", "u", {"1", "77"}) + execute("") +
                   close('S', "u") + bind("", "u", {"1", "1"}) + sync(),
               parse("u", "SELECT 1") + parse("u", "SELECT 2") + sync()});
}

TEST_F(hidden, nothing_of_ours_is_left_in_the_session) {
  start();
  link here = through();
  const auto look = [&] {
    return value(here, "SELECT count(*) FROM pg_prepared_statements") + " " +
           value(here, "SELECT count(*) FROM pg_cursors WHERE name <> ''");
  };
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 5 WHERE id = $1", {"1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(look(), "0 0");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -5 WHERE id = $1", {"1"}).brief(), "23514");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 5 WHERE id = $1", {"1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(look(), "0 0");
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_TRUE(here.run("SELECT balance FROM wallets WHERE id = $1", {"1"}).ok());
  EXPECT_EQ(look(), "0 0");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -5 WHERE id = $1", {"1"}).brief(), "23514");
  ASSERT_TRUE(here.run("ROLLBACK").ok());
  EXPECT_EQ(here.run("SELECT 1", {}).brief(), "ok SELECT 1: 1");
}

TEST_F(hidden, clients_own_statement_may_have_any_name) {
  start();
  link here = through();
  EXPECT_TRUE(here.prepare("pgteller", "UPDATE wallets SET balance = balance - $1 WHERE id = 1").ok());
  EXPECT_EQ(here.run_prepared("pgteller", {"10"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run_prepared("pgteller", {"100"}).brief(), "23514");
  EXPECT_EQ(here.run_prepared("pgteller", {"10"}).brief(), "ok UPDATE 1");
}

TEST_F(hidden, deallocate_and_discard_between_guarded_statements) {
  start();
  link here = through();
  for (const char* const between : {"DEALLOCATE ALL", "DISCARD ALL", "DISCARD PLANS", "RESET ALL"}) {
    EXPECT_TRUE(here.prepare("debit", "UPDATE wallets SET balance = balance - $1 WHERE id = 1").ok());
    EXPECT_EQ(here.run_prepared("debit", {"1"}).brief(), "ok UPDATE 1");
    EXPECT_EQ(here.run_prepared("debit", {"1000"}).brief(), "23514");
    ASSERT_TRUE(here.run(between).ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - $1 WHERE id = 1", {"1000"}).brief(), "23514");
    const std::string again = here.run_prepared("debit", {"1000"}).brief();
    EXPECT_TRUE(again == "26000" || again == "23514") << between << ": " << again;
    static_cast<void>(here.run("DEALLOCATE ALL"));
  }
}

TEST_F(hidden, two_portals_bound_before_either_runs) {
  start();
  const auto tags = [](const std::vector<std::string>& messages) {
    std::string all;
    for (const std::string& each : messages) all += each[0];
    return all;
  };
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query("BEGIN") + parse("debit", "UPDATE wallets SET balance = balance - $1 WHERE id = $2") +
            bind("a", "debit", {"60", "1"}) + bind("b", "debit", {"30", "1"}) + execute("a") + execute("b") +
            sync() + query("COMMIT"));
  EXPECT_EQ(tags(here.messages(3)), "CZ122CCZCZ");
  EXPECT_EQ(balance(1), "10.00");
  here.send(bind("a", "debit", {"60", "2"}) + bind("b", "debit", {"60", "2"}) + execute("a") + execute("b") +
            execute("a") + sync());
  const auto refused = here.messages(1);
  EXPECT_EQ(tags(refused), "22CEZ");
  EXPECT_EQ(error_field(refused[3], 'C'), "23514");
  EXPECT_EQ(balance(2), "100.00");
}

TEST_F(hidden, notices_and_settings_of_the_hidden_statement_are_not_seen) {
  start();
  expect_same(
      {query("SET client_min_messages = debug1; SET debug_print_parse = off"),
       query("SET search_path = public"), query("UPDATE wallets SET balance = balance WHERE id = 1"),
       parse("", "UPDATE wallets SET balance = balance WHERE id = 1") + bind("", "") + execute("") + sync(),
       query("SHOW lock_timeout")});
}

}  // namespace
}  // namespace e2e
