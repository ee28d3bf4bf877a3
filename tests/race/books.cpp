#include "tests/race/books.hpp"

#include <algorithm>
#include <set>

#include "tests/race/options.hpp"

namespace race {
namespace {

// Says whose tables these are, so that nobody's own table of the name is ever emptied.
constexpr const char* ours = "made by the race program";

std::string number(std::int64_t value) {
  return std::to_string(value);
}

}  // namespace

bool audit::clean() const {
  return money_lost == 0 && overdrawn_rows == 0 && overdrafts == 0 && duplicates == 0 && unentered == 0 &&
         ghosts == 0 && problem.empty();
}

std::string books::run(const std::string& sql) {
  const reply came = direct_->run(sql);
  return came.ok() ? "" : came.message();
}

std::string books::foreign_table() {
  const reply came = direct_->run(
      "SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid IN "
      "(to_regclass('wallets'), to_regclass('transactions'), to_regclass('items')) "
      "AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM '" +
      std::string(ours) + "'");
  if (!came.ok()) return came.message();
  if (came.rows() == 0) return "";
  return "there is already a table " + came.text(0, 0) + " that race did not make; use another database";
}

std::string books::make_roles(std::uint32_t users) {
  for (std::uint32_t user = 0; user < users; ++user) {
    const std::string role = role_of(user);
    const reply came = direct_->run("SELECT FROM pg_roles WHERE rolname = '" + role + "'");
    if (!came.ok()) return came.message();
    if (came.rows() > 0) continue;
    if (std::string wrong = run("CREATE ROLE " + role + " LOGIN"); !wrong.empty()) return wrong;
  }
  return "";
}

std::string books::set_up(std::uint32_t users) {
  if (std::string wrong = foreign_table(); !wrong.empty()) return wrong;
  if (std::string wrong = make_roles(users); !wrong.empty()) return wrong;
  std::string sql =
      "SET client_min_messages = warning;"
      "CREATE TABLE IF NOT EXISTS wallets (id bigint PRIMARY KEY, user_id bigint NOT NULL UNIQUE,"
      " owner text NOT NULL, balance numeric(12,2) NOT NULL);"
      "CREATE TABLE IF NOT EXISTS transactions (id bigserial PRIMARY KEY, op bigint NOT NULL, wallet_id "
      "bigint,"
      " order_id bigint, item_id bigint, amount numeric(12,2) NOT NULL);"
      "CREATE INDEX IF NOT EXISTS transactions_order_id ON transactions (order_id);"
      "CREATE TABLE IF NOT EXISTS items (id bigint PRIMARY KEY, label text NOT NULL, quantity integer NOT "
      "NULL);"
      "GRANT USAGE ON SEQUENCE transactions_id_seq TO PUBLIC;";
  for (const std::string table : {"wallets", "transactions", "items"}) {
    sql += "COMMENT ON TABLE " + table + " IS '" + ours + "';";
    sql += "GRANT SELECT, INSERT, UPDATE, DELETE ON " + table + " TO PUBLIC;";
  }
  return run(sql);
}

std::string books::open(const scenario& played, std::int64_t wallets, std::int64_t items) {
  if (std::string wrong = foreign_table(); !wrong.empty()) return wrong;
  std::string sql = "TRUNCATE wallets, transactions, items;";
  for (std::int64_t id = 1; id <= wallets; ++id) {
    sql += "INSERT INTO wallets VALUES (" + number(id) + ", " + number(user_of(id)) + ", '" +
           "customer''s no. " + number(id) + "', " + to_text(played.opening_balance) + ");";
  }
  sql += "INSERT INTO items SELECT n, 'item ' || n, 1 FROM generate_series(0, " + number(items) + ") n;";
  const std::string wrong = run(sql);
  return wrong.empty() ? "" : wrong + "(race --setup makes the tables)\n";
}

audit books::close(const scenario& played, const tally& known) {
  audit found;
  found.overdrafts = known.overdrawn;
  std::map<std::int64_t, movement> expected = known.wallets;
  if (played.ledger) audit_ledger(known, expected, found);
  audit_wallets(played, expected, found);
  return found;
}

// What the ledger holds is what happened, so the outcome of every operation is known from here on.
void books::audit_ledger(const tally& known, std::map<std::int64_t, movement>& expected, audit& found) {
  const reply came = direct_->run("SELECT op, wallet_id, order_id, item_id, amount FROM transactions");
  if (!came.ok()) {
    found.problem = came.message();
    return;
  }
  expected.clear();
  std::set<std::int64_t> operations;
  std::set<std::string> seen;
  for (int row = 0; row < came.rows(); ++row) {
    operations.insert(std::stoll(came.text(row, 0)));
    bool again = !seen.insert("op " + came.text(row, 0) + " wallet " + came.text(row, 1)).second;
    if (!came.text(row, 1).empty())
      expected[std::stoll(came.text(row, 1))].sure += to_cents(came.text(row, 4));
    if (!came.text(row, 2).empty()) again |= !seen.insert("order " + came.text(row, 2)).second;
    if (!came.text(row, 3).empty()) again |= !seen.insert("item " + came.text(row, 3)).second;
    if (again) ++found.duplicates;
  }
  for (const std::int64_t operation : known.acknowledged_operations) {
    if (operations.erase(operation) == 0) ++found.unentered;
  }
  for (const std::int64_t operation : known.unknown_operations) operations.erase(operation);
  found.ghosts = operations.size();
}

void books::audit_wallets(const scenario& played, const std::map<std::int64_t, movement>& expected,
                          audit& found) {
  const reply came = direct_->run("SELECT id, balance FROM wallets");
  if (!came.ok()) {
    found.problem = came.message();
    return;
  }
  for (int row = 0; row < came.rows(); ++row) {
    const cents balance = to_cents(came.text(row, 1));
    if (balance < 0) ++found.overdrawn_rows;
    const auto at = expected.find(std::stoll(came.text(row, 0)));
    const movement moved = at == expected.end() ? movement{} : at->second;
    const cents least = played.opening_balance + moved.sure + moved.perhaps_out;
    const cents most = played.opening_balance + moved.sure + moved.perhaps_in;
    found.money_lost += std::max<cents>({0, least - balance, balance - most});
  }
}

}  // namespace race
