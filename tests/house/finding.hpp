// One thing a house check found, and how a list of them reads in a test's output.
// Knows nothing of what is checked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace house {

struct finding {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the whole file
  std::string message;
};

/// One "path:line: message" a line; empty when nothing was found.
[[nodiscard]] std::string to_text(const std::vector<finding>&);

}  // namespace house
