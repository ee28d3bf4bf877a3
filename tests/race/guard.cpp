#include "tests/race/guard.hpp"

namespace race {
namespace {

// One [[rule]] up to its bounds.
std::string rule_text(const guard& by, std::string_view name, std::string_view table,
                      std::string_view column) {
  std::string text = "[[rule]]\n";
  const auto add = [&text](std::string_view key, std::string_view value) {
    if (!value.empty()) text += std::string(key) + " = \"" + std::string(value) + "\"\n";
  };
  add("name", name);
  add("table", table);
  text += "columns = [\"" + std::string(column) + "\"]\n";
  add("strategy", by.strategy);
  add("turns", by.turns);
  add("correlate", by.correlate);
  add("lock_timeout", "20s");
  add("turn_timeout", "5s");
  if (by.shares) text += "group_commit = true\n";
  return text;
}

bool correlates(const guard& by, bond how) {
  switch (how) {
    case bond::connection:
      return by.correlate != "trace";  // these statements carry none
    case bond::client:
      return by.correlate == "client";
    case bond::trace:
      return by.correlate != "session";
  }
  return false;
}

// A turn is begun by every read by key, so nobody can come between that read and its write.
bool always_in_turn(const guard& by, const scenario& played) {
  const bool by_key = played.name != "read-by-another-key";
  const bool on = by.turns == "on" && by.correlate == "session";
  return by.strategy == "pessimistic" && by_key && (on || by.correlate == "client");
}

// A write is put on the newest value, unless another session of the same client (its user and address) has
// read the row since: then it may belong to that read, and is validated.
bool always_rebased(const guard& by, const surroundings& around) {
  if (by.strategy != "escrow") return false;
  return by.correlate == "client" || (by.correlate == "session" && around.users >= around.clients);
}

double fewer_deadlocks(const guard& by, const surroundings& around) {
  constexpr std::uint32_t most_clients = 8;
  if (by.strategy != "pessimistic" || by.correlate != "session" || around.clients > most_clients) return 0;
  if (by.turns == "on") return 2;
  return by.turns == "adaptive" ? 5 : 0;
}

}  // namespace

const std::vector<guard>& guards() {
  static const std::vector<guard> table = {
      {"pessimistic-on", "pessimistic", "on", "session"},
      {"pessimistic-adaptive", "pessimistic", "adaptive", "session"},
      {"pessimistic-off", "pessimistic", "off", "session"},
      {"optimistic", "optimistic", "", "session"},
      {"escrow", "escrow", "", "session"},
      // With correlate = "client" turns are on whatever `turns` says.
      {"pessimistic-client", "pessimistic", "adaptive", "client"},
      {"optimistic-client", "optimistic", "", "client"},
      {"escrow-client", "escrow", "", "client"},
      {"pessimistic-trace", "pessimistic", "on", "trace"},
      {"optimistic-trace", "optimistic", "", "trace"},
      {"escrow-trace", "escrow", "", "trace"},
      {"pessimistic-shared", "pessimistic", "adaptive", "session", true},
      {"optimistic-shared", "optimistic", "", "session", true},
      {"escrow-shared", "escrow", "", "session", true},
      {"no-rule", "", "", ""},
  };
  return table;
}

const guard* find_guard(std::string_view name) {
  for (const guard& each : guards()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::string rules_text(const guard& by) {
  const std::string note = "# What a race is guarded by: " + std::string(by.name) + ".\n";
  if (by.strategy.empty()) return note + rule_text(by, "elsewhere", "items", "label");
  return note + rule_text(by, "wallet-balance", "wallets", "balance") + "min = 0\n\n" +
         rule_text(by, "item-on-the-shelf", "items", "quantity") +
         "\n[[once]]\nname = \"one-credit-per-order\"\ntable = \"transactions\"\nkey = [\"order_id\"]\n";
}

promise promised(const guard& by, const scenario& played, const surroundings& around) {
  promise made;
  made.safe = !by.strategy.empty() && correlates(by, played.bond);
  if (!made.safe || !around.alone) return made;
  made.no_conflicts = played.autocommit && (always_in_turn(by, played) || always_rebased(by, around));
  if (played.name == hot_transfer) made.fewer_deadlocks = fewer_deadlocks(by, around);
  return made;
}

}  // namespace race
