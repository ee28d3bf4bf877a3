// mode = "observe": not a byte changes, in either direction; what would have been done is counted, and an
// update that was really lost is reported. The same dialogues are refused, or wait, where the mode is
// enforce.
#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

const std::string read_1 = "SELECT balance FROM wallets WHERE id = 1";
const std::string write_1 = "UPDATE wallets SET balance = $1 WHERE id = $2";

std::string observing(const std::string& more = "") {
  return wallet_rule("mode = \"observe\"\n" + more);
}
/// A rule without bounds: what is counted is what becomes of reads and writes.
std::string watching(const std::string& more) {
  return "[[rule]]\nname = \"wallet-balance\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\n"
         "mode = \"observe\"\n" +
         more + "\n";
}

class observe : public shape_stage {
 protected:
  double would(const std::string& action, double expected) {
    return settled(*proxy_, "pgteller_statements_total{action=\"would_" + action + "\"", expected);
  }
  double lost(double expected) { return conflicts("lost_update", expected); }

  link named(const std::string& application) const {
    return link(through_conninfo() + " application_name=" + application);
  }
  std::string sent_last(const link& who) {
    link here = direct();
    return value(here, "SELECT query FROM pg_stat_activity WHERE pid = " + who.pid());
  }
  std::size_t reports() const {
    const std::string log = proxy_->log();
    std::size_t count = 0;
    for (std::size_t at = log.find("lost update"); at != std::string::npos;
         at = log.find("lost update", at + 1))
      ++count;
    return count;
  }
};

TEST_F(observe, every_shape_is_answered_as_by_postgresql) {
  for (const std::string strategy : {"pessimistic", "escrow"}) {
    start(observing("strategy = \"" + strategy + "\""));
    for (const client_shape& shape : client_shapes()) {
      SCOPED_TRACE(strategy + ", " + shape.name);
      expect_same(shape);
    }
  }
}

TEST_F(observe, every_shape_with_a_stale_read_overwrites_as_ever) {
  start(observing());
  for (const client_shape& shape : client_shapes()) {
    SCOPED_TRACE(shape.name);
    begin_anew();
    const auto here = proxied();
    static_cast<void>(play(*here, shape.read));
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 75 WHERE id = 1").ok()) << "nothing is locked";
    const std::string got = texts(play(*here, shape.write));
    EXPECT_EQ(got.find("ErrorResponse"), std::string::npos) << got;
    EXPECT_EQ(balance(1), "90.00");
  }
}

TEST_F(observe, postgresql_is_sent_what_the_client_sent) {
  start(observing("turns = \"on\"\non_blind_write = \"reject\"\non_opaque = \"reject\""));
  link here = through();
  link other = through();
  for (const std::string sql :
       {"UPDATE wallets SET balance = -5 WHERE id = 1", "SELECT balance FROM wallets WHERE id = 1",
        "UPDATE wallets SET balance = balance - 1000 WHERE id = 1", "DELETE FROM wallets WHERE id = 9",
        "DO $$ BEGIN UPDATE wallets SET balance = 7 WHERE id = 1; END $$"}) {
    EXPECT_TRUE(here.run(sql).ok()) << sql;
    EXPECT_EQ(sent_last(here), sql);
  }
  ASSERT_TRUE(here.run("BEGIN").ok());
  EXPECT_EQ(here.run(read_1).text(), "7.00");
  EXPECT_EQ(locked_ids(), "");
  EXPECT_EQ(other.run(read_1).text(), "7.00") << "nobody waits for a turn";
  EXPECT_EQ(proxy_->metric("pgteller_turns_active{"), 0);
}

TEST_F(observe, counts_what_a_pessimistic_rule_would_have_done) {
  start(observing());
  link here = through();
  ASSERT_TRUE(here.run("BEGIN; " + read_1).ok());
  ASSERT_TRUE(here.run("COMMIT").ok());
  EXPECT_EQ(would("lock", 1), 1);
  ASSERT_TRUE(here.run("UPDATE wallets SET balance = balance - 5 WHERE id = 2").ok());
  EXPECT_EQ(would("check", 1), 1);
}

TEST_F(observe, counts_what_would_have_been_validated_rebased_and_rejected) {
  for (const std::string strategy : {"optimistic", "escrow"}) {
    start(watching("strategy = \"" + strategy + "\"\non_blind_write = \"reject\""));
    link here = through();
    ASSERT_TRUE(here.run(write_1, {"100", "1"}).ok());
    EXPECT_EQ(would("reject", 1), 1) << strategy;
    ASSERT_TRUE(here.run("SELECT balance FROM wallets WHERE id = 2").ok());
    ASSERT_TRUE(here.run(write_1, {"100", "2"}).ok());
    const std::string action = strategy == "escrow" ? "rebase" : "validate";
    EXPECT_EQ(would(action, 1), 1) << strategy;
  }
}

