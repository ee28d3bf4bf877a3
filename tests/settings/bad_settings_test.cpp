// The exact words of each complaint: they are all that an operator has to go by.
#include <gtest/gtest.h>

#include "tests/settings/shown_problems.hpp"

namespace proxy::ops {
namespace {

const std::string rule = "[[rule]]\nname = 'r'\ntable = 't'\ncolumns = ['c']\n";  // four lines

TEST(bad_settings, unknown_keys_with_a_guess) {
  EXPECT_EQ(problems_of("[listen]\nprot = 1\nzzzzzz = 2\n[metrcis]\n[[rules]]\n"),
            "f:2:1: unknown key \"prot\" in [listen]; did you mean port?\n"
            "f:3:1: unknown key \"zzzzzz\" in [listen]\n"
            "f:4:2: unknown key \"metrcis\"; did you mean metrics?\n"
            "f:5:3: unknown key \"rules\"; did you mean rule?\n");
  EXPECT_EQ(problems_of(rule + "lock_timout = '5s'\n"),
            "f:5:1: unknown key \"lock_timout\" in [[rule]]; did you mean lock_timeout?\n");
}

TEST(bad_settings, wrong_types) {
  EXPECT_EQ(
      problems_of("[listen]\nport = '7432'\nmax_connections = 1.5\nshutdown_grace = 30\naddress = 1\n"
                  "[log]\nvalues = 'yes'\nlevel = 3\n"),
      "f:2:8: port must be a whole number without quotes, not a string\n"
      "f:3:19: max_connections must be a whole number without quotes, not a float\n"
      "f:4:18: shutdown_grace must be a duration in quotes, such as \"500ms\", \"5s\" or \"1m\", not an "
      "integer\n"
      "f:5:11: address must be a string in quotes, not an integer\n"
      "f:7:10: values must be true or false, without quotes, not a string\n"
      "f:8:9: level must be one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", not an integer\n");
}

TEST(bad_settings, wrong_shapes) {
  EXPECT_EQ(problems_of("log = 3\n[[listen]]\nport = 1\n"),
            "f:1:7: write [log] once, in single brackets\n"
            "f:2:1: write [listen] once, in single brackets\n");
  EXPECT_EQ(problems_of("[rule]\nname = 'r'\n"), "f:1:1: write [[rule]], in double brackets, for each\n");
  EXPECT_EQ(problems_of("rule = [1]\n"), "f:1:9: rule must be written as [[rule]] tables\n");
}

TEST(bad_settings, out_of_range) {
  EXPECT_EQ(problems_of("[listen]\nport = 70000\nmax_connections = 0\nthreads = -1\n[upstream]\nport = 0\n"
                        "connect_timeout = '0'\nstatement_cache = 10001\n"),
            "f:2:8: port must be from 0 to 65535, not 70000\n"
            "f:3:19: max_connections must be from 1 to 1000000, not 0\n"
            "f:4:11: threads must be from 0 to 256, not -1\n"
            "f:6:8: port must be from 1 to 65535, not 0\n"
            "f:7:19: connect_timeout must be at least 1ms\n"
            "f:8:19: statement_cache must be from 0 to 10000, not 10001\n");
}

TEST(bad_settings, addresses_and_hosts) {
  EXPECT_EQ(
      problems_of("[listen]\naddress = 'localhost'\n[metrics]\naddress = ''\n"),
      "f:2:11: address must be an IP address, such as \"127.0.0.1\", \"::1\", or \"0.0.0.0\" for all; not "
      "\"localhost\"\n"
      "f:4:11: address must be an IP address, such as \"127.0.0.1\", \"::1\", or \"0.0.0.0\" for all; not "
      "\"\"\n");
  EXPECT_EQ(problems_of("[upstream]\nhost = ''\n"),
            "f:2:8: host must be a name, an address, or a directory with a Unix socket\n");
  EXPECT_EQ(problems_of("[upstream]\nhost = 'a,b'\n"), "f:2:8: host must name one server, not a list\n");
  EXPECT_EQ(problems_of("[upstream]\nhost = 'a b'\n"), "f:2:8: host must not hold blanks\n");
  EXPECT_EQ(problems_of("[upstream]\nhost = '/" + std::string(100, 'x') + "'\n"),
            "f:2:8: the path of the Unix socket is longer than 107 bytes\n");
}

TEST(bad_settings, ports_that_cannot_go_together) {
  EXPECT_EQ(problems_of("[listen]\nport = 5000\n[metrics]\nport = 5000\n"),
            "f:4:8: listen and metrics cannot have the same port 5000\n");
  EXPECT_EQ(
      problems_of(
          "[listen]\nport = 5000\naddress = '0.0.0.0'\n[upstream]\nport = 5000\nhost = 'localhost'\n"),
      "f:5:8: upstream is the address pgteller itself listens on; give listen or PostgreSQL another port\n");
  EXPECT_EQ(problems_of("[listen]\nport = 5000\n[upstream]\nport = 5000\nhost = '10.0.0.1'\n"), "");
}

TEST(bad_settings, conninfo) {
  EXPECT_EQ(problems_of("[catalog]\nconninfo = 'usr=x'\n"),
            "f:2:12: conninfo: invalid connection option \"usr\"\n");
  EXPECT_EQ(problems_of("[catalog]\nconninfo = 'user'\n"),
            "f:2:12: conninfo: missing \"=\" after \"user\" in connection info string\n");
}

TEST(bad_settings, words) {
  EXPECT_EQ(problems_of("[log]\nlevel = 'warning'\n"),
            "f:2:9: level must be one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", not "
            "\"warning\"; did you "
            "mean warn?\n");
  EXPECT_EQ(problems_of(rule + "row_lock = 'for no key update'\n"),
            "f:5:12: row_lock must be one of \"update\", \"no key update\", \"share\", not \"for no key "
            "update\"; did "
            "you mean no key update?\n");
}

TEST(bad_settings, durations) {
  EXPECT_EQ(problems_of(rule + "lock_timeout = '5 seconds'\nturn_timeout = '10'\nread_ttl = 'soon'\n"),
            "f:5:16: lock_timeout: \"5 seconds\" has an unknown unit; the units are \"ms\", \"s\" and \"m\"\n"
            "f:6:16: turn_timeout: \"10\" has no unit; write \"ms\", \"s\" or \"m\" after the number\n"
            "f:7:12: read_ttl: \"soon\" is no duration; write a whole number and a unit, such as \"500ms\", "
            "\"5s\" or "
            "\"1m\"\n");
  EXPECT_EQ(problems_of(rule + "lock_timeout = '0'\n"), "f:5:16: lock_timeout must be at least 1ms\n");
}

TEST(bad_settings, bounds) {
  EXPECT_EQ(
      problems_of(rule + "min = 0.5\nmax = '1e3'\n"),
      "f:5:7: min must be exact, and a float is not; put the number in quotes: min = \"12.50\"\n"
      "f:6:7: max: \"1e3\" is no decimal number; write digits with an optional sign and fraction, such as "
      "\"-12.50\"\n");
  EXPECT_EQ(problems_of(rule + "min = '10.01'\nmax = '10.009'\n"), "f:6:7: max 10.009 is below min 10.01\n");
  EXPECT_EQ(problems_of(rule + "min = true\n"),
            "f:5:7: min must be an integer, or a decimal number in quotes\n");
}

TEST(bad_settings, a_rule_without_anything) {
  EXPECT_EQ(problems_of("[[rule]]\n"),
            "f:1:1: name is missing; it appears in errors and metrics\n"
            "f:1:1: table is missing; write table = \"[schema.]table\"\n"
            "f:1:1: columns is missing; name the guarded columns: columns = [\"balance\"]\n");
}

TEST(bad_settings, rule_names) {
  EXPECT_EQ(problems_of(rule + rule), "f:6:8: name \"r\" is already used in line 1\n");
  EXPECT_EQ(problems_of("[[rule]]\nname = ''\ntable = 't'\ncolumns = ['c']\n"),
            "f:2:8: name must have 1 to 63 bytes and no control characters\n");
  EXPECT_EQ(problems_of("[[rule]]\nname = \"a\\nb\"\ntable = 't'\ncolumns = ['c']\n"),
            "f:2:8: name must have 1 to 63 bytes and no control characters\n");
}

TEST(bad_settings, table_and_column_names) {
  EXPECT_EQ(
      problems_of("[[rule]]\nname = 'r'\ntable = 'a.b.c'\ncolumns = ['my balance', 't.c', 'C', 'c']\n"),
      "f:3:9: table: \"a.b.c\": a table is named [schema.]table; use `databases` for the database\n"
      "f:4:12: columns: \"my balance\": a name holds letters, digits, underscores and dollars; put any other "
      "name in double quotes\n"
      "f:4:26: columns: \"t.c\": a column is named without its table\n"
      "f:4:38: columns names c twice\n");
  EXPECT_EQ(problems_of("[[rule]]\nname = 'r'\ntable = 't'\ncolumns = []\nkey = []\n"),
            "f:4:11: columns must name at least one column\n"
            "f:5:7: key must name at least one column; leave it out for the primary key\n");
  EXPECT_EQ(problems_of("[[rule]]\nname = 'r'\ntable = 't'\ncolumns = 'c'\nkey = [1]\n"),
            "f:4:11: columns must be an array; write [\"c\"]\n"
            "f:5:8: each of key must be a string in quotes, not an integer\n");
}

TEST(bad_settings, columns_that_overlap) {
  EXPECT_EQ(problems_of(rule + "key = ['C', 'id']\nversion = ['c']\n"),
            "f:5:7: c is both in columns and in key; what identifies a row cannot be its balance\n"
            "f:6:11: c is both in columns and in version; a guarded column need not be named again\n");
}

TEST(bad_settings, user_and_database_lists) {
  EXPECT_EQ(problems_of(rule + "users = [1, '']\ndatabases = 'shop'\n"),
            "f:5:10: each of users must be a string in quotes, not an integer\n"
            "f:5:13: users: a name must not be empty or hold a NUL\n"
            "f:6:13: databases must be an array; write [\"shop\"]\n");
}

TEST(bad_settings, syntax_errors_have_a_place) {
  const auto text = problems_of("[listen]\nport = = 3\n");
  EXPECT_TRUE(text.starts_with("f:2:8: ")) << text;
  EXPECT_NE(problems_of("[listen]\nport = 1\nport = 2\n"), "");
  EXPECT_NE(problems_of("a = \"\xff\"\n"), "");
}

TEST(bad_settings, unreadable_files) {
  EXPECT_EQ(to_text(load_settings("/nonexistent.toml").problems.at(0)),
            "/nonexistent.toml: cannot be opened: No such file or directory");
  EXPECT_EQ(load_settings("/").problems.size(), 1U);
}

TEST(bad_settings, too_many_rules) {
  std::string many;
  for (int i = 0; i < 1001; ++i) {
    many += "[[rule]]\nname = 'r" + std::to_string(i) + "'\ntable = 't'\ncolumns = ['c']\n";
  }
  EXPECT_EQ(problems_of(many), "f:1:1: at most 1000 [[rule]] are possible\n");
}

}  // namespace
}  // namespace proxy::ops
