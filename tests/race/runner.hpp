// Plays one scenario with many clients at once against one address.
// Knows neither what the scenario does nor whether the books are right.
#pragma once

#include <chrono>
#include <string>

#include "tests/race/options.hpp"
#include "tests/race/scenario.hpp"
#include "tests/race/tally.hpp"

namespace race {

struct run_result {
  tally known;
  std::chrono::microseconds elapsed{0};
  std::string problem;  // why there was no run, else empty
};

/// Every client connects first; then all begin at the same moment. Operations under way at the end are
/// finished. What the options say of other addresses and of clients that by-pass is done as well.
[[nodiscard]] run_result play(const scenario&, const options&, const address& target);

}  // namespace race
