#include "tests/e2e/client_shapes.hpp"

#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

using namespace std::string_literals;

constexpr unsigned int2 = 21;
constexpr unsigned int4 = 23;
constexpr unsigned int8 = 20;
constexpr unsigned numeric = 1700;
constexpr unsigned text = 25;

const std::string key_in_binary = u32(0) + u32(1);
/// numeric 90.00: one digit of base 10000, weight 0, positive, two decimals.
const std::string ninety_in_binary = u16(1) + u16(0) + u16(0) + u16(2) + u16(90);

const std::string read_by_id = "SELECT balance FROM wallets WHERE id = $1";
const std::string write_by_id = "UPDATE wallets SET balance = $1 WHERE id = $2";

step q(const std::string& sql) {
  return {query(sql)};
}

step batch(const std::string& sql, const std::vector<std::string>& values = {}) {
  return {one_batch(sql, values)};
}

/// Bind, Execute and Sync of a statement that was described before.
step bound(const std::string& statement, const std::vector<std::string>& values, int format,
           const std::vector<int>& results, std::uint32_t rows = 0) {
  return {bind_formats("", statement, values, format, results) + execute("", rows) + sync()};
}

step described(const std::string& name, const std::string& sql) {
  return {parse(name, sql) + describe('S', name) + sync()};
}

step described_and_flushed(const std::string& name, const std::string& sql) {
  return {parse(name, sql) + describe('S', name) + flush(), 1, "Tn"};
}

std::vector<client_shape> literals_inlined() {
  return {
      {"psycopg2 in autocommit",
       {q("SELECT balance FROM wallets WHERE id = 1")},
       {q("UPDATE wallets SET balance = 90.00 WHERE id = 1")}},
      {"psycopg2 in a transaction",
       {q("BEGIN"), q("SELECT balance FROM wallets WHERE id = 1")},
       {q("UPDATE wallets SET balance = 90.00 WHERE id = 1"), q("COMMIT")},
       'E',
       false},
      {"Django",
       {q(R"(SELECT "wallets"."id", "wallets"."user_id", "wallets"."owner", "wallets"."balance" )"
          R"(FROM "wallets" WHERE "wallets"."id" = 1 LIMIT 21)")},
       {q("BEGIN"),
        q(R"(UPDATE "wallets" SET "user_id" = 10, "owner" = 'owner 1', "balance" = 90.00 )"
          R"(WHERE "wallets"."id" = 1)"),
        q("COMMIT")},
       'E'},
      {"SQLAlchemy",
       {q("BEGIN"), q("SELECT wallets.id, wallets.balance FROM wallets WHERE wallets.id = 1"), q("ROLLBACK")},
       {q("BEGIN"), q("UPDATE wallets SET balance=90.00 WHERE wallets.id = 1"), q("COMMIT")},
       'E'},
      {"a string of several statements",
       {q("SELECT 1; SELECT balance FROM wallets WHERE id = 1; SELECT 2")},
       {q("BEGIN; UPDATE wallets SET balance = 90 WHERE id = 1; INSERT INTO notes VALUES (7, 'seven'); "
          "COMMIT"),
        q("ROLLBACK")},
       'E'},
      {"a string of several statements in autocommit",
       {q("SELECT balance FROM wallets WHERE id = 1")},
       {q("INSERT INTO notes VALUES (8, 'eight'); UPDATE wallets SET balance = 90 WHERE id = 1; SELECT 3")}},
      {"tuple assignment",
       {q("SELECT balance FROM wallets WHERE id = 1")},
       {q("UPDATE wallets AS w SET (owner, balance) = ('x', 90) WHERE w.id = 1 AND owner = 'owner 1'")}},
  };
}

