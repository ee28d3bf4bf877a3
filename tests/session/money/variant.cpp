#include "tests/session/money/variant.hpp"

#include <chrono>
#include <utility>

#include "rules/rule_book.hpp"

namespace money {
namespace {

using namespace std::chrono_literals;

rules::catalog catalog_with(int decimals) {
  rules::table wallets;
  wallets.oid = 16384;
  wallets.schema = "public";
  wallets.name = "wallets";
  wallets.columns = {
      {"id", 1, 20, "bigint"}, {"user_id", 2, 20, "bigint"}, {"balance", 3, 1700, "numeric(12,2)"}};
  if (decimals == 0) wallets.columns[2] = {"balance", 3, 23, "integer"};
  wallets.primary_key = {"id"};
  rules::catalog known;
  known.database = "shop";
  known.tables = {wallets};
  return known;
}

rules::rule plain_rule() {
  rules::rule made;
  made.name = "wallet-balance";
  made.table = "wallets";
  made.columns = {"balance"};
  made.min = "0";
  made.read_ttl = 24h;
  return made;
}

void add(std::vector<variant>& all, std::string name, rules::rule rule, int decimals = 2) {
  const auto compile = [&](const rules::rule_set& set) {
    return rules::rule_book::compile(set, catalog_with(decimals), "app", false);
  };
  auto set = std::make_shared<rules::rule_set>();
  set->rules = {std::move(rule)};
  std::vector<proxy::session::book_ptr> books{compile(*set)};
  rules::rule_set other = *set;
  other.rules.front().columns = {"user_id", "balance"};
  books.push_back(compile(other));
  for (const auto strategy :
       {rules::strategy::pessimistic, rules::strategy::optimistic, rules::strategy::escrow}) {
    other = *set;
    other.rules.front().strategy = strategy;
    if (strategy != set->rules.front().strategy) books.push_back(compile(other));
  }
  other = *set;
  other.rules.front().group_commit = !other.rules.front().group_commit;
  books.push_back(compile(other));
  all.push_back({std::move(name), decimals, std::move(set), std::move(books)});
}

void add_family(std::vector<variant>& all, const std::string& name, const rules::rule& rule) {
  add(all, name, rule);
  rules::rule forgetful = rule;
  forgetful.read_ttl = 3s;
  forgetful.on_blind_write = rules::policy::reject;
  add(all, name + ", reads end", forgetful, 0);
  // What one of the client's readers leaves behind stands in the way of the others until it ends.
  rules::rule shared = forgetful;
  shared.correlate = rules::correlate::client;
  shared.read_ttl = 60s;  // longer than anybody thinks: a read that has ended cannot be told from another's
  add(all, name + ", of a client", shared);
  shared = rule;
  shared.correlate = rules::correlate::trace;
  add(all, name + ", of a trace", shared);
  rules::rule last = rule;
  last.reread = rules::reread::last;
  last.lock_timeout = 0ms;
  add(all, name + ", the last read counts", last, 0);
}

std::vector<variant> make() {
  std::vector<variant> all;
  rules::rule rule = plain_rule();
  rule.turns = rules::turns::on;
  add_family(all, "pessimistic", rule);
  rule.turns = rules::turns::adaptive;
  add_family(all, "pessimistic, adaptive turns", rule);
  rule.turns = rules::turns::off;
  add_family(all, "pessimistic, no turns", rule);
  rule.strategy = rules::strategy::optimistic;
  add_family(all, "optimistic", rule);
  rule.strategy = rules::strategy::escrow;
  add_family(all, "escrow", rule);
  rule.group_commit = true;
  add_family(all, "escrow, shared commits", rule);
  rule.strategy = rules::strategy::optimistic;
  add_family(all, "optimistic, shared commits", rule);
  rule.strategy = rules::strategy::pessimistic;
  add_family(all, "pessimistic, no turns, shared commits", rule);
  rule.turns = rules::turns::adaptive;
  add_family(all, "pessimistic, adaptive turns, shared commits", rule);
  return all;
}

}  // namespace

const std::vector<variant>& variants() {
  static const std::vector<variant> made = make();
  return made;
}

}  // namespace money
