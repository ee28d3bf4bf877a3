// What an unqualified name means is followed, by whatever route search_path changes, and never is a client's
// statement refused because a hidden one took the name for another relation.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

constexpr char debit[] = "UPDATE wallets SET balance = balance - 1000 WHERE id = 1";
constexpr char other_write[] = "UPDATE wallets SET amount = -1 WHERE no = 1";

class search_path : public stage {
 protected:
  void SetUp() override {
    stage::SetUp();
    ASSERT_TRUE(direct()
                    .run("CREATE SCHEMA other; CREATE TABLE other.wallets (no int PRIMARY KEY, amount int); "
                         "INSERT INTO other.wallets VALUES (1, 5)")
                    .ok());
    start("[[rule]]\nname = \"wallet\"\ntable = \"public.wallets\"\ncolumns = [\"balance\"]\nmin = 0\n");
  }

  static void expect_other(link& here) {
    EXPECT_EQ(here.run(other_write).brief(), "ok UPDATE 1");
    EXPECT_EQ(here.run("UPDATE wallets SET amount = $1 WHERE no = 1", {"-2"}).brief(), "ok UPDATE 1");
    EXPECT_EQ(here.run("SELECT amount FROM wallets WHERE no = 1").brief(), "ok SELECT 1: -2");
    EXPECT_EQ(here.run("UPDATE public.wallets SET balance = -1 WHERE id = 1").brief(), "23514");
  }

  static void expect_guarded(link& here) {
    EXPECT_EQ(here.run(debit).brief(), "23514");
    EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"-2"}).brief(), "23514");
    EXPECT_EQ(here.run("SELECT * FROM other.wallets WHERE no = 9").brief(), "ok SELECT 0");
  }

  static void in_transaction(link& here, const std::string& sql, const std::string& expected) {
    ASSERT_TRUE(here.run("BEGIN").ok());
    EXPECT_EQ(here.run(sql).brief(), expected);
    EXPECT_EQ(here.run("ROLLBACK").brief(), "ok ROLLBACK");
  }
};

TEST_F(search_path, is_followed_through_set_and_reset) {
  link here = through();
  expect_guarded(here);
  ASSERT_TRUE(here.run("SET search_path = other").ok());
  expect_other(here);
  ASSERT_TRUE(here.run("RESET search_path").ok());
  expect_guarded(here);
  ASSERT_TRUE(here.run("SELECT set_config('search_path', 'other, public', false)").ok());
  expect_other(here);
  ASSERT_TRUE(here.run("DISCARD ALL").ok());
  expect_guarded(here);
  ASSERT_TRUE(here.run("SET SCHEMA 'other'").ok());
  expect_other(here);
}

TEST_F(search_path, set_local_ends_with_its_transaction) {
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; SET LOCAL search_path = other").ok());
  EXPECT_EQ(here.run(other_write).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok COMMIT");
  expect_guarded(here);
  ASSERT_TRUE(here.run("BEGIN; SAVEPOINT a; SET search_path = other").ok());
  EXPECT_EQ(here.run(other_write).brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("ROLLBACK TO a").ok());
  EXPECT_EQ(here.run(debit).brief(), "23514");
  EXPECT_EQ(here.run(debit).brief(), "25P02");
  EXPECT_EQ(here.run("ROLLBACK").brief(), "ok ROLLBACK");
}

TEST_F(search_path, is_given_at_startup) {
  link here(through_conninfo() + " options='-c search_path=other'");
  expect_other(here);
  in_transaction(here, "SELECT no FROM wallets WHERE no = 1", "ok SELECT 1: 1");
}

TEST_F(search_path, is_a_default_of_the_database_or_of_the_role) {
  ASSERT_TRUE(direct().run("ALTER DATABASE \"" + database_->name() + "\" SET search_path = other").ok());
  link by_database = through();
  expect_other(by_database);
  ASSERT_TRUE(
      direct()
          .run("ALTER ROLE postgres IN DATABASE \"" + database_->name() + "\" SET search_path = public")
          .ok());
  link by_role = through();
  expect_guarded(by_role);
}

TEST_F(search_path, changes_with_the_role) {
  link admin = direct();
  const std::string role = "path_" + database_->name();
  ASSERT_TRUE(admin.run("CREATE ROLE " + role + "; CREATE SCHEMA " + role + " AUTHORIZATION " + role).ok());
  ASSERT_TRUE(admin
                  .run("CREATE TABLE " + role + ".wallets (no int, amount int); GRANT ALL ON " + role +
                       ".wallets TO " + role)
                  .ok());
  link here = through();
  expect_guarded(here);
  ASSERT_TRUE(here.run("SET ROLE " + role).ok());
  EXPECT_EQ(here.run("UPDATE wallets SET amount = -1 WHERE no = 1").brief(), "ok UPDATE 0");
  ASSERT_TRUE(here.run("RESET ROLE").ok());
  expect_guarded(here);
  ASSERT_TRUE(admin.run("DROP SCHEMA " + role + " CASCADE; DROP ROLE " + role).ok());
}

TEST_F(search_path, changes_in_the_same_string_or_in_a_function) {
  link here = through();
  EXPECT_EQ(here.run("SET search_path = other; UPDATE wallets SET amount = 7 WHERE no = 1").brief(),
            "ok UPDATE 1");
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_unguarded_total{reason=\"opaque\"") >= 1; }));
  ASSERT_TRUE(here.run("RESET search_path").ok());
  ASSERT_TRUE(here.run("DO $$ BEGIN SET search_path = other; END $$").ok());
  expect_other(here);
}

