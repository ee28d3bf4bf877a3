#include "tests/house/tree.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace house {
namespace {

bool has_source_suffix(const std::string& path) {
  static constexpr std::array<std::string_view, 9> suffixes = {
      ".cpp", ".hpp", ".sh", ".py", ".cmake", ".md", ".toml", ".c", "CMakeLists.txt"};
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&path](std::string_view suffix) { return path.ends_with(suffix); });
}

bool is_skipped_folder(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  return name == "build" || name == "corpus" || (name.starts_with('.') && name != ".ci");
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

bool is_cpp(const source_file& file) {
  return file.path.ends_with(".cpp") || file.path.ends_with(".hpp");
}

bool is_script(const source_file& file) {
  return file.text.starts_with("#!") || file.path.ends_with(".sh") || file.path.ends_with(".py");
}

std::vector<source_file> source_files(const std::string& top) {
  namespace fs = std::filesystem;
  std::vector<source_file> files;
  for (auto at = fs::recursive_directory_iterator(top); at != fs::recursive_directory_iterator(); ++at) {
    if (at->is_directory()) {
      if (is_skipped_folder(at->path())) at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file()) continue;
    source_file file{fs::relative(at->path(), top).generic_string(), {}};
    const bool named = has_source_suffix(file.path);
    if (!named && at->path().has_extension()) continue;
    file.text = read(at->path());
    if (named || file.text.starts_with("#!")) files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace house