std::vector<client_shape> shapes_of_reads() {
  const std::vector<step> write{batch(write_by_id, {"90.00", "1"})};
  const auto shape = [&](const char* name, const std::string& sql, const std::vector<std::string>& values) {
    return client_shape{name, {batch(sql, values)}, write};
  };
  return {
      shape("SELECT *", "SELECT * FROM wallets WHERE id = $1", {"1"}),
      shape("SELECT w.* by owner", "SELECT w.* FROM wallets w WHERE w.owner = $1", {"owner 1"}),
      shape("read by another column", "SELECT id, balance FROM wallets WHERE user_id = $1", {"10"}),
      shape(
          "a join",
          "SELECT o.note, w.id, w.balance FROM orders o JOIN wallets w ON w.id = o.wallet_id WHERE o.id = $1",
          {"1"}),
      shape(
          "a join that gives no key",
          "SELECT w.balance, o.note FROM wallets w LEFT JOIN orders o ON o.wallet_id = w.id WHERE w.id = $1",
          {"1"}),
      shape("a sub-select in FROM",
            "SELECT q.id, q.balance FROM (SELECT id, balance FROM wallets WHERE user_id = $1) AS q", {"10"}),
      shape("a CTE", "WITH q AS (SELECT id, balance AS b FROM wallets WHERE id = $1) SELECT * FROM q", {"1"}),
      shape("many rows", "SELECT id, balance FROM wallets WHERE id IN ($1, $2, $3) ORDER BY id DESC",
            {"3", "1", "2"}),
      shape("every row", "SELECT balance, id FROM wallets ORDER BY id", {}),
      {"written by another column than read",
       {batch("SELECT id, user_id, balance FROM wallets WHERE id = $1", {"1"})},
       {batch("UPDATE wallets SET balance = $1 WHERE user_id = $2 AND owner = 'owner 1'", {"90", "10"})}},
      {"written with two others",
       {batch("SELECT id, balance FROM wallets WHERE id IN (1, 2) ORDER BY id")},
       {q("BEGIN"), batch("UPDATE wallets SET balance = 90, owner = $1 WHERE id = 1", {"somebody"}),
        batch("UPDATE wallets SET balance = 110 WHERE id = 2"), q("COMMIT")},
       'E'},
  };
}

std::vector<client_shape> text_libraries() {
  const std::string knex = R"(select "balance" from "wallets" where "id" = $1 limit $2)";
  const std::string prisma = R"("public"."wallets"."id", "public"."wallets"."balance")";
  return {
      {"node pg", {batch(read_by_id, {"1"})}, {batch(write_by_id, {"90", "1"})}},
      {"node pg in a transaction",
       {q("BEGIN"), batch(read_by_id, {"1"})},
       {batch(write_by_id, {"90", "1"}), q("COMMIT")},
       'E',
       false},
      {"knex",
       {batch(knex, {"1", "1"})},
       {batch("BEGIN;"), batch(R"(update "wallets" set "balance" = $1 where "id" = $2)", {"90", "1"}),
        batch("COMMIT;")},
       'E'},
      {"TypeORM",
       {batch("SELECT w.id AS w_id, w.balance AS w_balance FROM wallets w WHERE w.id = $1", {"1"})},
       {batch("SELECT w.id AS w_id, w.balance AS w_balance FROM wallets w WHERE w.id IN ($1)", {"1"}),
        q("START TRANSACTION"),
        batch(R"(UPDATE "wallets" SET "balance" = $1 WHERE "id" IN ($2))", {"90", "1"}), q("COMMIT")},
       'E',
       true,
       true},
      {"Prisma",
       {batch("SELECT " + prisma +
                  R"( FROM "public"."wallets" WHERE ("public"."wallets"."id" = $1 AND 1=1) )"
                  "LIMIT $2 OFFSET $3",
              {"1", "1", "0"})},
       {batch(R"(UPDATE "public"."wallets" SET "balance" = $1 WHERE ("public"."wallets"."id" = $2 AND 1=1) )"
              "RETURNING " +
                  prisma,
              {"90", "1"})}},
      {"lib/pq",
       {q("BEGIN READ WRITE"), described("", read_by_id), bound("", {"1"}, 0, {})},
       {described("", write_by_id), bound("", {"90", "1"}, 0, {}), q("COMMIT")},
       'E',
       false},
      {"lib/pq in autocommit",
       {described("", read_by_id), bound("", {"1"}, 0, {})},
       {described("", write_by_id), bound("", {"90", "1"}, 0, {})}},
      {"DBD::Pg",
       {{parse("dbdpg_p1_1", read_by_id) + bind("", "dbdpg_p1_1", {"1"}) + describe('P', "") + execute("") +
         sync()}},
       {q("begin"),
        {parse("dbdpg_p1_2", write_by_id) + bind("", "dbdpg_p1_2", {"90", "1"}) + describe('P', "") +
         execute("") + sync()},
        q("commit")},
       'E'},
  };
}