TEST_F(search_path, prepared_statement_follows_it) {
  link here = through();
  ASSERT_TRUE(here.run("ALTER TABLE other.wallets ADD id int, ADD balance int; "
                       "UPDATE other.wallets SET id = 1, balance = 0")
                  .ok());
  ASSERT_TRUE(here.prepare("debit", "UPDATE wallets SET balance = balance - $1::int WHERE id = 1").ok());
  EXPECT_EQ(here.run_prepared("debit", {"1000"}).brief(), "23514");
  ASSERT_TRUE(here.run("SET search_path = other").ok());
  EXPECT_EQ(here.run_prepared("debit", {"1000"}).brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("SET search_path = public").ok());
  EXPECT_EQ(here.run_prepared("debit", {"1000"}).brief(), "23514");
}

TEST_F(search_path, changes_earlier_in_the_same_pipeline) {
  link here = through();
  PGconn* raw = here.raw();
  ASSERT_EQ(PQenterPipelineMode(raw), 1);
  const auto send = [raw](const char* sql) {
    ASSERT_EQ(PQsendQueryParams(raw, sql, 0, nullptr, nullptr, nullptr, nullptr, 0), 1);
  };
  send("SET search_path = other");
  send(other_write);
  send("SET search_path = public");
  send(debit);
  send(other_write);
  ASSERT_EQ(PQpipelineSync(raw), 1);
  EXPECT_EQ(here.collect().brief(), "ok SET");
  EXPECT_EQ(here.collect().brief(), "ok UPDATE 1");
  EXPECT_EQ(here.collect().brief(), "ok SET");
  EXPECT_EQ(here.collect().brief(), "23514");
  EXPECT_EQ(here.collect().status(), PGRES_PIPELINE_ABORTED);
  EXPECT_EQ(here.collect().status(), PGRES_PIPELINE_SYNC);
  ASSERT_EQ(PQexitPipelineMode(raw), 1);
  EXPECT_EQ(here.run("SELECT 1").brief(), "ok SELECT 1: 1");
}

TEST_F(search_path, temporary_table_shadows_the_guarded_one) {
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  ASSERT_TRUE(here.run("CREATE TEMP TABLE wallets (x int) ON COMMIT DROP").ok());
  EXPECT_EQ(here.run("SELECT x FROM wallets WHERE x = 1").brief(), "ok SELECT 0");
  EXPECT_EQ(here.run("UPDATE wallets SET x = $1", {"1"}).brief(), "ok UPDATE 0");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok COMMIT");
  expect_guarded(here);
  ASSERT_TRUE(here.run("SELECT 1 AS x INTO TEMP wallets").ok());
  in_transaction(here, "SELECT * FROM wallets WHERE x = 1", "ok SELECT 1: 1");
  EXPECT_EQ(here.run("UPDATE public.wallets SET balance = -1 WHERE id = 1").brief(), "23514");
  ASSERT_TRUE(here.run("DROP TABLE wallets").ok());
  expect_guarded(here);
}

TEST_F(search_path, temporary_table_shadows_where_nothing_else_does) {
  ASSERT_TRUE(direct().run("DROP TABLE other.wallets").ok());
  link here = through();
  ASSERT_TRUE(here.run("CREATE TEMP TABLE wallets (x int)").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET x = 1").brief(), "ok UPDATE 0");
  in_transaction(here, "SELECT * FROM wallets WHERE x = 1", "ok SELECT 0");
  ASSERT_TRUE(here.run("DISCARD TEMP").ok());
  EXPECT_EQ(here.run(debit).brief(), "23514");
}

TEST_F(search_path, temporary_view_over_the_guarded_table_is_counted) {
  link here = through();
  ASSERT_TRUE(here.run("CREATE TEMP VIEW purse AS SELECT * FROM public.wallets").ok());
  EXPECT_EQ(here.run("UPDATE pg_temp.purse SET balance = 1 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_unguarded_total{reason=\"view\"") >= 1; }));
}

TEST_F(search_path, table_is_not_on_it) {
  link here = through();
  ASSERT_TRUE(here.run("SET search_path = pg_catalog").ok());
  EXPECT_EQ(here.run(debit).brief(), "42P01");
  in_transaction(here, "SELECT balance FROM wallets WHERE id = 1", "42P01");
}

}  // namespace
}  // namespace e2e
