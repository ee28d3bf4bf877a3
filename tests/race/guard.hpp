// The ways in which pgteller can guard a race: what its configuration says, and what is promised for each
// bug. Knows pgteller by its documentation only; every promise stands here once, and is held against what was
// seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/race/scenario.hpp"

namespace race {

struct guard {
  std::string_view name;       // for the command line
  std::string_view strategy;   // as in a [[rule]]; empty: no rule on what is raced for
  std::string_view turns;      // likewise; empty: the default
  std::string_view correlate;  // likewise
  bool shares = false;         // group_commit
};

[[nodiscard]] const std::vector<guard>& guards();

/// Null: there is none of that name.
[[nodiscard]] const guard* find_guard(std::string_view name);

/// The rules to put into pgteller's configuration. Their timeouts are long, so that a slow machine decides
/// nothing.
[[nodiscard]] std::string rules_text(const guard&);

/// What a promise depends on besides guard and scenario.
struct surroundings {
  std::uint32_t clients = 32;
  std::uint32_t users = 0;  // how many roles the clients share; 0: all have the same
  bool alone = true;        // nobody else writes: no second pgteller, no client that by-passes
};

struct promise {
  bool safe = false;           // nothing lost, overdrawn or done twice
  bool no_conflicts = false;   // no client sees 40001
  double fewer_deadlocks = 0;  // percent of attempts; 0: nothing is promised
};

[[nodiscard]] promise promised(const guard&, const scenario&, const surroundings&);

}  // namespace race
