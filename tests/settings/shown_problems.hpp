// The diagnostics of a piece of TOML as the operator sees them, one a line.
// Knows nothing of what they should be.
#pragma once

#include <string>
#include <string_view>

#include "proxy/ops/settings.hpp"

namespace proxy::ops {

inline std::string problems_of(std::string_view toml) {
  std::string text;
  for (const auto& problem : parse_settings(toml, "f").problems) text += to_text(problem) + "\n";
  return text;
}

}  // namespace proxy::ops
