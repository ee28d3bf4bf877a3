// The rules of the house, applied to every file of this tree.
#include "tests/house/tree.hpp"

#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/house/checks.hpp"

namespace house {
namespace {

using check = std::vector<finding> (*)(std::string_view, std::string_view);

std::string all_findings(check what, bool (*wanted)(const source_file&)) {
  std::vector<finding> found;
  for (const source_file& file : source_files(PGTELLER_SOURCE_DIR)) {
    if (!wanted(file)) continue;
    std::vector<finding> more = what(file.path, file.text);
    found.insert(found.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return to_text(found);
}

bool any_file(const source_file&) {
  return true;
}

bool is_code(const source_file& file) {
  return is_cpp(file) || is_script(file);
}

std::vector<finding> check_name_of(std::string_view path, std::string_view) {
  return check_name(path);
}

TEST(tree, is_found) {
  const std::vector<source_file> files = source_files(PGTELLER_SOURCE_DIR);
  const auto has = [&files](std::string_view path) {
    return std::any_of(files.begin(), files.end(),
                       [path](const source_file& file) { return file.path == path; });
  };
  EXPECT_TRUE(has("dev"));
  EXPECT_TRUE(has(".ci/run"));
  EXPECT_TRUE(has("CMakeLists.txt"));
  EXPECT_TRUE(has("tests/house/tree_test.cpp"));
  EXPECT_TRUE(has("tests/cluster.sh"));
}

TEST(tree, keeps_its_layers) {
  EXPECT_EQ(all_findings(check_layers, is_cpp), "");
}

TEST(tree, is_pure_where_it_promises) {
  EXPECT_EQ(all_findings(check_purity, is_cpp), "");
}

TEST(tree, is_named_after_what_it_does) {
  EXPECT_EQ(all_findings(check_name_of, any_file), "");
}

TEST(tree, has_short_files) {
  EXPECT_EQ(all_findings(check_file_length, is_code), "");
}

TEST(tree, has_short_functions) {
  EXPECT_EQ(all_findings(check_function_length, is_cpp), "");
}

TEST(tree, leaves_nothing_behind) {
  EXPECT_EQ(all_findings(check_leftovers, any_file), "");
}

TEST(tree, has_headers_that_introduce_themselves) {
  EXPECT_EQ(all_findings(check_header, is_cpp), "");
}

}  // namespace
}  // namespace house
