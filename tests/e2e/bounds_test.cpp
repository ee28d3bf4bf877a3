// A write that breaks a bound is refused by PostgreSQL itself: nothing of it, nor of what is pipelined behind
// it, happens; the error says which rule, table and column.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

class bounds : public stage {};

void expect_all_fields(const reply& refused) {
  EXPECT_EQ(refused.field(PG_DIAG_SEVERITY), "ERROR");
  EXPECT_EQ(refused.field(PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR");
  EXPECT_EQ(refused.sqlstate(), "23514");
  EXPECT_EQ(refused.field(PG_DIAG_SCHEMA_NAME), "public");
  EXPECT_EQ(refused.field(PG_DIAG_TABLE_NAME), "wallets");
  EXPECT_EQ(refused.field(PG_DIAG_COLUMN_NAME), "balance");
  EXPECT_EQ(refused.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
  EXPECT_NE(refused.field(PG_DIAG_MESSAGE_PRIMARY), "");
  EXPECT_NE(refused.field(PG_DIAG_MESSAGE_DETAIL), "");
  EXPECT_NE(refused.field(PG_DIAG_MESSAGE_HINT), "");
  EXPECT_EQ(refused.field(PG_DIAG_CONTEXT), "");
  EXPECT_EQ(refused.field(PG_DIAG_MESSAGE_DETAIL).find("100.00"), std::string::npos) << "log.values is false";
}

TEST_F(bounds, error_in_autocommit_has_all_fields) {
  start();
  link here = through();
  expect_all_fields(here.run("UPDATE wallets SET balance = balance - 100.01 WHERE id = 1"));
  EXPECT_EQ(here.block(), PQTRANS_IDLE);
  expect_all_fields(here.run("UPDATE wallets SET balance = balance - $1 WHERE id = $2", {"100.01", "1"}));
  expect_all_fields(here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"-0.01", "1"}));
  expect_all_fields(here.run("UPDATE wallets SET balance = round(balance / 3) - 40 WHERE id = 1"));
  EXPECT_EQ(here.block(), PQTRANS_IDLE);
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 100 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "0.00");
  EXPECT_EQ(proxy_->metric("pgteller_bounds_rejections_total{rule=\"wallet-balance\"}"), 4);
}

TEST_F(bounds, transaction_is_in_state_failed) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance + 5 WHERE id = 2").brief(), "ok UPDATE 1");
  expect_all_fields(here.run("UPDATE wallets SET balance = balance - 200 WHERE id = 1"));
  EXPECT_EQ(here.block(), PQTRANS_INERROR);
  EXPECT_EQ(here.run("SELECT 1").brief(), "25P02");
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").brief(), "25P02");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok ROLLBACK");
  EXPECT_EQ(here.block(), PQTRANS_IDLE);
  EXPECT_EQ(balance(2), "100.00");
}

