// The measure of functions is only as good as its eye for where one begins and ends.
#include "tests/house/functions.hpp"

#include <gtest/gtest.h>

#include "tests/house/source_text.hpp"

namespace house {
namespace {

// "head first-last" of each function, for short.
std::vector<std::string> spans(std::string_view text) {
  const function_list list = functions_of(text);
  std::vector<std::string> out;
  for (const function_span& one : list.functions) {
    out.push_back(one.head + " " + std::to_string(one.first_line) + "-" + std::to_string(one.last_line));
  }
  if (!list.balanced) out.push_back("unbalanced");
  return out;
}

using list = std::vector<std::string>;

TEST(functions_of, finds_free_and_member_functions) {
  EXPECT_EQ(spans(R"(namespace a {
struct b : c<int> {
 public:
  int f() const { return 1; }
 private:
  int x_{0};
};
int g(
    int y) {
  return y;
}
}
)"),
            (list{"int f() const 4-4", "int g(     int y) 8-11"}));
}

TEST(functions_of, is_not_misled_by_constructors) {
  EXPECT_EQ(spans("a::a(int x) : b_(x), c_{x}, d_<int>{x} {\n  f();\n}\n"),
            (list{"a::a(int x) : b_(x), c_{}, d_<int>{} 1-3"}));
  EXPECT_EQ(spans("explicit a(int x) : c_{x} {}\nint y;\n"), (list{"explicit a(int x) : c_{} 1-1"}));
}

TEST(functions_of, is_not_misled_by_templates_or_default_arguments) {
  EXPECT_EQ(spans("template <class T>\nvoid f(T x = {}, int y = {1}) {\n}\n"),
            (list{"template <class T> void f(T x = {}, int y = {}) 1-3"}));
  EXPECT_EQ(spans("template <class T>\nstruct s {\n  void f() {}\n};\n"), (list{"void f() 3-3"}));
}

TEST(functions_of, counts_a_lambda_as_part_of_its_function) {
  EXPECT_EQ(spans("void f() {\n  g([](int x) {\n    return x;\n  });\n}\n"), (list{"void f() 1-5"}));
}

TEST(functions_of, knows_lists_from_functions) {
  EXPECT_EQ(spans("const int table[] = {f(1), {2}};\nenum class e : int { a, b };\n"), list{});
  EXPECT_EQ(spans("const auto x = [](int a) {\n  return a;\n};\n"), (list{"const auto x = [](int a) 1-3"}));
}

TEST(functions_of, reads_past_braces_in_text) {
  EXPECT_EQ(spans("void f() {\n  g(\"}\"); // }\n  h('}', R\"x(}})x\"); /* } */\n}\n"),
            (list{"void f() 1-4"}));
  EXPECT_EQ(spans("void f() {\n  int x = 1'000'000;\n}\n"), (list{"void f() 1-3"}));
}

TEST(functions_of, sees_unmatched_braces) {
  EXPECT_EQ(spans("void f() {\n"), (list{"void f() 1-2", "unbalanced"}));
}

TEST(code_only, keeps_lines_where_they_are) {
  EXPECT_EQ(code_only("a // b\nc"), "a     \nc");
  EXPECT_EQ(code_only("a /* b\n */ c"), "a     \n    c");
  EXPECT_EQ(code_only("#define x {\ny"), "           \ny");
  EXPECT_EQ(code_only("f(\"\\\"{\");"), "f(\"   \");");
}

}  // namespace
}  // namespace house
