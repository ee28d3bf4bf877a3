#include <gtest/gtest.h>

#include "proxy/ops/settings.hpp"

namespace proxy::ops {
namespace {

using std::chrono::milliseconds;

settings good(std::string_view toml) {
  const auto loaded = parse_settings(toml, "test.toml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << to_text(problem);
  return loaded.value;
}

TEST(good_settings, an_empty_file_is_all_defaults) {
  const auto value = good("");
  EXPECT_EQ(value.listen.address, "127.0.0.1");
  EXPECT_EQ(value.listen.port, 7432);
  EXPECT_EQ(value.listen.max_connections, 1000U);
  EXPECT_EQ(value.upstream.port, 5432);
  EXPECT_EQ(value.catalog.conninfo, "user=pgteller");
  EXPECT_EQ(value.metrics.port, 9732);
  EXPECT_EQ(value.log.level, log_level::info);
  EXPECT_TRUE(value.rules.rules.empty());
}

TEST(good_settings, every_key_of_the_sections) {
  const auto value = good(R"(
[listen]
address = "::"
port = 0
max_connections = 7
threads = 3
shutdown_grace = "0"
tls_cert_file = ""
tls_key_file = ""
tls_mode = "disable"
[upstream]
host = "/run/postgresql"
port = 5433
sslmode = "disable"
sslrootcert = ""
connect_timeout = "250ms"
statement_cache = 100
[catalog]
conninfo = "user=reader dbname=shop"
[metrics]
address = "0.0.0.0"
port = 1
[log]
level = "trace"
format = "json"
values = true
)");
  EXPECT_EQ(value.listen.address, "::");
  EXPECT_EQ(value.listen.port, 0);
  EXPECT_EQ(value.listen.max_connections, 7U);
  EXPECT_EQ(value.listen.threads, 3U);
  EXPECT_EQ(value.upstream.statement_cache, 100U);
  EXPECT_EQ(value.listen.shutdown_grace, milliseconds{0});
  EXPECT_EQ(value.upstream.host, "/run/postgresql");
  EXPECT_EQ(value.upstream.port, 5433);
  EXPECT_EQ(value.upstream.sslmode, ssl_mode::disable);
  EXPECT_EQ(value.upstream.connect_timeout, milliseconds{250});
  EXPECT_EQ(value.catalog.conninfo, "user=reader dbname=shop");
  EXPECT_EQ(value.metrics.address, "0.0.0.0");
  EXPECT_EQ(value.metrics.port, 1);
  EXPECT_EQ(value.log.level, log_level::trace);
  EXPECT_EQ(value.log.format, log_format::json);
  EXPECT_TRUE(value.log.values);
}

TEST(good_settings, every_key_of_a_rule) {
  const auto value = good(R"(
[[rule]]
name = "r"
table = '"Shop".Wallets'
columns = ["Balance", '"Held"']
key = ["ID"]
version = ["lock_version"]
strategy = "pessimistic"
mode = "observe"
min = -5
max = "+12.50"
lock_reads = "key"
row_lock = "update"
lock_timeout = "1m"
turns = "off"
turn_timeout = "2s"
read_ttl = "3s"
reread = "first"
correlate = "session"
on_blind_write = "allow"
on_opaque = "reject"
group_commit = false
databases = ["Shop"]
users = ["App"]
except_users = ["report"]
)");
  rules::rule expected;
  expected.name = "r";
  expected.schema = "Shop";
  expected.table = "wallets";
  expected.columns = {"balance", "Held"};
  expected.key = {"id"};
  expected.version = {"lock_version"};
  expected.mode = rules::mode::observe;
  expected.min = "-5";
  expected.max = "12.50";
  expected.lock_reads = rules::lock_reads::key;
  expected.row_lock = rules::row_lock::update;
  expected.lock_timeout = milliseconds{60'000};
  expected.turns = rules::turns::off;
  expected.turn_timeout = milliseconds{2000};
  expected.read_ttl = milliseconds{3000};
  expected.on_opaque = rules::policy::reject;
  expected.databases = {"Shop"};
  expected.users = {"App"};
  expected.except_users = {"report"};
  ASSERT_EQ(value.rules.rules.size(), 1U);
  EXPECT_EQ(value.rules.rules.front(), expected);
}

TEST(good_settings, a_short_rule_has_the_defaults) {
  const auto value = good("[[rule]]\nname = 'r'\ntable = 't'\ncolumns = ['c']\n");
  rules::rule expected;
  expected.name = "r";
  expected.table = "t";
  expected.columns = {"c"};
  EXPECT_EQ(value.rules.rules.at(0), expected);
}

TEST(good_settings, rules_keep_the_order_of_the_file) {
  const auto value = good(
      "[[rule]]\nname = 'b'\ntable = 't'\ncolumns = ['c']\n[[rule]]\nname = 'a'\ntable = 't'\ncolumns = "
      "['d']\n");
  EXPECT_EQ(value.rules.rules.at(0).name, "b");
  EXPECT_EQ(value.rules.rules.at(1).name, "a");
}

TEST(good_settings, equal_bounds_are_possible_however_written) {
  EXPECT_EQ(good("[[rule]]\nname='r'\ntable='t'\ncolumns=['c']\nmin='1.0'\nmax=1\n").rules.rules.at(0).min,
            "1.0");
}

}  // namespace
}  // namespace proxy::ops
