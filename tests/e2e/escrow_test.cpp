// strategy = "escrow": what a client writes is put on the newest value, by PostgreSQL, in the column's own
// type. Each test changes the balance between read and write; a write that were merely passed on would lose
// that change, and one that were merely validated would fail.
#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

constexpr char debit_25[] = "UPDATE wallets SET balance = balance - 25 WHERE id = 1";

class escrow : public shape_stage {
 protected:
  void SetUp() override {
    shape_stage::SetUp();
    ASSERT_TRUE(direct()
                    .run("CREATE TABLE stock (id int PRIMARY KEY, quantity int, held bigint);"
                         "INSERT INTO stock SELECT i, 50, 50 FROM generate_series(1, 5) AS i")
                    .ok());
    start(wallet_rule("strategy = \"escrow\"") +
          "[[rule]]\nname = \"stock\"\ntable = \"stock\"\ncolumns = [\"quantity\", \"held\"]\n"
          "strategy = \"escrow\"\nmin = 0\n");
  }

  void change(const std::string& sql) { ASSERT_TRUE(direct().run(sql).ok()) << sql; }

  std::string stock(int id) {
    link here = direct();
    return value(here, "SELECT quantity || '|' || held FROM stock WHERE id = " + std::to_string(id));
  }
};

const std::string read_1 = "SELECT balance FROM wallets WHERE id = 1";
const std::string write_1 = "UPDATE wallets SET balance = $1 WHERE id = $2";

TEST_F(escrow, every_shape_undisturbed) {
  for (const client_shape& shape : client_shapes()) {
    SCOPED_TRACE(shape.name);
    expect_same(shape);
  }
}

TEST_F(escrow, every_shape_of_one_row_keeps_both_changes) {
  double count = 0;
  for (const client_shape& shape : client_shapes()) {
    SCOPED_TRACE(shape.name);
    begin_anew();
    const auto here = proxied();
    static_cast<void>(play(*here, shape.read));
    change(debit_25);
    const messages got = play(*here, shape.write);
    if (shape.rereads) {
      expect_stale(got, shape);
      EXPECT_EQ(balance(1), "75.00");
    } else if (shape.name != "written by another column than read") {
      EXPECT_EQ(balance(1), "65.00") << texts(got);
      EXPECT_EQ(texts(got).find("ErrorResponse"), std::string::npos) << texts(got);
      ++count;
    } else {
      expect_stale(got, shape);  // which row is meant is known to PostgreSQL only
    }
  }
  EXPECT_GT(count, 20);
}

