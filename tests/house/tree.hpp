// The files of this source tree, read from disk, for checks that look at all of them.
// Does not know what is checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace house {

struct source_file {
  std::string path;  // from the top of the tree, with '/'
  std::string text;
};

/// Everything people write: C++, scripts (by name or by their first line), CMake, TOML and Markdown.
/// Hidden folders (.ci apart) and build/ are not looked at.
[[nodiscard]] std::vector<source_file> source_files(const std::string& top);

[[nodiscard]] bool is_cpp(const source_file&);
[[nodiscard]] bool is_script(const source_file&);

}  // namespace house
