// [[once]]: of two INSERTs with the same key the second fails with 23505, though the table has no unique
// index; PostgreSQL alone would take both. Two at the same moment meet at a lock that is taken before the
// snapshot which looks for the key.
#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

class once : public shape_stage {
 protected:
  void SetUp() override {
    shape_stage::SetUp();
    const reply made = direct().run(
        "CREATE TABLE payments (id bigserial PRIMARY KEY, order_id bigint, kind text DEFAULT 'credit', "
        "amount "
        "numeric(12,2)); CREATE INDEX ON payments (order_id)");
    ASSERT_TRUE(made.ok()) << made.message();
  }

  void start_once(const std::string& key = "\"order_id\"") {
    start("[[once]]\nname = \"one-payment\"\ntable = \"payments\"\nkey = [" + key + "]\n");
  }

  void expect_duplicate(const reply& got, const std::string& key = "7") {
    EXPECT_EQ(got.field(PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR");
    EXPECT_EQ(got.sqlstate(), "23505") << got.brief() << got.message();
    EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "one-payment");
    EXPECT_EQ(got.field(PG_DIAG_SCHEMA_NAME), "public");
    EXPECT_EQ(got.field(PG_DIAG_TABLE_NAME), "payments");
    EXPECT_NE(got.field(PG_DIAG_MESSAGE_DETAIL).find("(" + key + ")"), std::string::npos);
    EXPECT_EQ(got.field(PG_DIAG_CONTEXT), "");
  }

  // Whatever commits anywhere in the cluster (autovacuum, say) while a REPEATABLE READ transaction takes the
  // key's lock may have brought the row unseen: 40001, and the application tries again.
  static std::string begin_and_pay(link& here, const std::string& level) {
    std::string got = "40001";
    for (int i = 0; i < 10 && got == "40001"; ++i) {
      static_cast<void>(here.run("ROLLBACK"));
      EXPECT_TRUE(here.run("BEGIN ISOLATION LEVEL " + level).ok());
      got = here.run("INSERT INTO payments (order_id, amount) VALUES (7, 5)").brief();
    }
    return got;
  }

  std::string count(const std::string& where = "true") {
    link here = direct();
    return value(here, "SELECT count(*) FROM payments WHERE " + where);
  }
};

std::string pay(const std::string& order) {
  return "INSERT INTO payments (order_id, amount) VALUES (" + order + ", 5)";
}
const std::string pay_extended = "INSERT INTO payments (order_id, amount) VALUES ($1, $2)";

TEST_F(once, second_insert_in_autocommit) {
  start_once();
  link here = through();
  EXPECT_EQ(here.run(pay("7")).brief(), "ok INSERT 0 1");
  expect_duplicate(here.run(pay("7")));
  expect_duplicate(here.run(pay_extended, {"7", "5"}));
  expect_duplicate(here.run(pay("7") + " RETURNING id"));
  ASSERT_TRUE(here.prepare("pay", pay_extended).ok());
  expect_duplicate(here.run_prepared("pay", {"7", "5"}));
  EXPECT_EQ(here.run_prepared("pay", {"8", "5"}).brief(), "ok INSERT 0 1");
  expect_duplicate(here.run_prepared("pay", {"8", "5"}), "8");
  EXPECT_EQ(here.block(), PQTRANS_IDLE);
  link other = through();
  expect_duplicate(other.run(pay("8")), "8");
  EXPECT_EQ(other.run(pay("9")).brief(), "ok INSERT 0 1");
  EXPECT_EQ(count(), "3");
  EXPECT_EQ(settled(*proxy_, "pgteller_conflicts_total{cause=\"duplicate\"", 6), 6);
}

TEST_F(once, row_that_was_there_before_and_row_that_another_way_brought) {
  ASSERT_TRUE(direct().run(pay("7")).ok());
  start_once();
  link here = through();
  expect_duplicate(here.run(pay("7")));
  ASSERT_TRUE(direct().run(pay("8")).ok());
  expect_duplicate(here.run(pay_extended, {"8", "1"}), "8");
  ASSERT_TRUE(direct().run("DELETE FROM payments").ok());
  EXPECT_EQ(here.run(pay("7")).brief(), "ok INSERT 0 1");
}

TEST_F(once, second_insert_in_a_transaction_fails_it) {
  start_once();
  link here = through();
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run(pay("7")).brief(), "ok INSERT 0 1");
  ASSERT_TRUE(here.run("UPDATE wallets SET balance = balance + 5 WHERE id = 1").ok());
  expect_duplicate(here.run(pay_extended, {"7", "5"}));
  EXPECT_EQ(here.block(), PQTRANS_INERROR);
  EXPECT_EQ(here.run("SELECT 1").brief(), "25P02");
  EXPECT_EQ(here.run("COMMIT").brief(), "ok ROLLBACK");
  EXPECT_EQ(count(), "0");
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(once, string_of_several_statements_is_undone_as_a_whole) {
  start_once();
  link here = through();
  expect_duplicate(here.run("UPDATE wallets SET balance = 1 WHERE id = 1; " + pay("7") + "; " + pay("7")));
  EXPECT_EQ(count(), "0");
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(once, rest_of_a_pipeline_is_skipped) {
  start_once();
  link here = through();
  ASSERT_TRUE(here.run(pay("7")).ok());
  ASSERT_EQ(PQenterPipelineMode(here.raw()), 1);
  here.begin("UPDATE wallets SET balance = balance + 5 WHERE id = $1", {"1"});
  here.begin(pay_extended, {"7", "5"});
  here.begin(pay_extended, {"8", "5"});
  ASSERT_EQ(PQpipelineSync(here.raw()), 1);
  here.begin(pay_extended, {"9", "5"});
  ASSERT_EQ(PQpipelineSync(here.raw()), 1);
  EXPECT_EQ(here.collect().brief(), "ok UPDATE 1");
  expect_duplicate(here.collect());
  EXPECT_EQ(here.collect().brief(), "aborted");
  EXPECT_EQ(here.collect().brief(), "sync");
  EXPECT_EQ(here.collect().brief(), "ok INSERT 0 1");
  EXPECT_EQ(here.collect().brief(), "sync");
  ASSERT_EQ(PQexitPipelineMode(here.raw()), 1);
  EXPECT_EQ(count("order_id = 9"), "1");
  EXPECT_EQ(count(), "2");
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(once, rows_of_one_insert) {
  start_once();
  link here = through();
  EXPECT_EQ(here.run("INSERT INTO payments (order_id) VALUES (1), (2), (3)").brief(), "ok INSERT 0 3");
  expect_duplicate(here.run("INSERT INTO payments (order_id) VALUES (4), (2), (5)"), "2");
  expect_duplicate(here.run("INSERT INTO payments (order_id) VALUES ($1), ($2)", {"6", "3"}), "3");
  EXPECT_EQ(here.run("INSERT INTO payments (order_id) VALUES (8), (9), (8)").brief(), "23505")
      << "twice in the same statement";
  EXPECT_EQ(here.run("INSERT INTO payments (order_id) VALUES ($1), ($2)", {"8", "8"}).brief(), "23505");
  EXPECT_EQ(count(), "3");
}

TEST_F(once, rows_without_a_key_are_not_concerned) {
  start_once();
  link here = through();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(here.run(pay("NULL")).brief(), "ok INSERT 0 1");
    EXPECT_EQ(here.run(pay_extended, {std::nullopt, "5"}).brief(), "ok INSERT 0 1");
    EXPECT_EQ(here.run("INSERT INTO payments (amount) VALUES (3)").brief(), "ok INSERT 0 1");
  }
  EXPECT_EQ(count(), "6");
}

TEST_F(once, key_of_two_columns) {
  start_once("\"order_id\", \"kind\"");
  link here = through();
  const std::string sql = "INSERT INTO payments (kind, order_id) VALUES ($1, $2)";
  EXPECT_EQ(here.run(sql, {"credit", "7"}).brief(), "ok INSERT 0 1");
  EXPECT_EQ(here.run(sql, {"refund", "7"}).brief(), "ok INSERT 0 1");
  EXPECT_EQ(here.run(sql, {"refund", "8"}).brief(), "ok INSERT 0 1");
  EXPECT_EQ(here.run(sql, {"refund", "7"}).brief(), "23505");
  EXPECT_EQ(here.run(sql, {std::nullopt, "7"}).brief(), "ok INSERT 0 1");
  EXPECT_EQ(here.run(sql, {std::nullopt, "7"}).brief(), "ok INSERT 0 1");
  EXPECT_EQ(count(), "5");
  // What PostgreSQL fills in by itself is not known before; it does not pass silently.
  EXPECT_EQ(here.run(pay("7")).brief(), "ok INSERT 0 1");
  EXPECT_EQ(settled(*proxy_, "pgteller_unguarded_total{reason=\"expression\",rule=\"one-payment\"", 1), 1);
}

TEST_F(once, both_at_the_same_moment) {
  start_once();
  for (const std::string level : {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}) {
    SCOPED_TRACE(level);
    ASSERT_TRUE(direct().run("DELETE FROM payments").ok());
    link first = through();
    link second = through();
    ASSERT_EQ(begin_and_pay(first, level), "ok INSERT 0 1");
    second.begin(pay_extended, {"7", "5"});
    ASSERT_TRUE(waits_for_lock(second)) << "nobody knows yet";
    ASSERT_EQ(first.run("COMMIT").brief(), "ok COMMIT");
    expect_duplicate(second.collect());
    EXPECT_EQ(count(), "1");
  }
}

TEST_F(once, rollback_frees_the_key) {
  start_once();
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; " + pay("7")).ok());
  second.begin(pay("7"));
  ASSERT_TRUE(waits_for_lock(second));
  ASSERT_TRUE(first.run("ROLLBACK").ok());
  EXPECT_EQ(second.collect().brief(), "ok INSERT 0 1");
  EXPECT_EQ(count(), "1");
  ASSERT_TRUE(first.run("BEGIN; SAVEPOINT a; " + pay("8")).ok());
  ASSERT_TRUE(first.run("ROLLBACK TO a").ok());
  EXPECT_EQ(first.run(pay("8")).brief(), "ok INSERT 0 1");
  EXPECT_EQ(first.run("COMMIT").brief(), "ok COMMIT");
  EXPECT_EQ(count("order_id = 8"), "1");
}

TEST_F(once, snapshot_that_is_older_than_the_others_row) {
  start_once();
  for (const std::string level : {"REPEATABLE READ", "SERIALIZABLE"}) {
    SCOPED_TRACE(level);
    ASSERT_TRUE(direct().run("DELETE FROM payments").ok());
    link first = through();
    link second = through();
    ASSERT_TRUE(second.run("BEGIN ISOLATION LEVEL " + level).ok());
    ASSERT_EQ(second.run("SELECT count(*) FROM payments").text(), "0");  // its snapshot
    ASSERT_EQ(first.run(pay("7")).brief(), "ok INSERT 0 1");
    const std::string got = second.run(pay("7")).brief();
    EXPECT_TRUE(got == "23505" || got == "40001") << got << ": it cannot see the other's row";
    EXPECT_EQ(second.block(), PQTRANS_INERROR);
    ASSERT_TRUE(second.run("ROLLBACK").ok());
    EXPECT_EQ(count(), "1");
  }
}

TEST_F(once, what_the_client_decides_by_itself_is_left_alone) {
  ASSERT_TRUE(direct().run("CREATE UNIQUE INDEX ON payments (order_id)").ok());
  start_once();
  link here = through();
  ASSERT_TRUE(here.run(pay("7")).ok());
  EXPECT_EQ(here.run(pay("7") + " ON CONFLICT (order_id) DO NOTHING").brief(), "ok INSERT 0 0");
  EXPECT_EQ(here.run(pay("7") + " ON CONFLICT (order_id) DO UPDATE SET amount = 6").brief(), "ok INSERT 0 1");
  expect_duplicate(here.run(pay("7")));
}

TEST_F(once, replies_are_those_of_postgresql) {
  start_once();
  const std::vector<step> steps{
      {query(pay("1"))},
      {one_batch(pay_extended + " RETURNING order_id, amount", {"2", "5"})},
      {query("BEGIN; " + pay("3") + "; SELECT 3; COMMIT")},
      {parse("s", pay_extended) + describe('S', "s") + sync()},
      {bind("", "s", {"4", "5"}) + execute("") + bind("", "s", {"x", "5"}) + execute("") + sync()},
  };
  wire straight(cluster::host(), cluster::port());
  ASSERT_TRUE(straight.start(database_->name()));
  const auto without_places = [](messages all) {
    for (std::string& each : all) {
      if (each[0] == 'E') each = error_field(each, 'C') + error_field(each, 'M');
    }
    return texts(all);
  };
  const std::string expected = without_places(play(straight, steps));
  ASSERT_TRUE(direct().run("DELETE FROM payments").ok());
  EXPECT_EQ(without_places(play(*proxied(), steps)), expected);
}

}  // namespace
}  // namespace e2e
