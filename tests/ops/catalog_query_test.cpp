#include "proxy/ops/catalog_query.hpp"

#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/ops/live_database.hpp"

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

rules::rule_set guarding(const std::string& schema, const std::string& table) {
  rules::rule_set set;
  auto& rule = set.rules.emplace_back();
  rule.name = "r";
  rule.schema = schema;
  rule.table = table;
  rule.columns = {"balance"};
  return set;
}

class live_catalog : public testing::Test {
 protected:
  void SetUp() override {
    if (!live_database::available()) GTEST_SKIP() << "PGTELLER_TEST_CONNINFO is not set";
    database = std::make_unique<live_database>();
  }

  [[nodiscard]] rules::catalog read(const rules::rule_set& rules,
                                    const std::string& user = "pgteller") const {
    const auto reading = read_catalog(database->upstream(), live_database::as(user), rules, database->name());
    EXPECT_TRUE(reading.ok) << reading.error;
    return reading.value;
  }

  std::unique_ptr<live_database> database;
};

TEST_F(live_catalog, columns_and_keys) {
  database->run(R"(
    CREATE DOMAIN cents AS bigint;
    CREATE TABLE wallets (
      gone int, id bigint, part text, balance numeric(12,2), held cents, tags varchar(7)[], sku text UNIQUE,
      PRIMARY KEY (part, id) INCLUDE (sku), UNIQUE (held, balance), UNIQUE (tags) DEFERRABLE);
    CREATE UNIQUE INDEX ON wallets (balance) WHERE id > 5;
    CREATE UNIQUE INDEX ON wallets (lower(sku));
    ALTER TABLE wallets DROP COLUMN gone)");
  const auto catalog = read(guarding("", "wallets"));
  EXPECT_EQ(catalog.database, database->name());
  ASSERT_EQ(catalog.tables.size(), 1U);
  const auto& table = catalog.tables[0];
  EXPECT_EQ(std::to_string(table.oid), database->run("SELECT 'wallets'::regclass::oid"));
  EXPECT_EQ(table.schema, "public");
  EXPECT_EQ(table.name, "wallets");
  EXPECT_EQ(table.kind, 'r');
  ASSERT_EQ(table.columns.size(), 6U);
  EXPECT_EQ(table.columns[0].name, "id");
  EXPECT_EQ(table.columns[0].number, 2);
  EXPECT_EQ(table.columns[0].type_oid, 20U);
  EXPECT_EQ(table.columns[2].type, "numeric(12,2)");
  EXPECT_EQ(table.columns[3].type, "public.cents");
  EXPECT_EQ(table.columns[4].type, "character varying(7)[]");
  EXPECT_EQ(table.primary_key, (names{"part", "id"}));
  auto unique = table.unique_keys;
  std::sort(unique.begin(), unique.end());
  EXPECT_EQ(unique, (std::vector<names>{{"held", "balance"}, {"part", "id"}, {"sku"}}));
}

TEST_F(live_catalog, schemas_and_kinds) {
  database->run(R"(
    CREATE SCHEMA a; CREATE SCHEMA "B b";
    CREATE TABLE a.t (balance int);
    CREATE TABLE "B b".t (id int, balance int) PARTITION BY LIST (id);
    CREATE VIEW public.t AS SELECT 1 AS balance;
    CREATE TEMP TABLE t (balance int);
    CREATE TABLE "it's ""t""\" (balance int);
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
    CREATE FOREIGN TABLE far (balance int) SERVER s;
    CREATE MATERIALIZED VIEW seen AS SELECT 1 AS balance)");
  const auto all = read(guarding("", "t"));
  ASSERT_EQ(all.tables.size(), 3U);
  EXPECT_EQ(all.tables[0].schema + all.tables[0].kind, "B bp");
  EXPECT_EQ(all.tables[1].schema + all.tables[1].kind, "ar");
  EXPECT_EQ(all.tables[2].schema + all.tables[2].kind, "publicv");
  ASSERT_EQ(read(guarding("a", "t")).tables.size(), 1U);
  EXPECT_EQ(read(guarding("", "it's \"t\"\\")).tables.size(), 1U);
  EXPECT_EQ(read(guarding("", "far")).tables.at(0).kind, 'f');
  EXPECT_EQ(read(guarding("", "seen")).tables.at(0).kind, 'm');
  EXPECT_TRUE(read(guarding("", "pg_class")).tables.empty());
  EXPECT_TRUE(read(guarding("", "T")).tables.empty());
}