TEST_F(escrow, simple_extended_and_prepared) {
  link here = through();
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  change(debit_25);
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 90 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "65.00");
  ASSERT_EQ(here.run(read_1, {}).text(), "65.00");
  change(debit_25);
  EXPECT_EQ(here.run(write_1, {"60", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "35.00");
  ASSERT_TRUE(here.prepare("read", "SELECT balance FROM wallets WHERE id = $1").ok());
  ASSERT_TRUE(here.prepare("write", write_1).ok());
  ASSERT_EQ(here.run_prepared("read", {"1"}).text(), "35.00");
  change("UPDATE wallets SET balance = balance - 10 WHERE id = 1");
  EXPECT_EQ(here.run_prepared("write", {"30", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "20.00");
  change("UPDATE wallets SET balance = balance + 1 WHERE id = 1");
  EXPECT_EQ(here.run_prepared("write", {"29", "1"}).brief(), "ok UPDATE 1")
      << "the client believes in the 30.00 that it wrote: it takes off one more";
  EXPECT_EQ(balance(1), "20.00");
  EXPECT_EQ(settled(*proxy_, "pgteller_statements_total{action=\"rebase\",kind=\"absolute\"", 4), 4);
}

TEST_F(escrow, floats_are_rounded_to_the_columns_type_first) {
  link here = through();
  change("UPDATE wallets SET balance = 368.46 WHERE id < 4");
  for (const int id : {1, 2, 3}) {
    const std::string key = std::to_string(id);
    ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = " + key).text(), "368.46");
    change("UPDATE wallets SET balance = balance + 10.01 WHERE id = " + key);
  }
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 365.21999999999997 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run(write_1, {"365.21999999999997", "2"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1::float8 WHERE id = 3", {"365.21999999999997"}).brief(),
            "ok UPDATE 1");
  for (const int id : {1, 2, 3}) EXPECT_EQ(balance(id), "375.23") << id;
}

TEST_F(escrow, integers) {
  link here = through();
  ASSERT_EQ(here.run("SELECT * FROM stock WHERE id = $1", {"1"}).brief(), "ok SELECT 1: 1|50|50");
  change("UPDATE stock SET quantity = quantity - 7, held = held + 7 WHERE id = 1");
  EXPECT_EQ(here.run("UPDATE stock SET quantity = $1, held = $2 WHERE id = $3", {"49", "51", "1"}).brief(),
            "ok UPDATE 1");
  EXPECT_EQ(stock(1), "42|58");
  ASSERT_EQ(here.run("SELECT held FROM stock WHERE id = 2").text(), "50");
  change("UPDATE stock SET quantity = 1, held = 60 WHERE id = 2");
  EXPECT_EQ(here.run("UPDATE stock SET held = 45 WHERE id = 2").brief(), "ok UPDATE 1");
  EXPECT_EQ(stock(2), "1|55");
}

TEST_F(escrow, bounds_hold_for_the_result) {
  link here = through();
  for (const bool extended : {false, true}) {
    change("UPDATE wallets SET balance = 100 WHERE id = 1");
    ASSERT_EQ(here.run(read_1).text(), "100.00");
    change("UPDATE wallets SET balance = 5 WHERE id = 1");
    const reply got =
        extended ? here.run(write_1, {"90", "1"}) : here.run("UPDATE wallets SET balance = 90 WHERE id = 1");
    EXPECT_EQ(got.brief(), "23514") << extended;
    EXPECT_EQ(got.field(PG_DIAG_CONSTRAINT_NAME), "wallet-balance");
    EXPECT_EQ(got.field(PG_DIAG_TABLE_NAME), "wallets");
    EXPECT_EQ(got.field(PG_DIAG_COLUMN_NAME), "balance");
    EXPECT_EQ(balance(1), "5.00");
  }
  // What would be below the floor by itself is fine on what is there now.
  change("UPDATE wallets SET balance = 100 WHERE id = 2");
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 2").text(), "100.00");
  change("UPDATE wallets SET balance = 300 WHERE id = 2");
  EXPECT_EQ(here.run(write_1, {"-20", "2"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(2), "180.00");
}

TEST_F(escrow, result_beyond_the_type_is_22003) {
  link here = through();
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").text(), "100.00");
  change("UPDATE wallets SET balance = 9999999999.00 WHERE id = 1");
  EXPECT_EQ(here.run(write_1, {"101", "1"}).brief(), "22003");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 101 WHERE id = 1").brief(), "22003");
  ASSERT_EQ(here.run("SELECT quantity FROM stock WHERE id = 1").text(), "50");
  change("UPDATE stock SET quantity = 2147483647 WHERE id = 1");
  EXPECT_EQ(here.run("UPDATE stock SET quantity = $1 WHERE id = 1", {"51"}).brief(), "22003");
  EXPECT_EQ(balance(1), "9999999999.00");
  EXPECT_EQ(stock(1), "2147483647|50");
}

TEST_F(escrow, described_statement_is_the_clients_own) {
  link here = through();
  link straight = direct();
  for (link* each : {&here, &straight}) {
    ASSERT_TRUE(
        each->prepare("write", "UPDATE wallets SET balance = $1, owner = $3 WHERE id = $2 RETURNING *").ok());
  }
  const auto described = [](link& who) {
    PGresult* got = PQdescribePrepared(who.raw(), "write");
    std::string made;
    for (int i = 0; i < PQnparams(got); ++i) made += std::to_string(PQparamtype(got, i)) + " ";
    for (int i = 0; i < PQnfields(got); ++i) made += std::string(PQfname(got, i)) + " ";
    PQclear(got);
    return made;
  };
  EXPECT_EQ(described(here), described(straight));
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  EXPECT_EQ(described(here), described(straight)) << "with a read on record";
  EXPECT_EQ(here.run_prepared("write", {"90", "1"}).brief(), "08P01") << "as many parameters as it has";
  EXPECT_EQ(here.run_prepared("write", {"90", "1", "x"}).brief(), "ok UPDATE 1: 1|10|x|90.00");
}

TEST_F(escrow, errors_have_the_clients_positions) {
  link here = through();
  link straight = direct();
  const auto facts = [](const reply& got) {
    return got.sqlstate() + " at " + got.field(PG_DIAG_STATEMENT_POSITION) + " " +
           got.field(PG_DIAG_MESSAGE_PRIMARY) + "/" + got.field(PG_DIAG_MESSAGE_HINT) + "/" +
           got.field(PG_DIAG_MESSAGE_DETAIL) + "/" + got.field(PG_DIAG_INTERNAL_QUERY);
  };
  for (const std::string sql : {
           "UPDATE wallets SET balance = 90, nothing = 1 WHERE id = 1",
           "UPDATE wallets SET balance = 90, owner = nothing WHERE id = 1",
           "UPDATE wallets SET balance = 'x', owner = 'y' WHERE id = 1",
           "UPDATE wallets SET balance = 90 WHERE id = 1 AND nothing = 2",
           "UPDATE wallets SET owner = '\xc3\xa4', balance = 90 WHERE id = 1 RETURNING nothing",
           "UPDATE wallets SET balance = 90 WHERE id = 1 RETURNING 1 / 0",
           "UPDATE wallets SET balance = 99999999999999 WHERE id = 1",
       }) {
    ASSERT_EQ(here.run(read_1).text(), "100.00");
    EXPECT_EQ(facts(here.run(sql)), facts(straight.run(sql))) << sql;
    EXPECT_EQ(facts(here.run(sql, {})), facts(straight.run(sql, {}))) << "extended: " << sql;
  }
  EXPECT_EQ(facts(here.run(write_1, {"x", "1"})), facts(straight.run(write_1, {"x", "1"})));
  EXPECT_EQ(balance(1), "100.00");
}

TEST_F(escrow, reads_that_differ_are_refused) {
  link here = through();
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  change(debit_25);
  ASSERT_EQ(here.run(read_1).text(), "75.00");
  EXPECT_EQ(here.run(write_1, {"90", "1"}).brief(), "40001");
  EXPECT_EQ(balance(1), "75.00");
  // The unit of work is done again, from its read.
  ASSERT_EQ(here.run(read_1).text(), "75.00");
  change(debit_25);
  EXPECT_EQ(here.run(write_1, {"65", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(1), "40.00");
}

TEST_F(escrow, write_after_another_session_of_the_client_has_read_is_validated) {
  link here = through();
  link pooled = through();
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  ASSERT_EQ(pooled.run(read_1).text(), "100.00");
  change(debit_25);
  EXPECT_EQ(here.run(write_1, {"90", "1"}).brief(), "40001") << "the pool may mean the other read";
  EXPECT_EQ(balance(1), "75.00");
  EXPECT_EQ(pooled.run(write_1, {"90", "1"}).brief(), "ok UPDATE 1") << "it read last";
  EXPECT_EQ(balance(1), "65.00");
  ASSERT_EQ(here.run(read_1).text(), "65.00");
  ASSERT_EQ(pooled.run(read_1).text(), "65.00");
  EXPECT_EQ(here.run(write_1, {"60", "1"}).brief(), "ok UPDATE 1") << "validated, and nobody came between";
}

TEST_F(escrow, null_and_nan_are_never_what_a_difference_is_put_on) {
  link here = through();
  for (const std::string odd : {"NULL", "'NaN'"}) {
    SCOPED_TRACE(odd);
    change("UPDATE wallets SET balance = " + odd + " WHERE id IN (1, 2)");
    ASSERT_EQ(here.run("SELECT id, balance FROM wallets WHERE id IN (1, 2)").rows(), 2);
    EXPECT_EQ(here.run(write_1, {"90", "1"}).brief(), "ok UPDATE 1");
    EXPECT_EQ(balance(1), "90.00") << "read so, and still so: written as it is";
    change("UPDATE wallets SET balance = 50 WHERE id = 2");
    EXPECT_EQ(here.run(write_1, {"90", "2"}).brief(), "40001");
    EXPECT_EQ(balance(2), "50.00");
    change("UPDATE wallets SET balance = 100 WHERE id = 3");
    ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 3").text(), "100.00");
    change("UPDATE wallets SET balance = " + odd + " WHERE id = 3");
    EXPECT_EQ(here.run(write_1, {"90", "3"}).brief(), "40001") << "there is nothing to put a difference on";
  }
}

TEST_F(escrow, client_that_writes_null_or_nan) {
  link here = through();
  for (const bool changed : {false, true}) {
    change("UPDATE wallets SET balance = 100 WHERE id = 1");
    ASSERT_EQ(here.run(read_1).text(), "100.00");
    if (changed) change(debit_25);
    EXPECT_EQ(here.run(write_1, {"NaN", "1"}).brief(), changed ? "40001" : "23514");
    EXPECT_EQ(here.run(write_1, {std::nullopt, "1"}).brief(), changed ? "40001" : "ok UPDATE 1");
  }
  EXPECT_EQ(balance(1), "75.00");
}

TEST_F(escrow, statement_is_used_with_and_without_a_read_on_record) {
  link here = through();
  ASSERT_TRUE(here.prepare("write", write_1).ok());
  EXPECT_EQ(here.run_prepared("write", {"95", "1"}).brief(), "ok UPDATE 1") << "blind: as it is";
  EXPECT_EQ(balance(1), "95.00");
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 2").text(), "100.00");
  change("UPDATE wallets SET balance = balance - 25 WHERE id IN (2, 3)");
  EXPECT_EQ(here.run_prepared("write", {"90", "2"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run_prepared("write", {"90", "3"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(balance(2), "65.00");
  EXPECT_EQ(balance(3), "90.00");
  change("UPDATE wallets SET balance = balance + 1 WHERE id = 2");
  ASSERT_TRUE(here.run("DISCARD PLANS").ok());
  EXPECT_EQ(settled(*proxy_, "pgteller_unguarded_total{reason=\"blind\",rule=\"wallet-balance\"", 2), 2);
}

TEST_F(escrow, gone_row) {
  link here = through();
  ASSERT_EQ(here.run(read_1).text(), "100.00");
  change("DELETE FROM wallets WHERE id = 1");
  const std::string got = here.run(write_1, {"90", "1"}).brief();
  EXPECT_TRUE(got == "40001" || got == "ok UPDATE 0") << got;
}

TEST_F(escrow, two_clients_in_transactions_both_count) {
  link first = through();
  link second = direct();
  ASSERT_TRUE(first.run("BEGIN; " + read_1).ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  ASSERT_TRUE(second.run(debit_25).ok());
  first.begin(write_1, {"90", "1"});
  ASSERT_TRUE(waits_for_lock(first));
  ASSERT_TRUE(second.run("COMMIT").ok());
  EXPECT_EQ(first.collect().brief(), "ok UPDATE 1");
  ASSERT_TRUE(first.run("COMMIT").ok());
  EXPECT_EQ(balance(1), "65.00");
}

}  // namespace
}  // namespace e2e
