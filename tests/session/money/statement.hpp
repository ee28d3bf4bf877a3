// Statements of the simulation, the clients' and the hidden ones, read into what the model runs.
// Knows no rows; whatever it cannot read raises 42601, so that no generated text is passed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/session/money/expression.hpp"

namespace money {

enum class verb : std::uint8_t {
  empty,
  begin,
  commit,
  rollback,
  savepoint,
  rollback_to,
  release,
  select,
  update,
  remove,
  prelude,  // a hidden statement: locks rows and counts
  raise,    // a hidden statement that only fails
};

struct statement {
  std::string text;
  verb what = verb::empty;
  std::string savepoint;
  std::vector<std::string> columns;  // of SELECT
  std::optional<expression> where;
  expression assigned;  // to the balance
  bool locks = false;   // FOR UPDATE and its like
  // Of a prelude: what each locked row yields, what is counted over that, and whether no row counts as one.
  std::vector<std::pair<std::string, expression>> yields;
  expression counted;
  bool outer = false;
  bool counts_nulls = false;
  bool timed = false;
  std::chrono::milliseconds lock_timeout{0};  // 0: none
  std::size_t parameters = 0;

  [[nodiscard]] bool ends_block() const { return what == verb::commit || what == verb::rollback; }
  [[nodiscard]] bool takes_snapshot_at_bind() const { return what == verb::select || what == verb::prelude; }
};

/// Those read lately are remembered.
[[nodiscard]] std::shared_ptr<const statement> read_statement(std::string_view sql);
/// The statements of a string.
[[nodiscard]] std::vector<std::string> split_statements(std::string_view sql);

}  // namespace money