std::vector<client_shape> prepared_libraries() {
  const auto pdo = [](const std::string& name, const std::string& sql,
                      const std::vector<std::string>& values) {
    return std::vector<step>{
        {parse(name, sql) + sync()},
        {bind("", name, values) + describe('P', "") + execute("") + sync()},
        q("DEALLOCATE " + name),
    };
  };
  std::vector<step> eloquent_write{q("BEGIN")};
  for (const step& each : pdo("pdo_stmt_2", write_by_id, {"90", "1"})) eloquent_write.push_back(each);
  eloquent_write.push_back(q("COMMIT"));
  const std::string doctrine =
      "SELECT t0.id AS id_1, t0.user_id AS user_id_2, t0.owner AS owner_3, t0.balance AS balance_4 FROM "
      "wallets t0 WHERE t0.id = $1";
  const std::string active_record =
      R"(SELECT "wallets".* FROM "wallets" WHERE "wallets"."id" = $1 ORDER BY "wallets"."id" ASC LIMIT $2)";
  const auto named = [](const std::string& name, const std::vector<std::string>& values) {
    return step{bind("", name, values) + describe('P', "") + execute("") + sync()};
  };
  return {
      {"PDO", pdo("pdo_stmt_1", read_by_id, {"1"}), eloquent_write, 'E'},
      {"ActiveRecord",
       {described("a1", active_record), named("a1", {"1", "1"})},
       {q("BEGIN"), described("a2", R"(UPDATE "wallets" SET "balance" = $1 WHERE "wallets"."id" = $2)"),
        named("a2", {"90.00", "1"}), q("COMMIT")},
       'E'},
      {"Doctrine",
       pdo("pdo_stmt_1", doctrine, {"1"}),
       {q("START TRANSACTION"), batch("INSERT INTO notes VALUES ($1, $2)", {"9", "nine"}),
        batch("UPDATE wallets SET balance = $1 WHERE id = $2", {"90", "1"}), q("COMMIT")},
       'E'},
  };
}

std::vector<client_shape> binary_libraries() {
  const std::vector<int> all_binary{1};
  return {
      {"pgx",
       {described("stmtcache_1", "SELECT id, balance FROM wallets WHERE id = $1"),
        bound("stmtcache_1", {key_in_binary}, 1, {1, 1})},
       {described("stmtcache_2", write_by_id), q("begin"),
        bound("stmtcache_2", {ninety_in_binary, key_in_binary}, 1, {}), q("commit")},
       'E'},
      {"asyncpg",
       {described_and_flushed("__asyncpg_stmt_1__", read_by_id),
        bound("__asyncpg_stmt_1__", {key_in_binary}, 1, all_binary, 1)},
       {described_and_flushed("__asyncpg_stmt_2__", write_by_id),
        bound("__asyncpg_stmt_2__", {ninety_in_binary, key_in_binary}, 1, all_binary)}},
      {"asyncpg in a transaction",
       {q("BEGIN;"), described_and_flushed("__asyncpg_stmt_1__", "SELECT * FROM wallets WHERE id = $1"),
        bound("__asyncpg_stmt_1__", {key_in_binary}, 1, all_binary, 1)},
       {described_and_flushed("__asyncpg_stmt_2__", write_by_id),
        bound("__asyncpg_stmt_2__", {ninety_in_binary, key_in_binary}, 1, all_binary), q("COMMIT;")},
       'E',
       false},
      {"postgres.js",
       {described_and_flushed("p1", read_by_id), bound("p1", {"1"}, 0, {})},
       {described_and_flushed("p2", write_by_id), bound("p2", {"90", "1"}, 0, {})}},
      {"a portal read row by row",
       {{query("BEGIN") + parse("", "SELECT id, balance FROM wallets ORDER BY id") +
             bind_formats("c", "", {}, 0, {0, 1}) + execute("c", 1) + execute("c", 1) + sync(),
         2}},
       {batch(write_by_id, {"90", "1"}), q("COMMIT")},
       'E',
       false},
  };
}

