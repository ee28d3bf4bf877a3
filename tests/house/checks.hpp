// The rules of the house as pure functions from a path and a text to what is wrong with it.
// They read no files; the tests feed them the tree, and bad examples to show that each can fail.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/house/finding.hpp"

namespace house {

inline constexpr std::size_t longest_file = 400;     // lines
inline constexpr std::size_t longest_function = 60;  // lines, signature and closing brace included

/// Which folders and libraries a file may include, as CONTRIBUTING.md draws the layers. Paths start at the
/// top.
[[nodiscard]] std::vector<finding> check_layers(std::string_view path, std::string_view text);

/// In the layers without I/O: no clock is read; in those without exceptions: none is thrown or caught.
[[nodiscard]] std::vector<finding> check_purity(std::string_view path, std::string_view text);

/// No file or folder is named after nothing in particular.
[[nodiscard]] std::vector<finding> check_name(std::string_view path);

[[nodiscard]] std::vector<finding> check_file_length(std::string_view path, std::string_view text);
[[nodiscard]] std::vector<finding> check_function_length(std::string_view path, std::string_view text);

/// No note that something is still to be done or to be mended.
[[nodiscard]] std::vector<finding> check_leftovers(std::string_view path, std::string_view text);

/// A header opens with a comment and guards itself with #pragma once.
[[nodiscard]] std::vector<finding> check_header(std::string_view path, std::string_view text);

}  // namespace house
