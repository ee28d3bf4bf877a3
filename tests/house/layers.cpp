#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/house/checks.hpp"
#include "tests/house/source_text.hpp"

namespace house {
namespace {

struct layer {
  std::string_view folder;
  std::vector<std::string_view> own;       // prefixes of this project's headers it may include
  std::vector<std::string_view> external;  // prefixes of libraries' headers; "*": any
};

// The first folder that fits a path decides.
const std::vector<layer>& layers() {
  static const std::vector<layer> table = {
      {"protocol/", {"protocol/"}, {}},
      {"rules/", {"rules/"}, {"toml++/", "pg_query.h", "pg_query/", "protobuf/", "protobuf-c/"}},
      {"proxy/session/", {"protocol/", "rules/", "proxy/session/"}, {}},
      {"proxy/", {"protocol/", "rules/", "proxy/"}, {"*"}},
      {"tests/race/", {"tests/race/"}, {"libpq-fe.h", "poll.h", "unistd.h", "gtest/"}},
      {"tests/house/", {"tests/house/"}, {"gtest/"}},
      {"tests/", {"protocol/", "rules/", "proxy/", "tests/"}, {"*"}},
  };
  return table;
}

struct include {
  std::size_t line = 0;
  std::string_view header;
  bool quoted = false;
};

std::vector<include> includes_of(std::string_view text) {
  std::vector<include> found;
  std::size_t number = 0;
  for (std::string_view line : lines_of(text)) {
    ++number;
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!line.starts_with("#")) continue;
    const std::size_t word = line.find("include");
    const std::size_t open = line.find_first_of("<\"");
    if (word == std::string_view::npos || open == std::string_view::npos || open < word) continue;
    const std::size_t end = line.find_first_of(">\"", open + 1);
    if (end == std::string_view::npos) continue;
    found.push_back({number, line.substr(open + 1, end - open - 1), line[open] == '"'});
  }
  return found;
}

// The standard library's headers, and no others, have neither a dot nor a slash.
bool is_standard(std::string_view header) {
  return header.find_first_of("./") == std::string_view::npos;
}

bool starts_with_any(std::string_view header, const std::vector<std::string_view>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [header](std::string_view prefix) {
    return prefix == "*" || header.starts_with(prefix);
  });
}

bool is_ours(std::string_view header) {
  static constexpr std::array<std::string_view, 4> folders = {"protocol/", "rules/", "proxy/", "tests/"};
  return std::any_of(folders.begin(), folders.end(),
                     [header](std::string_view folder) { return header.starts_with(folder); });
}

std::optional<std::string> wrong_with(const include& one, const layer& where) {
  const std::string name(one.header);
  if (one.quoted != is_ours(one.header)) {
    return one.quoted ? "\"" + name + "\": our headers are named from the top, others stand in <>"
                      : "<" + name + ">: our headers stand in quotes";
  }
  if (one.quoted) {
    if (starts_with_any(one.header, where.own)) return std::nullopt;
  } else if (is_standard(one.header) || starts_with_any(one.header, where.external)) {
    return std::nullopt;
  }
  return std::string(where.folder) + " must not know " + name;
}

}  // namespace

std::vector<finding> check_layers(std::string_view path, std::string_view text) {
  if (!path.ends_with(".cpp") && !path.ends_with(".hpp")) return {};
  const auto where = std::find_if(layers().begin(), layers().end(),
                                  [path](const layer& one) { return path.starts_with(one.folder); });
  if (where == layers().end()) return {{std::string(path), 0, "C++ in a folder that is no layer"}};
  std::vector<finding> found;
  for (const include& one : includes_of(text)) {
    if (auto message = wrong_with(one, *where)) {
      found.push_back({std::string(path), one.line, std::move(*message)});
    }
  }
  return found;
}

}  // namespace house