TEST_F(bounds, savepoint_survives_a_refused_write) {
  start();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  ASSERT_TRUE(here.run("UPDATE wallets SET balance = balance - 1 WHERE id = 1").ok());
  ASSERT_TRUE(here.run("SAVEPOINT a").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - $1 WHERE id = 1", {"200"}).brief(), "23514");
  EXPECT_EQ(here.block(), PQTRANS_INERROR);
  ASSERT_TRUE(here.run("ROLLBACK TO a").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - $1 WHERE id = 1", {"9"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok COMMIT");
  EXPECT_EQ(balance(1), "90.00");
}

TEST_F(bounds, rest_of_a_pipeline_is_aborted_to_its_sync) {
  start();
  link here = through();
  ASSERT_EQ(PQenterPipelineMode(here.raw()), 1);
  here.begin("UPDATE wallets SET balance = balance - 1 WHERE id = $1", {"1"});
  here.begin("UPDATE wallets SET balance = balance - 200 WHERE id = $1", {"2"});
  here.begin("UPDATE wallets SET balance = balance - 1 WHERE id = $1", {"3"});
  here.begin("SELECT 7", {});
  ASSERT_EQ(PQpipelineSync(here.raw()), 1);
  here.begin("SELECT balance FROM wallets WHERE id = $1", {"1"});
  ASSERT_EQ(PQpipelineSync(here.raw()), 1);
  EXPECT_EQ(here.collect().brief(), "ok UPDATE 1");
  expect_all_fields(here.collect());
  EXPECT_EQ(here.collect().brief(), "aborted");
  EXPECT_EQ(here.collect().brief(), "aborted");
  EXPECT_EQ(here.collect().brief(), "sync");
  EXPECT_EQ(here.collect().brief(), "ok SELECT 1: 100.00");
  EXPECT_EQ(here.collect().brief(), "sync");
  ASSERT_EQ(PQexitPipelineMode(here.raw()), 1);
  EXPECT_EQ(balance(1) + balance(2) + balance(3), "100.00100.00100.00");
}

TEST_F(bounds, one_bad_row_refuses_all_rows) {
  start();
  link here = through();
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 5 WHERE id = 7").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 10").brief(), "23514");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - $1 WHERE id > $2", {"10", "5"}).brief(),
            "23514");
  EXPECT_EQ(value(here, "SELECT sum(balance) FROM wallets"), "905.00");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 10 WHERE id < 6 RETURNING id").rows(), 5);
  EXPECT_EQ(value(here, "SELECT sum(balance) FROM wallets"), "855.00");
}

TEST_F(bounds, second_statement_of_a_string_undoes_the_first) {
  start();
  link here = through();
  here.begin(
      "UPDATE wallets SET balance = balance - 10 WHERE id = 1; "
      "UPDATE wallets SET balance = balance - 1000 WHERE id = 2; SELECT 1");
  EXPECT_EQ(here.next().brief(), "ok UPDATE 1");
  expect_all_fields(here.next());
  EXPECT_FALSE(here.next().there());
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(bounds, prepared_write_in_a_transaction) {
  start();
  link here = through();
  EXPECT_TRUE(here.prepare("debit", "UPDATE wallets SET balance = balance - $1 WHERE id = $2").ok());
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run_prepared("debit", {"60", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run_prepared("debit", {"60", "1"}).brief(), "23514");
  EXPECT_EQ(here.run("ROLLBACK").brief(), "ok ROLLBACK");
}

TEST_F(bounds, what_is_not_guarded_yet_is_counted) {
  start();
  link here = through();
  const char* const statements[] = {
      "UPDATE wallets SET balance = (SELECT 1) WHERE id = 1",
      "INSERT INTO wallets VALUES (11, 110, 'new', 5) ON CONFLICT (id) DO UPDATE SET balance = 5",
      "DELETE FROM wallets WHERE id = 11",
      "WITH w AS (UPDATE wallets SET balance = 3 WHERE id = 2 RETURNING 1) SELECT * FROM w",
      "TRUNCATE wallets",
  };
  for (const char* const sql : statements) {
    const double before = proxy_->metric("pgteller_unguarded_total{");
    EXPECT_TRUE(here.run(sql).ok()) << sql;
    EXPECT_EQ(proxy_->metric("pgteller_unguarded_total{"), before + 1) << sql;
  }
}

TEST_F(bounds, ceiling_is_refused_like_floor) {
  start(
      "[[rule]]\nname = \"both\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\nmin = \"-10.50\"\n"
      "max = \"150.25\"\n");
  link here = through();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 150.25 WHERE id = 1").brief(), "ok UPDATE 1");
  const reply above = here.run("UPDATE wallets SET balance = 150.26 WHERE id = 1");
  EXPECT_EQ(above.brief(), "23514");
  EXPECT_EQ(above.field(PG_DIAG_CONSTRAINT_NAME), "both");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -10.50 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -10.51 WHERE id = 1").brief(), "23514");
  // Judged after rounding to the column's type, as PostgreSQL would store it.
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"-10.504"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "-10.50");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"-10.505"}).brief(), "23514");
}

