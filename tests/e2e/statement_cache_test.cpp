// upstream.statement_cache: a client hears what it hears from PostgreSQL alone, message by message, whatever
// it sends again and again, while PostgreSQL parses it once.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"
#include "tests/e2e/streams.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

/// A client that sends what it likes. One ReadyForQuery a Sync and a Query, since no Query stands behind an
/// error that a Sync has not ended.
class random_client {
 public:
  explicit random_client(unsigned seed) : random_(seed) {}

  std::vector<step> steps() {
    std::vector<step> all;
    const int count = 10 + pick(20);
    for (int i = 0; i < count; ++i) all.push_back(pick(8) == 0 ? queries() : batches());
    return all;
  }

 private:
  struct text {
    const char* sql;
    std::vector<std::string> values;
  };

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  const text& any_text() {
    static const std::vector<text> texts = {
        {"SELECT $1::int + 1", {"41"}},
        {"SELECT 10 / $1::int", {"0"}},
        {"SELECT 10 / $1::int", {"3"}},
        {"SELECT * FROM sheet ORDER BY id", {}},
        {"SELECT note FROM sheet WHERE id = $1", {"1"}},
        {"INSERT INTO sheet VALUES ($1, $2) RETURNING id", {"1", "x"}},
        {"UPDATE sheet SET note = note || $1", {"y"}},
        {"DELETE FROM sheet WHERE id = $1", {"2"}},
        {"SELECT count(*) FROM mine", {}},
        {"SELECT nothing FROM sheet", {}},
        {"SELECT date '2/1/2003' + $1::int", {"1"}},
        {"WITH w AS (SELECT 1 AS a) SELECT a FROM w", {}},
    };
    return texts[static_cast<std::size_t>(pick(static_cast<int>(texts.size())))];
  }
  const char* any_command() {
    static const char* const commands[] = {"BEGIN",
                                           "COMMIT",
                                           "ROLLBACK",
                                           "BEGIN",
                                           "SAVEPOINT a",
                                           "ROLLBACK TO a",
                                           "DEALLOCATE ALL",
                                           "DISCARD ALL",
                                           "SET DateStyle = 'German'",
                                           "RESET DateStyle",
                                           "SET LOCAL search_path = pg_catalog",
                                           "CREATE TEMP TABLE mine (a int)",
                                           "DROP TABLE mine",
                                           "ALTER TABLE sheet ADD more int",
                                           "ALTER TABLE sheet DROP more",
                                           "SELECT nothing",
                                           "SELECT 1/0"};
    return commands[pick(static_cast<int>(std::size(commands)))];
  }
  std::string name() { return pick(5) == 0 ? "s" : ""; }

  step queries() {
    step made{query(any_command()), 1};
    if (pick(2) == 0) made = {made.bytes + query(any_command()), 2};
    return made;
  }

  std::string unit() {
    const text& of = any_text();
    const std::string statement = name();
    std::string made = statement.empty() ? "" : close('S', statement);
    switch (pick(10)) {
      case 0:  // what the statement was before
        return e2e::bind("", statement, of.values) + execute("");
      case 1:
        return close('S', statement);
      case 2:
        return describe('S', statement);
      case 3:
        return parse("", any_command()) + e2e::bind("", "") + execute("");
      case 4:
        return parse("", of.sql) + (pick(2) == 0 ? sync() : "");
      default:
        break;
    }
    made += parse(statement, of.sql);
    if (pick(3) == 0) made += describe('S', statement);
    made += e2e::bind("", statement, of.values);
    if (pick(3) == 0) made += describe('P', "");
    return made + execute("");
  }

  step batches() {
    step made{"", 0};
    const int units = 1 + pick(6);
    for (int i = 0; i < units; ++i) {
      const std::string bytes = unit() + (pick(2) == 0 ? sync() : "");
      made.bytes += bytes;
    }
    made.bytes += sync();
    // In these bytes nothing but a Sync looks like one.
    for (std::size_t at = made.bytes.find(sync()); at != std::string::npos;
         at = made.bytes.find(sync(), at + 1))
      ++made.ready;
    return made;
  }

  std::mt19937 random_;
};

class statement_cache : public stage {
 protected:
  void begin(int most, const std::string& rules = "") {
    ASSERT_TRUE(direct().run("CREATE TABLE sheet (id int, note text)").ok());
    proxy_options options;
    options.rules = rules;
    options.upstream = "statement_cache = " + std::to_string(most);
    start(options);
  }

