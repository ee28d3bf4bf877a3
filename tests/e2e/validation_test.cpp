// A balance that somebody else has changed since it was read is not written: whatever way the client reads
// and writes, PostgreSQL itself raises 40001 and nothing of the unit of work happens. Where nobody came
// between, the client gets to the byte what PostgreSQL sends.
#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

class validation : public shape_stage {
 protected:
  /// `between` is run on PostgreSQL itself after the read.
  void expect_refused(const client_shape& shape, const std::string& between) {
    begin_anew();
    const auto here = proxied();
    for (const std::string& each : play(*here, shape.read)) EXPECT_NE(each[0], 'E') << shown(each);
    ASSERT_TRUE(direct().run(between).ok());
    const std::string left = everything();
    expect_stale(play(*here, shape.write), shape);
    EXPECT_EQ(everything(), left) << "nothing of it may have happened";
    here->send(query("ROLLBACK; SELECT 7"));
    EXPECT_NE(texts(here->messages(1)).find("DataRow"), std::string::npos) << "the connection is usable";
  }

  template <class Which>
  void expect_all_refused(const std::string& between, const std::string& cause, Which which) {
    double count = 0;
    for (const client_shape& shape : client_shapes()) {
      if (!which(shape)) continue;
      SCOPED_TRACE(shape.name);
      expect_refused(shape, between);
      ++count;
      EXPECT_EQ(conflicts(cause, count), count);
    }
    EXPECT_GT(count, 3);
  }
};

constexpr char changes[] = "UPDATE wallets SET balance = balance - 25 WHERE id = 1";

bool any(const client_shape&) {
  return true;
}
bool is_outside(const client_shape& shape) {
  return shape.reads_outside;
}

TEST_F(validation, optimistic_every_shape_undisturbed) {
  start(wallet_rule("strategy = \"optimistic\""));
  for (const client_shape& shape : client_shapes()) {
    SCOPED_TRACE(shape.name);
    expect_same(shape);
  }
  EXPECT_EQ(conflicts("changed", 0), 0);
}

TEST_F(validation, optimistic_every_shape_with_a_stale_read) {
  start(wallet_rule("strategy = \"optimistic\""));
  expect_all_refused(changes, "changed", any);
}

TEST_F(validation, optimistic_without_bounds) {
  start(
      "[[rule]]\nname = \"wallet-balance\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\n"
      "strategy = \"optimistic\"\n");
  expect_all_refused(changes, "changed", any);
}

TEST_F(validation, pessimistic_every_shape_undisturbed) {
  start(wallet_rule("turns = \"on\""));
  for (const client_shape& shape : client_shapes()) {
    SCOPED_TRACE(shape.name);
    expect_same(shape);
  }
  EXPECT_EQ(conflicts("changed", 0), 0);
}

TEST_F(validation, pessimistic_every_shape_that_reads_outside_a_transaction) {
  start(wallet_rule());
  expect_all_refused(changes, "changed", is_outside);
}

TEST_F(validation, row_that_is_gone) {
  start(wallet_rule("strategy = \"optimistic\""));
  // Where the write names the row by its key, so that it is known which row is gone.
  expect_all_refused("DELETE FROM wallets WHERE id = 1", "gone", [](const client_shape& shape) {
    return shape.name == "psycopg2 in autocommit" || shape.name == "node pg in a transaction" ||
           shape.name == "asyncpg" || shape.name == "JDBC, BEGIN and UPDATE in one batch" ||
           shape.name == "psycopg3 with an int2 key";
  });
}

TEST_F(validation, row_that_was_changed_and_put_back_is_what_was_read) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").text(), "100.00");
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 1 WHERE id = 1").ok());
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 100, owner = 'x' WHERE id = 1").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 90 WHERE id = 1").brief(), "ok UPDATE 1");
}

