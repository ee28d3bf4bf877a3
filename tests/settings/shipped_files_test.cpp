// The files in conf/ are promises: they load, and pgteller.toml shows every key with its true default.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "proxy/ops/settings.hpp"

namespace proxy::ops {
namespace {

const std::string conf = std::string(PGTELLER_SOURCE_DIR) + "/conf/";

settings loaded(const std::string& name) {
  const auto result = load_settings(conf + name);
  for (const auto& problem : result.problems) ADD_FAILURE() << to_text(problem);
  return result.value;
}

std::string text_of(const std::string& name) {
  std::ifstream file(conf + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Switches on the commented table that begins with `head`, up to the next empty line.
void switch_on(std::string& text, std::string_view head) {
  std::size_t at = text.find(head);
  while (at != std::string::npos && at < text.size() && text[at] != '\n') {
    if (text.compare(at, 2, "# ") == 0) text.erase(at, 2);
    at = text.find('\n', at);
    if (at != std::string::npos) ++at;
  }
}

// pgteller.toml with its commented rules switched on.
std::string with_rule() {
  std::string text = text_of("pgteller.toml");
  switch_on(text, "# [[rule]]\n");
  switch_on(text, "# [[once]]\n");
  return text;
}

TEST(shipped_files, reference_shows_the_defaults) {
  const auto shown = loaded("pgteller.toml");
  const settings defaults;
  EXPECT_EQ(shown.listen.address, defaults.listen.address);
  EXPECT_EQ(shown.listen.port, defaults.listen.port);
  EXPECT_EQ(shown.listen.max_connections, defaults.listen.max_connections);
  EXPECT_EQ(shown.listen.threads, defaults.listen.threads);
  EXPECT_EQ(shown.listen.startup_timeout, defaults.listen.startup_timeout);
  EXPECT_EQ(shown.listen.shutdown_grace, defaults.listen.shutdown_grace);
  EXPECT_EQ(shown.upstream.host, defaults.upstream.host);
  EXPECT_EQ(shown.upstream.port, defaults.upstream.port);
  EXPECT_EQ(shown.upstream.sslmode, defaults.upstream.sslmode);
  EXPECT_EQ(shown.upstream.connect_timeout, defaults.upstream.connect_timeout);
  EXPECT_EQ(shown.catalog.conninfo, defaults.catalog.conninfo);
  EXPECT_EQ(shown.metrics.address, defaults.metrics.address);
  EXPECT_EQ(shown.metrics.port, defaults.metrics.port);
  EXPECT_EQ(shown.log.level, defaults.log.level);
  EXPECT_EQ(shown.log.format, defaults.log.format);
  EXPECT_EQ(shown.log.values, defaults.log.values);
  EXPECT_TRUE(shown.rules.rules.empty());
}

TEST(shipped_files, reference_rule_shows_the_defaults_too) {
  const auto result = parse_settings(with_rule(), "pgteller.toml");
  for (const auto& problem : result.problems) ADD_FAILURE() << to_text(problem);
  rules::rule expected;
  expected.name = "wallet-balance";
  expected.table = "wallets";
  expected.columns = {"balance"};
  expected.key = {"id"};
  expected.min = "0";
  expected.max = "999999999.99";
  ASSERT_EQ(result.value.rules.rules.size(), 1U);
  EXPECT_EQ(result.value.rules.rules.front(), expected);
  ASSERT_EQ(result.value.rules.once.size(), 1U);
  EXPECT_EQ(result.value.rules.once.front().key, std::vector<std::string>{"order_id"});
}

TEST(shipped_files, reference_names_every_key) {
  const auto text = "\n" + with_rule();
  for (const auto* key : {"address",
                          "port",
                          "max_connections",
                          "threads",
                          "startup_timeout",
                          "shutdown_grace",
                          "tls_cert_file",
                          "tls_key_file",
                          "tls_mode",
                          "host",
                          "sslmode",
                          "sslrootcert",
                          "connect_timeout",
                          "statement_cache",
                          "conninfo",
                          "level",
                          "format",
                          "values",
                          "name",
                          "table",
                          "columns",
                          "key",
                          "version",
                          "strategy",
                          "mode",
                          "min",
                          "max",
                          "lock_reads",
                          "row_lock",
                          "lock_timeout",
                          "turns",
                          "turn_timeout",
                          "read_ttl",
                          "reread",
                          "correlate",
                          "on_blind_write",
                          "on_opaque",
                          "group_commit",
                          "databases",
                          "users",
                          "except_users"}) {
    EXPECT_NE(text.find("\n" + std::string(key) + " = "), std::string::npos) << key;
  }
}

TEST(shipped_files, wallet_example) {
  const auto value = loaded("examples/wallet.toml");
  ASSERT_EQ(value.rules.rules.size(), 1U);
  EXPECT_EQ(value.rules.rules[0].table, "wallets");
  EXPECT_EQ(value.rules.rules[0].columns, std::vector<std::string>{"balance"});
  EXPECT_EQ(value.rules.rules[0].min, "0");
}

TEST(shipped_files, inventory_example) {
  const auto value = loaded("examples/inventory.toml");
  ASSERT_EQ(value.rules.rules.size(), 1U);
  EXPECT_EQ(value.rules.rules[0].table, "items");
  EXPECT_EQ(value.rules.rules[0].min, "0");
  EXPECT_EQ(value.rules.rules[0].except_users, std::vector<std::string>{"report"});
}

TEST(shipped_files, transfer_example) {
  const auto value = loaded("examples/transfer.toml");
  ASSERT_EQ(value.rules.rules.size(), 1U);
  EXPECT_EQ(value.rules.rules[0].schema, "ledger");
  EXPECT_EQ(value.rules.rules[0].min, "-500.00");
  EXPECT_EQ(value.rules.rules[0].max, "1000000000.00");
}

TEST(shipped_files, shop_example) {
  const auto value = loaded("examples/shop.toml");
  ASSERT_EQ(value.rules.rules.size(), 2U);
  EXPECT_EQ(value.rules.rules[0].table, "wallets");
  EXPECT_EQ(value.rules.rules[1].table, "items");
  ASSERT_EQ(value.rules.once.size(), 1U);
  EXPECT_EQ(value.rules.once[0].key, std::vector<std::string>{"order_id"});
}

}  // namespace
}  // namespace proxy::ops
