// The database's side of a race: makes the tables, opens the books before a scenario and audits them after
// it. Works over a connection of its own, which should not lead through a proxy.
#pragma once

#include <cstdint>
#include <string>

#include "tests/race/connection.hpp"
#include "tests/race/scenario.hpp"
#include "tests/race/tally.hpp"

namespace race {

/// What the audit found; all zero when the books are right.
struct audit {
  cents money_lost = 0;  // over all wallets, what the balances differ by from what was acknowledged
  std::uint64_t overdrawn_rows = 0;  // balances below zero at the end
  std::uint64_t overdrafts = 0;      // writes after which a balance was below zero
  std::uint64_t duplicates = 0;      // ledger entries too many of one operation, order or item
  std::uint64_t unentered = 0;       // operations acknowledged that the ledger does not have
  std::uint64_t ghosts = 0;          // operations in the ledger whose client was told that they failed
  std::string problem{};             // why the audit itself failed, else empty

  [[nodiscard]] bool clean() const;
};

class books {
 public:
  explicit books(connection& direct) : direct_(&direct) {}

  /// Creates wallets, transactions and items, unless they are there. Empty: done, else what is wrong; tables
  /// of these names that race did not create are never touched. The roles of `users` clients are made, too.
  [[nodiscard]] std::string set_up(std::uint32_t users);

  /// Empties the tables and fills in the opening balances and `items` items. Empty: done, else what is wrong.
  [[nodiscard]] std::string open(const scenario&, std::int64_t wallets, std::int64_t items);

  [[nodiscard]] audit close(const scenario&, const tally& known);

 private:
  [[nodiscard]] std::string foreign_table();
  [[nodiscard]] std::string make_roles(std::uint32_t users);
  [[nodiscard]] std::string run(const std::string& sql);
  void audit_wallets(const scenario&, const std::map<std::int64_t, movement>& expected, audit& found);
  void audit_ledger(const tally& known, std::map<std::int64_t, movement>& expected, audit& found);

  connection* direct_;
};

}  // namespace race