  /// The table is made anew each time.
  static std::string without_tables(std::string text) {
    for (std::size_t at = text.find("table="); at != std::string::npos; at = text.find("table=", at + 1))
      text.erase(at + 6, text.find(' ', at) - at - 6);
    return text;
  }

  std::vector<std::string> play(int port, const std::vector<step>& steps, std::size_t piece = 0) {
    EXPECT_TRUE(direct().run("DROP TABLE sheet; CREATE TABLE sheet (id int, note text)").ok());
    wire here("127.0.0.1", port);
    EXPECT_TRUE(here.start(database_->name()));
    std::vector<std::string> all;
    for (const step& next : steps) {
      here.send(next.bytes, piece);
      for (std::string each : here.messages(next.ready, next.stop)) {
        if (each[0] == 'A') each.replace(5, 4, u32(0));
        all.push_back(without_tables(shown(each)));
      }
      all.emplace_back("--");
    }
    here.send(frame('X', ""));
    all.push_back("then " + std::to_string(here.read_to_end().size()) + " bytes");
    return all;
  }

  void expect_same(const std::vector<step>& steps, const std::string& name, std::size_t piece = 0) {
    const auto expected = play(cluster::port(), steps);
    const auto got = play(proxy_->port(), steps, piece);
    const auto [one, other] = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
    EXPECT_TRUE(one == expected.end() && other == got.end())
        << name << ", message " << one - expected.begin() << ": directly "
        << (one == expected.end() ? "(end)" : *one) << ", through pgteller "
        << (other == got.end() ? "(end)" : *other);
  }

  static std::string run(const std::string& sql, const std::vector<std::string>& values = {}) {
    return parse("", sql) + e2e::bind("", "", values) + describe('P', "") + execute("") + sync();
  }
};

TEST_F(statement_cache, random_clients_hear_what_they_hear_directly) {
  begin(3);
  for (unsigned seed = 1; seed <= 60 && !HasFailure(); ++seed)
    expect_same(random_client(seed).steps(), "seed " + std::to_string(seed), seed % 3 == 0 ? 17 : 0);
}

TEST_F(statement_cache, streams_played_again_and_again) {
  begin(3);
  for (const auto& streams : {small_streams(), wallet_streams(), large_streams()}) {
    for (const stream& each : streams) {
      if (each.name == "row of 64 MB" || each.name == "many rows" || each.name == "wrong message") continue;
      std::vector<step> steps;
      for (int i = 0; i < 4; ++i) steps.insert(steps.end(), each.steps.begin(), each.steps.end());
      expect_same(steps, each.name);
    }
  }
}

TEST_F(statement_cache, guarded_sessions_hear_the_same) {
  begin(3, wallet_rule("mode = \"observe\""));
  for (unsigned seed = 1; seed <= 15 && !HasFailure(); ++seed)
    expect_same(random_client(seed).steps(), "seed " + std::to_string(seed));
  for (const stream& each : wallet_streams()) expect_same(each.steps, each.name);
}

TEST_F(statement_cache, is_parsed_once_and_bounded) {
  begin(3);
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  for (int i = 0; i < 20; ++i) {
    here.send(run("SELECT $1::int + 7", {std::to_string(i)}));
    static_cast<void>(here.messages(1));
    for (int text = 0; text < (i < 8 ? 5 : 0); ++text) {
      here.send(run("SELECT " + std::to_string(text)));
      static_cast<void>(here.messages(1));
    }
  }
  here.send(query("SELECT count(*) || ' kept' FROM pg_prepared_statements") +
            query("SELECT max(generic_plans + custom_plans) || ' runs' FROM pg_prepared_statements "
                  "WHERE statement = 'SELECT $1::int + 7'"));
  std::string all;
  for (const std::string& each : here.messages(2)) all += each;
  EXPECT_NE(all.find("3 kept"), std::string::npos);
  EXPECT_NE(all.find("12 runs"), std::string::npos) << all;
}

/// Another session's DDL: the same that every driver meets that keeps statements prepared.
TEST_F(statement_cache, a_result_that_changed_elsewhere_is_refused_once) {
  begin(3);
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  const auto state = [&] {
    here.send(run("SELECT * FROM sheet"));
    std::string found;
    for (const std::string& each : here.messages(1)) found += each[0] == 'E' ? error_field(each, 'C') : "";
    return found;
  };
  EXPECT_EQ(state() + state() + state(), "");
  ASSERT_TRUE(direct().run("ALTER TABLE sheet ADD more int").ok());
  EXPECT_EQ(state(), "0A000");
  EXPECT_EQ(state() + state() + state(), "");
}