TEST_F(live_catalog, every_way_to_a_guarded_row) {
  database->run(R"(
    CREATE TABLE grandparent (id int, balance int);
    CREATE TABLE wallets () INHERITS (grandparent);
    CREATE TABLE sibling () INHERITS (grandparent);
    CREATE TABLE child () INHERITS (wallets);
    CREATE VIEW over_parent AS SELECT * FROM grandparent;
    CREATE VIEW over_child AS SELECT * FROM child;
    CREATE VIEW over_view AS SELECT o.id FROM over_child o JOIN sibling USING (id);
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM over_view;
    CREATE VIEW over_sibling AS SELECT * FROM sibling;
    CREATE VIEW elsewhere AS SELECT 1 AS balance;
    CREATE TABLE log (id int);
    CREATE RULE also AS ON INSERT TO log DO ALSO UPDATE wallets SET balance = 0)");
  std::string found;
  for (const auto& alias : read(guarding("", "wallets")).aliases) {
    found += alias.name + ":" + alias.kind + " ";
    EXPECT_EQ(std::to_string(alias.guarded_oid), database->run("SELECT 'wallets'::regclass::oid"));
  }
  EXPECT_EQ(found, "child:r grandparent:r kept:m over_child:v over_parent:v over_view:v ");
}

TEST_F(live_catalog, partitions_are_aliases_of_their_parent_and_back) {
  database->run(R"(
    CREATE TABLE wallets (id int, balance int) PARTITION BY LIST (id);
    CREATE TABLE one PARTITION OF wallets FOR VALUES IN (1) PARTITION BY LIST (balance);
    CREATE TABLE one_one PARTITION OF one FOR VALUES IN (1);
    CREATE TABLE two PARTITION OF wallets FOR VALUES IN (2))");
  const auto list = [this](const std::string& table) {
    std::string found;
    for (const auto& alias : read(guarding("", table)).aliases) found += alias.name + " ";
    return found;
  };
  EXPECT_EQ(list("wallets"), "one one_one two ");
  EXPECT_EQ(list("one"), "one_one wallets ");
}

TEST_F(live_catalog, roles_that_may_not_lock) {
  const std::string suffix = database->name();
  database->run("CREATE TABLE wallets (id int, balance int); CREATE ROLE reader_" + suffix +
                " LOGIN; CREATE ROLE writer_" + suffix + " LOGIN; CREATE ROLE group_" + suffix +
                " NOLOGIN; GRANT UPDATE (balance) ON wallets TO group_" + suffix + "; GRANT group_" + suffix +
                " TO writer_" + suffix + "; GRANT SELECT ON wallets TO reader_" + suffix);
  const auto roles = read(guarding("", "wallets")).tables.at(0).roles_without_update;
  const auto has = [&roles](const std::string& role) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  };
  EXPECT_TRUE(has("reader_" + suffix));
  EXPECT_TRUE(has("pgteller"));
  EXPECT_FALSE(has("writer_" + suffix));
  EXPECT_FALSE(has("group_" + suffix));  // cannot log in
  EXPECT_FALSE(has("postgres"));
  database->run("DROP TABLE wallets; DROP ROLE reader_" + suffix + ", writer_" + suffix + ", group_" +
                suffix);
}

