#include "tests/rules/fixtures.hpp"

namespace rules::testing {
namespace {

table make_table(std::uint32_t oid, std::string schema, std::string name, std::vector<column> columns,
                 std::vector<std::string> primary_key) {
  table made;
  made.oid = oid;
  made.schema = std::move(schema);
  made.name = std::move(name);
  made.columns = std::move(columns);
  std::int16_t number = 0;
  for (auto& each : made.columns) each.number = ++number;
  made.primary_key = std::move(primary_key);
  return made;
}

rule make_rule(std::string name, std::string table, std::vector<std::string> columns) {
  rule made;
  made.name = std::move(name);
  made.table = std::move(table);
  made.columns = std::move(columns);
  return made;
}

rule bounded(rule made, std::string min) {
  made.min = std::move(min);
  return made;
}

rule stock_rule() {
  rule made = bounded(make_rule("stock", "Stock Items", {"quantity"}), "0");
  made.row_lock = row_lock::update;
  made.lock_timeout = std::chrono::milliseconds{0};
  return made;
}

rule_set bounds_situation() {
  rule wallets = bounded(wallet_rule(), "-12.50");
  wallets.max = "1000000";
  wallets.lock_timeout = std::chrono::milliseconds{250};
  return {{wallets, bounded(make_rule("account-balance", "accounts", {"balance"}), "0"),
           bounded(make_rule("voucher", "vouchers", {"remaining"}), "0"), stock_rule(),
           bounded(make_rule("till", "tills", {"cash"}), "0")},
          {}};
}

// Two columns, a version, a composite key, and a bounded integer.
rule_set columns_situation(bool escrow) {
  rule wallets = make_rule("wallets", "wallets", {"balance", "reserved"});
  wallets.version = {"version"};
  rule vouchers = bounded(make_rule("voucher", "vouchers", {"remaining"}), "0");
  rule accounts = make_rule("account-balance", "accounts", {"balance"});
  rule stock = make_rule("stock", "Stock Items", {"quantity"});
  stock.lock_timeout = std::chrono::milliseconds{0};
  rule_set made{{wallets, vouchers, accounts, stock}, {}};
  if (escrow) {
    for (auto& each : made.rules) each.strategy = strategy::escrow;
  }
  return made;
}

}  // namespace

catalog shop_catalog() {
  catalog made;
  made.database = "shop";
  auto wallets = make_table(20001, "public", "wallets",
                            {{"id", 0, 20, "bigint"},
                             {"user_id", 0, 20, "bigint"},
                             {"balance", 0, 1700, "numeric(12,2)"},
                             {"reserved", 0, 1700, "numeric(12,2)"},
                             {"status", 0, 25, "text"},
                             {"version", 0, 23, "integer"},
                             {"email", 0, 25, "text"}},
                            {"id"});
  wallets.unique_keys = {{"email"}};
  wallets.roles_without_update = {"reporter"};
  made.tables.push_back(wallets);
  made.tables.push_back(make_table(
      20002, "app", "accounts",
      {{"id", 0, 2950, "uuid"}, {"owner", 0, 25, "text"}, {"balance", 0, 701, "double precision"}}, {"id"}));
  made.tables.push_back(make_table(20003, "public", "vouchers",
                                   {{"code", 0, 25, "text"}, {"remaining", 0, 23, "integer"}}, {"code"}));
  made.tables.push_back(
      make_table(20004, "public", "Stock Items",
                 {{"shop_id", 0, 23, "integer"}, {"SKU", 0, 25, "text"}, {"quantity", 0, 23, "integer"}},
                 {"shop_id", "SKU"}));
  made.tables.push_back(
      make_table(20005, "public", "tills",
                 {{"id", 0, 23, "integer"}, {"cash", 0, 790, "money"}, {"order", 0, 23, "integer"}}, {"id"}));
  made.tables.push_back(make_table(20006, "public", "keyless", {{"balance", 0, 23, "integer"}}, {}));
  made.tables.push_back(
      make_table(20007, "north", "ledgers", {{"id", 0, 23, "integer"}, {"total", 0, 23, "integer"}}, {"id"}));
  made.tables.push_back(
      make_table(20008, "south", "ledgers", {{"no", 0, 23, "integer"}, {"total", 0, 23, "integer"}}, {"no"}));
  made.tables.push_back(make_table(20009, "public", "transactions",
                                   {{"id", 0, 20, "bigint"},
                                    {"order_id", 0, 20, "bigint"},
                                    {"kind", 0, 1043, "character varying(20)"},
                                    {"amount", 0, 1700, "numeric(12,2)"},
                                    {"note", 0, 25, "text"}},
                                   {"id"}));
  made.aliases = {{"public", "wallet_view", 'v', 20001},
                  {"public", "wallets_2024", 'r', 20001},
                  {"public", "transaction_view", 'v', 20009}};
  made.volatile_functions = {"draw_number", "nextval", "random"};
  return made;
}

catalog corpus_catalog() {
  catalog made = shop_catalog();
  made.aliases.push_back({"public", "rich_wallets", 'v', 20001});
  made.aliases.push_back({"public", "assets", 'r', 20001});
  made.aliases.push_back({"pg_temp_3", "my_wallets", 'v', 20001});
  made.functions = {{"public", "pay", 20001}, {"shop_code", "pay", 20001}};
  return made;
}

rule wallet_rule() {
  return make_rule("wallet-balance", "wallets", {"balance"});
}

rule_set situation(std::string_view name) {
  rule made = wallet_rule();
  if (name == "plain") return {{made}, {}};
  if (name == "bounds") return bounds_situation();
  if (name == "notes" || name == "escrow") return columns_situation(name == "escrow");
  if (name == "corpus") return {{bounded(made, "0"), make_rule("voucher", "vouchers", {"remaining"})}, {}};
  if (name == "two rules") {
    rule reserved = make_rule("reserved", "wallets", {"reserved"});
    return {{made, reserved, make_rule("voucher", "vouchers", {"remaining"})}, {}};
  }
  if (name == "once") {
    return {{},
            {{"one-credit-per-order", "", "transactions", {"order_id"}},
             {"one-of-a-kind", "public", "transactions", {"kind", "note"}}}};
  }
  if (name == "defects") {
    rule text = bounded(make_rule("text", "vouchers", {"code"}), "0");
    return {{make_rule("keyless", "keyless", {"balance"}), make_rule("ledger", "ledgers", {"total"}), text},
            {}};
  }
  if (name == "lock all reads") made.lock_reads = lock_reads::all;
  if (name == "lock reads by key") made.lock_reads = lock_reads::key;
  if (name == "lock no reads") made.lock_reads = lock_reads::none;
  if (name == "share") made.row_lock = row_lock::share;
  if (name == "observe") made.mode = mode::observe;
  if (name == "optimistic") made.strategy = strategy::optimistic;
  if (name == "optimistic") made.version = {"version"};
  made.group_commit = name == "shared commits";
  if (name == "observe" || name == "reject") made.min = "0";
  if (name == "reject") made.on_opaque = policy::reject;
  return made == wallet_rule() ? rule_set{} : rule_set{{made}, {}};
}

std::shared_ptr<const rule_book> book_of(std::string_view situation_name) {
  return rule_book::compile(situation(situation_name), shop_catalog(), "app", situation_name == "bounds");
}

}  // namespace rules::testing