client_shape psycopg3(const char* name, unsigned type, const std::string& key) {
  const auto run = [&](const std::string& sql, const std::vector<unsigned>& types,
                       const std::vector<std::string>& values) {
    return step{parse_types("", sql, types) + bind_formats("", "", values, 1, {0}) + describe('P', "") +
                execute("") + sync()};
  };
  return {name,
          {batch("BEGIN"), run(read_by_id, {type}, {key}), batch("COMMIT")},
          {batch("BEGIN"), run(write_by_id, {numeric, type}, {ninety_in_binary, key}), batch("COMMIT")},
          'E'};
}

/// BEGIN, which JDBC sends in front of the first statement of a transaction, in the same batch.
std::string jdbc_begin() {
  return parse("", "BEGIN") + bind("", "") + execute("");
}

std::string jdbc_write() {
  return parse_types("", write_by_id, {numeric, int8}) + bind("", "", {"90", "1"}) + describe('P', "") +
         execute("", 1);
}

std::vector<client_shape> jdbc() {
  const std::string read = parse_types("", read_by_id, {int8});
  const std::string text_row = bind("", "", {"1"}) + describe('P', "") + execute("");
  const std::string commit = parse("S_3", "COMMIT") + bind("", "S_3") + execute("", 1) + sync();
  return {
      {"JDBC, BEGIN and UPDATE in one batch",
       {{read + text_row + sync()}},
       {{jdbc_begin() + jdbc_write() + sync()}, {commit}},
       'E'},
      {"JDBC, whose sixth read is a named statement without RowDescription",
       {{parse_types("S_1", read_by_id, {int8}) + bind("", "S_1", {"1"}) + describe('P', "") + execute("") +
         sync()},
        {parse_types("S_2", "SELECT balance, id FROM wallets WHERE id = $1", {int8}) + describe('S', "S_2") +
         sync()},
        bound("S_2", {key_in_binary}, 1, {1, 1})},
       {{jdbc_begin() + jdbc_write() + sync()}, {commit}},
       'E'},
      {"JDBC in one transaction",
       {{jdbc_begin() + read + text_row + sync()}},
       {{jdbc_write() + sync()}, {commit}},
       'E',
       false},
      {"EclipseLink",
       {{read + text_row + sync()}},
       {{read + text_row + sync()}, {jdbc_begin() + jdbc_write() + sync()}, {commit}},
       'E',
       true,
       true},
      {"a pipeline that goes on behind the write",
       {{read + text_row + sync()}},
       {{jdbc_write() + parse_types("", "INSERT INTO notes VALUES (5, $1)", {text}) + bind("", "", {"five"}) +
         execute("") + parse("after", "SELECT 5") + bind("", "after") + describe('P', "") + execute("") +
         sync()}}},
  };
}

}  // namespace

std::string bind_formats(const std::string& portal, const std::string& statement,
                         const std::vector<std::string>& values, int format,
                         const std::vector<int>& results) {
  std::string body = portal + '\0' + statement + '\0' + u16(1) + u16(static_cast<std::uint32_t>(format));
  body += u16(static_cast<std::uint32_t>(values.size()));
  for (const std::string& each : values) body += u32(static_cast<std::uint32_t>(each.size())) + each;
  body += u16(static_cast<std::uint32_t>(results.size()));
  for (const int each : results) body += u16(static_cast<std::uint32_t>(each));
  return frame('B', body);
}

std::string parse_types(const std::string& name, const std::string& sql, const std::vector<unsigned>& types) {
  std::string body = name + '\0' + sql + '\0' + u16(static_cast<std::uint32_t>(types.size()));
  for (const unsigned each : types) body += u32(each);
  return frame('P', body);
}

std::string one_batch(const std::string& sql, const std::vector<std::string>& values) {
  return parse("", sql) + bind("", "", values) + describe('P', "") + execute("") + sync();
}

std::vector<client_shape> client_shapes() {
  std::vector<client_shape> all = literals_inlined();
  for (const auto& more :
       {shapes_of_reads(), text_libraries(), prepared_libraries(), binary_libraries(), jdbc()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  all.push_back(psycopg3("psycopg3 with an int2 key", int2, u16(1)));
  all.push_back(psycopg3("psycopg3 with an int4 key", int4, u32(1)));
  all.push_back(psycopg3("psycopg3 with an int8 key", int8, key_in_binary));
  return all;
}

}  // namespace e2e
