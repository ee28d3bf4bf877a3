// Holds what was seen of a race against what was expected of it. Plays nothing and prints nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/race/options.hpp"
#include "tests/race/report.hpp"

namespace race {

/// Which of the options' expectations the run did not meet, a sentence each.
[[nodiscard]] std::vector<std::string> broken_expectations(const report&, const options&);

/// "as expected", "BROKEN" or "nothing promised", where nothing was expected.
[[nodiscard]] std::string_view verdict_of(const report&, const options&);

}  // namespace race
