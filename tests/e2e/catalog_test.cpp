// What happens while the catalog is not known, and when the schema changes under the rules; and what the
// operator sees of it.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

class catalog : public stage {
 protected:
  int page_status(const std::string& path) {
    int status = 0;
    static_cast<void>(proxy_->page(path, status));
    return status;
  }

  std::string debit(link& who, bool extended) {
    return extended
               ? who.run("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"1000", "1"}).brief()
               : who.run("UPDATE wallets SET balance = balance - 1000 WHERE id = 1").brief();
  }
};

TEST_F(catalog, unknown_lets_only_unguarded_statements_pass) {
  const std::string role = "late_" + database_->name();
  proxy_options options;
  options.rules = wallet_rule();
  options.upstream = "connect_timeout = \"1s\"";
  options.catalog = "user=" + role;
  proxy_ = std::make_unique<proxy>(std::move(options));
  link here = through();
  ASSERT_TRUE(here.open()) << here.problem();
  EXPECT_EQ(here.run("SELECT 1").brief(), "ok SELECT 1: 1");
  EXPECT_EQ(here.run("SELECT note FROM orders WHERE id = $1", {"1"}).brief(), "ok SELECT 1: order 1");
  EXPECT_EQ(debit(here, false), "57P03");
  EXPECT_EQ(debit(here, true), "57P03");
  EXPECT_EQ(here.run("SELECT 2", {}).brief(), "ok SELECT 1: 2");
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "57P03");
  EXPECT_EQ(here.block(), PQTRANS_INERROR);
  EXPECT_EQ(here.run("ROLLBACK").brief(), "ok ROLLBACK");
  EXPECT_EQ(page_status("/readyz"), 503);
  EXPECT_EQ(page_status("/healthz"), 200);

  link admin = direct();
  ASSERT_TRUE(admin.run("CREATE ROLE " + role + " LOGIN").ok());
  EXPECT_TRUE(eventually([&] { return debit(here, false) == "23514"; }));
  EXPECT_EQ(debit(here, true), "23514");
  EXPECT_EQ(page_status("/readyz"), 200);
  proxy_.reset();
  EXPECT_TRUE(admin.run("DROP ROLE " + role).ok());
}

TEST_F(catalog, statement_that_waits_for_it_goes_on) {
  const std::string role = "later_" + database_->name();
  proxy_options options;
  options.rules = wallet_rule();
  options.upstream = "connect_timeout = \"50s\"";
  options.catalog = "user=" + role;
  proxy_ = std::make_unique<proxy>(std::move(options));
  link here = through();
  here.begin("UPDATE wallets SET balance = balance - 1000 WHERE id = 1");
  link admin = direct();
  ASSERT_TRUE(admin.run("CREATE ROLE " + role + " LOGIN").ok());
  EXPECT_EQ(here.collect().brief(), "23514");
  proxy_.reset();
  EXPECT_TRUE(admin.run("DROP ROLE " + role).ok());
}

TEST_F(catalog, cancel_while_waiting_for_it) {
  proxy_options options;
  options.rules = wallet_rule();
  options.upstream = "connect_timeout = \"50s\"";
  options.catalog = "user=never_" + database_->name();
  proxy_ = std::make_unique<proxy>(std::move(options));
  link here = through();
  here.begin("UPDATE wallets SET balance = balance - 1000 WHERE id = 1");
  PGcancel* cancel = PQgetCancel(here.raw());
  char error[256] = "";
  // The cancel request may overtake the statement, as with PostgreSQL.
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(PQcancel(cancel, error, sizeof error), 1) << error;
    return here.answered();
  }));
  PQfreeCancel(cancel);
  EXPECT_EQ(here.collect().brief(), "57014");
  EXPECT_EQ(here.run("SELECT 1").brief(), "ok SELECT 1: 1");
}

TEST_F(catalog, column_is_added) {
  start();
  link here = through();
  EXPECT_TRUE(here.prepare("debit", "UPDATE wallets SET balance = balance - $1 WHERE id = 1").ok());
  ASSERT_TRUE(here.run("ALTER TABLE wallets ADD COLUMN colour text DEFAULT 'red'").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -1 WHERE colour = 'red'").brief(), "23514");
  EXPECT_EQ(debit(here, true), "23514");
  EXPECT_EQ(here.run_prepared("debit", {"1000"}).brief(), "23514");
  ASSERT_TRUE(here.run("BEGIN; SELECT * FROM wallets WHERE id = 2").ok());
  EXPECT_EQ(locked_ids(), "2");
}

TEST_F(catalog, primary_key_changes) {
  start();
  link here = through();
  ASSERT_TRUE(direct()
                  .run("ALTER TABLE wallets DROP CONSTRAINT wallets_pkey; ALTER TABLE wallets ADD PRIMARY "
                       "KEY (user_id)")
                  .ok());
  EXPECT_EQ(debit(here, false), "23514");
  EXPECT_EQ(debit(here, true), "23514");
  ASSERT_TRUE(here.run("BEGIN; SELECT balance FROM wallets WHERE user_id = 20").ok());
  EXPECT_EQ(locked_ids(), "2");
}

TEST_F(catalog, column_changes_its_type) {
  start();
  link here = through();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 0.5 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("ALTER TABLE wallets ALTER balance TYPE bigint, ALTER id TYPE text").ok());
  EXPECT_TRUE(eventually([&] {
    return here.run("UPDATE wallets SET balance = balance - 1000 WHERE id = '1'").brief() == "23514";
  }));
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"-1", "1"}).brief(), "23514");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"1", "1"}).brief(), "ok UPDATE 1");
}