TEST_F(observe, lost_update_is_counted_and_reported_with_both_statements) {
  start(observing());
  link shop = named("shop");
  link office = named("office");
  ASSERT_EQ(shop.run(read_1).text(), "100.00");
  ASSERT_EQ(office.run("SELECT id, balance FROM wallets WHERE id = $1", {"1"}).text(0, 1), "100.00");
  EXPECT_EQ(shop.run("UPDATE wallets SET balance = $1 WHERE id = 1", {"90"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(office.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"80", "1"}).brief(), "ok UPDATE 1");
  EXPECT_EQ(lost(1), 1);
  ASSERT_TRUE(eventually([this] { return reports() == 1; }, std::chrono::seconds{10})) << proxy_->log();
  const std::string log = proxy_->log();
  const std::string line = log.substr(log.rfind('\n', log.find("lost update")) + 1);
  for (const char* const part :
       {"wallet-balance", "\"shop\"", "\"office\"", "SET balance = $1 WHERE id = ?",
        "SET balance = $1 WHERE id = $2", "lost_committed", "\"read\"", "\"committed\""}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST_F(observe, lost_update_between_transactions) {
  start(observing());
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run("BEGIN; " + read_1).ok());
  ASSERT_TRUE(second.run("BEGIN").ok());
  ASSERT_TRUE(second.run(read_1, {}).ok());
  EXPECT_TRUE(first.run(write_1, {"90", "1"}).ok());
  second.begin(write_1, {"80", "1"});
  ASSERT_TRUE(waits_for_lock(second));
  EXPECT_TRUE(first.run("COMMIT").ok());
  EXPECT_TRUE(second.collect().ok());
  EXPECT_EQ(reports(), 0U) << "it is lost when it is committed";
  EXPECT_TRUE(second.run("COMMIT").ok());
  EXPECT_EQ(lost(1), 1);
}

TEST_F(observe, nothing_is_reported_where_nothing_was_lost) {
  start(observing());
  link first = through();
  link second = through();
  // One after the other.
  ASSERT_TRUE(first.run(read_1).ok());
  ASSERT_TRUE(first.run(write_1, {"90", "1"}).ok());
  ASSERT_TRUE(second.run(read_1).ok());
  ASSERT_TRUE(second.run(write_1, {"80", "1"}).ok());
  // Both have read, and one rolls back.
  ASSERT_TRUE(first.run("BEGIN; " + read_1).ok());
  ASSERT_TRUE(second.run(read_1).ok());
  ASSERT_TRUE(first.run(write_1, {"70", "1"}).ok());
  ASSERT_TRUE(first.run("ROLLBACK").ok());
  ASSERT_TRUE(second.run(write_1, {"70", "1"}).ok());
  // Both have read, and PostgreSQL computes.
  ASSERT_TRUE(first.run(read_1).ok());
  ASSERT_TRUE(second.run(read_1).ok());
  ASSERT_TRUE(first.run("UPDATE wallets SET balance = balance - 5 WHERE id = 1").ok());
  ASSERT_TRUE(second.run("UPDATE wallets SET balance = balance - $1 WHERE id = 1", {"5"}).ok());
  // Different rows; and a write that meets none.
  ASSERT_TRUE(first.run("SELECT balance FROM wallets WHERE id = 3").ok());
  ASSERT_TRUE(second.run("SELECT balance FROM wallets WHERE id = 4").ok());
  ASSERT_TRUE(first.run(write_1, {"1", "3"}).ok());
  ASSERT_TRUE(second.run(write_1, {"1", "4"}).ok());
  ASSERT_TRUE(first.run("UPDATE wallets SET balance = 2 WHERE id = 4 AND owner = 'nobody'").ok());
  ASSERT_TRUE(second.run(write_1, {"3", "4"}).ok());
  // The same session twice.
  ASSERT_TRUE(first.run("SELECT balance FROM wallets WHERE id = 5").ok());
  ASSERT_TRUE(first.run(write_1, {"1", "5"}).ok());
  ASSERT_TRUE(first.run(write_1, {"2", "5"}).ok());
  // A real one behind it all, so that what was to be reported has been.
  ASSERT_TRUE(first.run("SELECT balance FROM wallets WHERE id = 6").ok());
  ASSERT_TRUE(second.run("SELECT balance FROM wallets WHERE id = 6").ok());
  ASSERT_TRUE(first.run(write_1, {"1", "6"}).ok());
  ASSERT_TRUE(second.run(write_1, {"2", "6"}).ok());
  EXPECT_EQ(lost(1), 1);
  EXPECT_TRUE(eventually([this] { return reports() > 0; })) << "counted first, then reported";
  EXPECT_EQ(reports(), 1U) << proxy_->log();
}

TEST_F(observe, statements_are_reported_without_what_the_client_put_into_them) {
  start(observing());
  link first = through();
  link second = through();
  ASSERT_TRUE(first.run(read_1).ok());
  ASSERT_TRUE(second.run(read_1).ok());
  ASSERT_TRUE(first.run("UPDATE wallets SET balance = 41.23, owner = 'secret' WHERE id = 1").ok());
  ASSERT_TRUE(second.run("UPDATE wallets SET balance = 51.23 WHERE id = 1").ok());
  EXPECT_EQ(lost(1), 1);
  const std::string log = proxy_->log();
  for (const char* const value : {"41.23", "51.23", "secret"}) {
    EXPECT_EQ(log.find(value), std::string::npos) << "log.values is false: " << value;
  }
}

}  // namespace
}  // namespace e2e