TEST_F(bounds, null_is_no_breach) {
  start();
  link here = through();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = NULL WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 500 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = COALESCE(balance, 0) - 1 WHERE id = 1").brief(), "23514");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {std::nullopt}).brief(), "ok UPDATE 1");
}

TEST_F(bounds, shapes_of_updates) {
  start();
  link here = through();
  const char* const breaches[] = {
      "UPDATE ONLY wallets SET balance = balance - 101 WHERE id = 1",
      "UPDATE public.wallets AS w SET balance = w.balance - 101 WHERE w.id = 1",
      "update \"wallets\" set \"balance\" = -1 where id in (1, 2)",
      "UPDATE wallets SET (owner, balance) = ('x', -1) WHERE id = 1",
      "UPDATE wallets SET owner = 'x', balance = balance - 101 WHERE user_id = 10 RETURNING *",
      "UPDATE wallets SET balance = balance - o.id * 60 FROM orders o WHERE o.wallet_id = wallets.id AND "
      "o.id = 2",
      "UPDATE wallets SET balance = balance - 101 WHERE id = (SELECT wallet_id FROM orders WHERE id = 3)",
      "UPDATE wallets SET balance = CASE WHEN id = 1 THEN -1 ELSE balance END",
      "/* a */ UPDATE wallets -- b\n SET balance = balance - 101 /* c */ WHERE id = 1 -- d",
  };
  for (const char* const sql : breaches) EXPECT_EQ(here.run(sql).brief(), "23514") << sql;
  for (const char* const sql : breaches) EXPECT_EQ(here.run(sql, {}).brief(), "23514") << sql;
  EXPECT_EQ(value(here, "SELECT sum(balance) FROM wallets"), "1000.00");
}

TEST_F(bounds, parameters_in_binary) {
  start();
  link here = through();
  const std::string sql = "UPDATE wallets SET balance = balance - $1 WHERE id = $2";
  const auto debit = [&](Oid type, const std::string& amount, Oid key_type, const std::string& key) {
    const Oid types[] = {type, key_type};
    const char* values[] = {amount.data(), key.data()};
    const int lengths[] = {static_cast<int>(amount.size()), static_cast<int>(key.size())};
    const int formats[] = {1, 1};
    return reply(PQexecParams(here.raw(), sql.c_str(), 2, types, values, lengths, formats, 0)).brief();
  };
  using namespace std::string_literals;
  const std::string one2 = "\0\1"s;
  const std::string one4 = "\0\0\0\1"s;
  const std::string one8 = "\0\0\0\0\0\0\0\1"s;
  EXPECT_EQ(debit(21, "\0\x0a"s, 21, one2), "ok UPDATE 1");                    // int2: 10
  EXPECT_EQ(debit(23, "\0\0\0\x0a"s, 23, one4), "ok UPDATE 1");                // int4
  EXPECT_EQ(debit(20, "\0\0\0\0\0\0\0\x0a"s, 20, one8), "ok UPDATE 1");        // int8
  EXPECT_EQ(debit(1700, "\0\1\0\0\0\0\0\0\0\x0a"s, 20, one8), "ok UPDATE 1");  // numeric
  EXPECT_EQ(debit(0, "\0\1\0\0\0\0\0\0\0\x0a"s, 0, one8), "ok UPDATE 1");      // left to the server
  EXPECT_EQ(balance(1), "50.00");
  EXPECT_EQ(debit(21, "\0\x33"s, 21, one2), "23514");
  EXPECT_EQ(debit(23, "\0\0\0\x33"s, 23, one4), "23514");
  EXPECT_EQ(debit(20, "\0\0\0\0\0\0\0\x33"s, 20, one8), "23514");
  EXPECT_EQ(debit(1700, "\0\1\0\0\0\0\0\0\0\x33"s, 20, one8), "23514");
  EXPECT_EQ(debit(0, "\0\1\0\0\0\0\0\0\0\x33"s, 0, one8), "23514");
  EXPECT_EQ(balance(1), "50.00");
}

}  // namespace
}  // namespace e2e
