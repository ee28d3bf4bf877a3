// Finds the functions of a C++ file by its braces and says how long each is.
// It knows no C++ grammar beyond that: a namespace-scope lambda or a TEST() counts as a function, too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace house {

struct function_span {
  std::string head;  // what stands before the body, on one line
  std::size_t first_line = 0;
  std::size_t last_line = 0;

  [[nodiscard]] std::size_t length() const { return last_line - first_line + 1; }
};

struct function_list {
  std::vector<function_span> functions;
  bool balanced = true;  // false: the braces do not match, so nothing here can be trusted
};

/// Every function with a body, in the order of the file. A lambda inside a function belongs to that function.
[[nodiscard]] function_list functions_of(std::string_view text);

}  // namespace house