TEST_F(live_catalog, volatile_functions) {
  database->run(R"(
    CREATE FUNCTION moody(int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION moody(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION steady(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION abs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END')");
  const auto functions = read(guarding("", "t")).volatile_functions;
  EXPECT_TRUE(functions.contains("moody"));
  EXPECT_TRUE(functions.contains("random"));
  EXPECT_TRUE(functions.contains("nextval"));
  EXPECT_TRUE(functions.contains("set_config"));
  EXPECT_FALSE(functions.contains("steady"));
  EXPECT_FALSE(functions.contains("abs"));  // a trigger function cannot be called
  EXPECT_FALSE(functions.contains("now"));
}

// CVE-2018-1058: whoever may create objects in a database must not run code as the catalog's role.
TEST_F(live_catalog, objects_of_the_database_cannot_stand_in) {
  database->run(R"(
    CREATE TABLE wallets (id int PRIMARY KEY, balance int);
    CREATE FUNCTION public.format_type(oid, int) RETURNS text LANGUAGE sql AS $$SELECT 'forged'$$;
    CREATE FUNCTION public.unnest(int2[]) RETURNS SETOF int2 LANGUAGE sql AS 'SELECT 1::int2';
    CREATE TABLE public.pg_class (relname name);
    GRANT CREATE ON SCHEMA public TO PUBLIC)");
  database->run("ALTER DATABASE " + database->name() + " SET search_path = public, pg_catalog");
  const auto catalog = read(guarding("", "wallets"));
  EXPECT_EQ(catalog.tables.at(0).columns.at(1).type, "integer");
  EXPECT_EQ(catalog.tables.at(0).primary_key, names{"id"});
}

TEST_F(live_catalog, only_rules_of_the_database_are_read) {
  database->run("CREATE TABLE wallets (id int PRIMARY KEY, balance int)");
  auto rules = guarding("", "wallets");
  rules.rules[0].databases = {"another"};
  EXPECT_TRUE(read(rules).tables.empty());
  rules.rules[0].databases.push_back(database->name());
  EXPECT_EQ(read(rules).tables.size(), 1U);
  rules.once.push_back({"o", "", "nowhere", {"id"}});
  EXPECT_EQ(read(rules).tables.size(), 1U);
}

TEST_F(live_catalog, a_missing_database_has_its_sqlstate) {
  const auto reading =
      read_catalog(database->upstream(), live_database::as("pgteller"), {}, "no_such_database");
  EXPECT_FALSE(reading.ok);
  EXPECT_EQ(reading.sqlstate, "3D000");
  EXPECT_NE(reading.error.find("database \"no_such_database\" does not exist"), std::string::npos)
      << reading.error;
  EXPECT_EQ(reading.error.find('\n'), std::string::npos);
  EXPECT_EQ(reading.error.find("LOCATION"), std::string::npos);
}

TEST_F(live_catalog, needs_no_lock_on_the_table) {
  database->run("CREATE TABLE wallets (id int PRIMARY KEY, balance int)");
  database->run("BEGIN");
  database->run("LOCK TABLE wallets");
  EXPECT_EQ(read(guarding("", "wallets")).tables.size(), 1U);
  database->run("COMMIT");
}

TEST(catalog_query, a_closed_port_is_an_error_at_once) {
  const auto reading = read_catalog({.host = "127.0.0.1", .port = 1}, {"user=x"}, {}, "d");
  EXPECT_FALSE(reading.ok);
  EXPECT_NE(reading.error.find("Connection refused"), std::string::npos) << reading.error;
}

// Accepts at TCP level and never says a word.
class mute_server {
 public:
  mute_server() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 5), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  ~mute_server() { ::close(socket_); }
  mute_server(const mute_server&) = delete;
  mute_server& operator=(const mute_server&) = delete;

  std::uint16_t port = 0;

 private:
  int socket_;
};

TEST(catalog_query, a_silent_server_times_out) {
  const mute_server server;
  const auto start = std::chrono::steady_clock::now();
  const auto reading =
      read_catalog({.host = "127.0.0.1", .port = server.port, .connect_timeout = 300ms}, {"user=x"}, {}, "d");
  EXPECT_EQ(reading.error, "timed out");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(catalog_query, a_stop_ends_it_early) {
  const mute_server server;
  std::atomic<bool> stop{false};
  const auto start = std::chrono::steady_clock::now();
  std::thread stopper([&stop] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  });
  const auto reading = read_catalog({.host = "127.0.0.1", .port = server.port, .connect_timeout = 30s},
                                    {"user=x"}, {}, "d", stop);
  stopper.join();
  EXPECT_EQ(reading.error, "stopped");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

}  // namespace
}  // namespace proxy::ops
