// Each check of the house is shown to fail on what it is for, and to pass what is fine.
#include "tests/house/checks.hpp"

#include <string>

#include <gtest/gtest.h>

namespace house {
namespace {

std::string layers(std::string_view path, std::string_view text) {
  return to_text(check_layers(path, text));
}

TEST(check_layers, lets_each_folder_include_what_is_below_it) {
  EXPECT_EQ(layers("protocol/framer.cpp", "#include \"protocol/framer.hpp\"\n#include <string_view>\n"), "");
  EXPECT_EQ(layers("rules/plan.cpp", "#include <toml++/toml.h>\n#include <pg_query.h>\n"), "");
  EXPECT_EQ(layers("proxy/session/session.cpp", "#include \"rules/plan.hpp\"\n#include <deque>\n"), "");
  EXPECT_EQ(layers("proxy/io/listener.cpp", "#include <boost/asio.hpp>\n#include <poll.h>\n"), "");
}

TEST(check_layers, finds_an_include_that_goes_up_or_sideways) {
  EXPECT_EQ(layers("protocol/framer.cpp", "\n#include \"rules/plan.hpp\"\n"),
            "protocol/framer.cpp:2: protocol/ must not know rules/plan.hpp\n");
  EXPECT_NE(layers("rules/plan.cpp", "#include \"protocol/frame.hpp\"\n"), "");
  EXPECT_NE(layers("rules/plan.cpp", "#include \"proxy/session/outbox.hpp\"\n"), "");
  EXPECT_NE(layers("proxy/session/session.cpp", "#include \"proxy/io/limits.hpp\"\n"), "");
  EXPECT_NE(layers("proxy/io/listener.cpp", "#include \"tests/race/money.hpp\"\n"), "");
}

TEST(check_layers, finds_a_library_where_it_does_not_belong) {
  EXPECT_NE(layers("protocol/framer.cpp", "#include <boost/asio.hpp>\n"), "");
  EXPECT_NE(layers("protocol/framer.cpp", "#  include <sys/socket.h>\n"), "");
  EXPECT_NE(layers("proxy/session/session.cpp", "#include <spdlog/spdlog.h>\n"), "");
  EXPECT_NE(layers("rules/plan.cpp", "#include <libpq-fe.h>\n"), "");
}

TEST(check_layers, wants_our_headers_by_their_whole_path) {
  EXPECT_NE(layers("protocol/framer.cpp", "#include \"framer.hpp\"\n"), "");
  EXPECT_NE(layers("protocol/framer.cpp", "#include <protocol/framer.hpp>\n"), "");
  EXPECT_NE(layers("somewhere/else.cpp", ""), "");
}

TEST(check_purity, finds_clocks_and_exceptions) {
  EXPECT_NE(to_text(check_purity("proxy/session/a.cpp", "auto t = std::chrono::steady_clock::now();\n")), "");
  EXPECT_NE(to_text(check_purity("rules/a.cpp", "auto t = std::chrono::system_clock::now();\n")), "");
  EXPECT_NE(to_text(check_purity("protocol/a.cpp", "throw 1;\n")), "");
  EXPECT_EQ(to_text(check_purity("protocol/a.cpp", "// we never throw\nint tries = 0;\n")), "");
  EXPECT_EQ(to_text(check_purity("proxy/io/a.cpp", "try { f(std::chrono::steady_clock::now()); }\n")), "");
}

TEST(check_name, finds_names_that_say_nothing) {
  EXPECT_NE(to_text(check_name("proxy/utils/text.cpp")), "");
  EXPECT_NE(to_text(check_name("rules/common.hpp")), "");
  EXPECT_NE(to_text(check_name("proxy/io/session_manager.cpp")), "");
  EXPECT_NE(to_text(check_name("proxy/core")), "");
  EXPECT_EQ(to_text(check_name("rules/baseline.hpp")), "");
}

TEST(check_file_length, counts_to_the_line) {
  std::string text;
  for (std::size_t line = 0; line < longest_file; ++line) text += "\n";
  EXPECT_EQ(to_text(check_file_length("a.sh", text)), "");
  EXPECT_NE(to_text(check_file_length("a.sh", text + "x")), "");
}

TEST(check_function_length, counts_to_the_line) {
  std::string text = "int f() {\n";
  for (std::size_t line = 2; line < longest_function; ++line) text += "  g();\n";
  EXPECT_EQ(to_text(check_function_length("a.cpp", text + "}\n")), "");
  EXPECT_EQ(to_text(check_function_length("a.cpp", text + "  g();\n}\n")),
            "a.cpp:1: function of 61 lines; 60 are the limit: int f()\n");
}

TEST(check_function_length, says_when_it_cannot_tell) {
  EXPECT_NE(to_text(check_function_length("a.cpp", "int f() {\n")), "");
  EXPECT_NE(to_text(check_function_length("a.cpp", "}\n")), "");
}

TEST(check_leftovers, finds_them_anywhere) {
  EXPECT_NE(to_text(check_leftovers("a.md", std::string("x\n// TO") + "DO: later\n")), "");
  EXPECT_NE(to_text(check_leftovers("dev", std::string("# FIX") + "ME\n")), "");
  EXPECT_EQ(to_text(check_leftovers("a.cpp", "int todos = 0;\n")), "");
}

TEST(check_header, wants_a_comment_and_a_guard) {
  EXPECT_EQ(to_text(check_header("a.hpp", "// What it owns.\n#pragma once\n")), "");
  EXPECT_NE(to_text(check_header("a.hpp", "#pragma once\n")), "");
  EXPECT_NE(to_text(check_header("a.hpp", "// What it owns.\n")), "");
  EXPECT_EQ(to_text(check_header("a.cpp", "int x;\n")), "");
}

}  // namespace
}  // namespace house