TEST_F(catalog, table_is_made_anew) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("DROP TABLE wallets").ok());
  EXPECT_EQ(debit(here, false), "42P01");
  ASSERT_TRUE(here.run("CREATE TABLE wallets (number int PRIMARY KEY, id int, balance int)").ok());
  ASSERT_TRUE(direct().run("INSERT INTO wallets VALUES (1, 1, 100)").ok());
  EXPECT_TRUE(eventually([&] { return debit(here, false) == "23514"; }));
  EXPECT_EQ(debit(here, true), "23514");
}

TEST_F(catalog, table_that_has_just_been_made_is_guarded_at_once) {
  start(wallet_rule() +
        "[[rule]]\nname = \"savings\"\ntable = \"savings\"\ncolumns = [\"balance\"]\nmin = 0\n");
  link here = through();
  ASSERT_TRUE(here.run("CREATE TABLE savings AS SELECT * FROM wallets").ok());
  ASSERT_TRUE(here.run("ALTER TABLE savings ADD PRIMARY KEY (id)").ok());
  EXPECT_EQ(here.run("UPDATE savings SET balance = -1 WHERE id = 1").brief(), "23514");
}

// What a transaction has changed and not committed, nobody else can see: such a statement is refused by
// PostgreSQL, since its hidden part names what is gone, and never passes unguarded.
TEST_F(catalog, key_is_renamed_in_the_same_transaction) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; ALTER TABLE wallets RENAME COLUMN id TO number").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 5 WHERE number = 1").brief(), "42703");
  EXPECT_EQ(here.run("ROLLBACK").brief(), "ok ROLLBACK");
  EXPECT_EQ(debit(here, false), "23514");
}

TEST_F(catalog, key_is_renamed_through_the_proxy) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("ALTER TABLE wallets RENAME COLUMN id TO number").ok());
  EXPECT_TRUE(eventually(
      [&] { return here.run("UPDATE wallets SET balance = -1 WHERE number = 1").brief() == "23514"; }));
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE number = 1", {"5"}).brief(), "ok UPDATE 1");
}

TEST_F(catalog, key_is_renamed_behind_its_back) {
  start();
  link here = through();
  ASSERT_TRUE(direct().run("ALTER TABLE wallets RENAME COLUMN id TO number").ok());
  EXPECT_TRUE(eventually(
      [&] { return here.run("UPDATE wallets SET balance = -1 WHERE number = 1").brief() == "23514"; },
      std::chrono::seconds{20}));
}

TEST_F(catalog, database_can_be_dropped_while_it_is_known) {
  start();
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_server_connections") == 0; }));
  link admin(cluster::conninfo("postgres"));
  EXPECT_TRUE(eventually([&] {
    return value(admin,
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database_->name() + "'") == "0";
  }));
}

TEST_F(catalog, metrics_have_the_names_that_are_promised) {
  start();
  link here = through();
  EXPECT_EQ(debit(here, false), "23514");
  ASSERT_TRUE(here.run("BEGIN; SELECT balance FROM wallets WHERE id = 1; COMMIT").ok());
  ASSERT_TRUE(here.run("DELETE FROM wallets WHERE id = 99").ok());
  int status = 0;
  const std::string page = proxy_->page("/metrics", status);
  const char* const names[] = {"build_info{",
                               "client_connections ",
                               "server_connections ",
                               "statements_total{",
                               "bounds_rejections_total{",
                               "unguarded_total{",
                               "lock_wait_seconds_bucket{",
                               "overhead_seconds_bucket{",
                               "plan_cache_hits_total ",
                               "plan_cache_misses_total ",
                               "catalog_age_seconds{",
                               "bytes_total{direction=",
                               "errors_total{sqlstate=",
                               "reloads_total{result="};
  for (const std::string name : names) EXPECT_NE(page.find("\npgteller_" + name), std::string::npos) << name;
  EXPECT_EQ(proxy_->metric("pgteller_client_connections "), 1);
  EXPECT_GE(proxy_->metric("pgteller_errors_total{sqlstate=\"23514\"}"), 1);
  EXPECT_EQ(page.find("owner 1"), std::string::npos);
}

}  // namespace
}  // namespace e2e