std::vector<step> again_and_again(const std::string& sql, int times = 4) {
  std::string bytes = parse("", sql) + e2e::bind("", "") + describe('P', "") + execute("") + sync();
  return std::vector<step>(static_cast<std::size_t>(times), step{bytes, 1});
}

TEST_F(statement_cache, what_only_a_parse_tells_or_reads_is_told_and_read_each_time) {
  begin(3);
  expect_same(again_and_again("SELECT 1 AS " + std::string(70, 'a')), "a name that is cut");
  expect_same(again_and_again("SELECT ('no'\n'w'::timestamptz) = now()"), "the time in two literals");
  expect_same(again_and_again("SELECT ('no' -- x\n'w'::timestamptz) = now()"), "a comment in it");
  const std::string null = "SELECT count(*) FROM (VALUES (NULL::int)) v (a) WHERE a = NULL";
  for (const std::string change :
       {"UPDATE pg_settings SET setting = 'on' WHERE name = 'transform_null_equals'",
        "SELECT U&\"s\\0065t_config\"('transform_null_equals', 'on', false)"}) {
    auto steps = again_and_again(null);
    for (const step& each : again_and_again(change, 1)) steps.push_back(each);
    for (const step& each : again_and_again(null)) steps.push_back(each);
    expect_same(steps, change);
    steps[4] = {query(change), 1};
    expect_same(steps, change + " by a simple query");
  }
}

TEST_F(statement_cache, a_prepared_transaction_may_change_what_names_mean) {
  begin(3);
  for (const std::string end : {"COMMIT PREPARED ", "ROLLBACK PREPARED "}) {
    const std::string id = "'" + database_->name() + "'";
    std::vector<step> steps = {
        {query("SET search_path = app, public; CREATE SCHEMA app; CREATE TABLE app.old (a int)"), 1},
        {query("BEGIN; CREATE TABLE app.sheet (other int); PREPARE TRANSACTION " + id), 1}};
    for (const step& each : again_and_again("SELECT * FROM sheet")) steps.push_back(each);
    for (const step& each : again_and_again(end + id, 1)) steps.push_back(each);
    for (const step& each : again_and_again("SELECT * FROM sheet")) steps.push_back(each);
    steps.push_back({query("DROP SCHEMA app CASCADE"), 1});
    expect_same(steps, end);
  }
}

/// Parameters keep the types that they were prepared with until a value is refused.
TEST_F(statement_cache, a_type_that_changed_elsewhere_is_learnt_from_the_first_error) {
  begin(3);
  ASSERT_TRUE(direct().run("INSERT INTO sheet VALUES (1, 'x')").ok());
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  const auto state = [&](const std::string& value) {
    here.send(run("UPDATE sheet SET id = $1", {value}));
    std::string found;
    for (const std::string& each : here.messages(1)) found += each[0] == 'E' ? error_field(each, 'C') : "";
    return found;
  };
  EXPECT_EQ(state("5") + state("6") + state("7"), "");
  ASSERT_TRUE(direct().run("ALTER TABLE sheet ALTER id TYPE numeric").ok());
  EXPECT_EQ(state("10.5"), "22P02");
  EXPECT_EQ(state("10.5") + state("10.5") + state("10.5"), "");
}

/// PostgreSQL does not analyse prepared statements anew for it: neither the client's nor the hidden one.
TEST_F(statement_cache, a_guarded_statement_means_the_table_that_its_guard_means) {
  begin(3, wallet_rule());
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query("CREATE SCHEMA app; SET search_path = app, public"));
  static_cast<void>(here.messages(1));
  const auto take = [&](const std::string& amount) {
    here.send(run("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {amount, "1"}));
    std::string found;
    for (const std::string& each : here.messages(1)) found += each[0] == 'E' ? error_field(each, 'C') : "";
    return found;
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take("1"), "");
  EXPECT_EQ(balance(1), "95.00");
  EXPECT_EQ(take("500"), "23514");
  ASSERT_TRUE(direct()
                  .run("BEGIN; CREATE TABLE app.wallets (LIKE public.wallets INCLUDING ALL); "
                       "INSERT INTO app.wallets (id, user_id, balance) VALUES (1, 10, 1000); COMMIT")
                  .ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take("200"), "");
  EXPECT_EQ(balance(1), "95.00");
}

}  // namespace
}  // namespace e2e