TEST_F(validation, write_that_waits_for_another_is_judged_on_the_newest_value) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  link other = direct();
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").text(), "100.00");
  ASSERT_TRUE(other.run("BEGIN; UPDATE wallets SET balance = 60 WHERE id = 1").ok());
  here.begin("UPDATE wallets SET balance = 90 WHERE id = 1");
  ASSERT_TRUE(waits_for_lock(here));
  ASSERT_TRUE(other.run("COMMIT").ok());
  EXPECT_EQ(here.collect().brief(), "40001");
  EXPECT_EQ(balance(1), "60.00");
}

TEST_F(validation, own_writes_move_the_record_and_rollbacks_move_it_back) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; SELECT balance FROM wallets WHERE id = 1").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 90 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"80"}).brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("SAVEPOINT a").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 5 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 70 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("ROLLBACK TO a").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 60 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("ROLLBACK").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 95 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 94 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(direct().run(changes).ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 93 WHERE id = 1").brief(), "40001");
  EXPECT_EQ(balance(1), "69.00");
}

TEST_F(validation, unit_of_work_done_again_passes) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  for (const std::string begin : {"", "BEGIN"}) {
    const std::string again = begin.empty() ? "" : "ROLLBACK; BEGIN";
    ASSERT_TRUE(here.run(begin).ok());
    ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
    ASSERT_TRUE(direct().run(changes).ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 90 WHERE id = 1").brief(), "40001");
    ASSERT_TRUE(here.run(again).ok());
    ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 88 WHERE id = 1").brief(), "ok UPDATE 1");
    ASSERT_TRUE(here.run(begin.empty() ? "" : "COMMIT").ok());
    EXPECT_EQ(balance(1), "88.00");
  }
}

TEST_F(validation, last_read_counts_where_the_rule_says_so) {
  start(wallet_rule("strategy = \"optimistic\"\nreread = \"last\""));
  link here = through();
  ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(direct().run(changes).ok());
  ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = $1", {"1"}).text(), "75.00");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 65 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(direct().run(changes).ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 55 WHERE id = 1").brief(), "40001");
}

TEST_F(validation, computed_write_is_validated_as_well) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = round(balance / 2) WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(direct().run(changes).ok());
  EXPECT_EQ(here.run("UPDATE wallets SET balance = round(balance / 2) WHERE id = 1").brief(), "40001");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 5 WHERE id = 1").brief(), "ok UPDATE 1")
      << "a relative write does not rest on what was read";
}

TEST_F(validation, null_and_nan_are_values_like_any_other) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  for (const std::string there : {"NULL", "'NaN'"}) {
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = " + there + " WHERE id = 1").ok());
    ASSERT_EQ(here.run("SELECT balance FROM wallets WHERE id = 1").rows(), 1);
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 10 WHERE id = 1").brief(), "ok UPDATE 1") << there;
    ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 1").ok());
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = " + there + " WHERE id = 1").ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 10 WHERE id = 1").brief(), "40001") << there;
  }
}

TEST_F(validation, version_column_that_the_client_compares_itself) {
  start(wallet_rule("strategy = \"optimistic\"\nversion = [\"owner\"]"));
  link here = through();
  ASSERT_TRUE(here.run("SELECT * FROM wallets WHERE id = 1").ok());
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 75, owner = 'v2' WHERE id = 1").ok());
  const std::string sql = "UPDATE wallets SET balance = $1, owner = 'v2' WHERE id = 1 AND owner = 'owner 1'";
  EXPECT_EQ(here.run(sql, {"90"}).brief(), "ok UPDATE 0") << "as without pgteller";
}

TEST_F(validation, read_that_tells_no_key_is_counted) {
  start(wallet_rule("strategy = \"optimistic\""));
  link here = through();
  EXPECT_EQ(here.run("SELECT max(balance) FROM wallets WHERE owner = 'owner 1'").text(), "100.00");
  EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE owner LIKE 'owner 1'").text(), "100.00");
  EXPECT_EQ(settled(*proxy_, "pgteller_unguarded_total{reason=\"key_unread\"", 1), 1);
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 90 WHERE id = 1").brief(), "ok UPDATE 1");
  EXPECT_EQ(settled(*proxy_, "pgteller_unguarded_total{reason=\"blind\"", 1), 1);
}

}  // namespace
}  // namespace e2e
