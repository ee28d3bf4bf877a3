// How the result of a race reads: for people, beside another one, and for machines.
// Measures nothing itself.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/race/books.hpp"
#include "tests/race/options.hpp"
#include "tests/race/scenario.hpp"
#include "tests/race/tally.hpp"

namespace race {

struct report {
  const race::scenario* scenario = nullptr;
  race::style style = style::simple;
  std::string target;  // "host:port"
  tally known;
  race::audit audit;
  std::chrono::microseconds elapsed{0};

  [[nodiscard]] double per_second() const;
  [[nodiscard]] std::uint64_t errors(const std::string& sqlstate) const;
  /// Percent of attempts that ended in 40P01.
  [[nodiscard]] double deadlock_share() const;
};

/// A paragraph of a few lines.
[[nodiscard]] std::string to_text(report&);

/// One JSON array of objects; amounts of money are strings, durations are in milliseconds.
[[nodiscard]] std::string to_json(std::vector<report>&);

/// One line of cells with tabs between, as --help lists them.
[[nodiscard]] std::string to_cells(report&, const std::string& title, std::string_view verdict);

/// One table, a paragraph for each scenario: without a proxy, and with it. What is 0 in both is left out.
[[nodiscard]] std::string side_by_side(const std::vector<std::pair<report, report>>&,
                                       const std::string& proxy_name);

}  // namespace race
