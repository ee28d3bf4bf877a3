#include "tests/e2e/streams.hpp"

#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

const std::string copy_done = frame('c', "");

std::string copy_data(const std::string& data) {
  return frame('d', data);
}

std::string copy_fail(const std::string& reason) {
  return frame('f', reason + '\0');
}

std::string add_by_function_call(const std::string& left, const std::string& right) {
  const std::string values = u32(4) + left + u32(4) + right;
  return frame('F', u32(177) + u16(1) + u16(1) + u16(2) + values + u16(1));  // int4pl, binary
}

std::string prepared(const std::string& sql) {
  return parse("", sql) + bind("", "") + describe('P', "") + execute("");
}

std::vector<stream> simple_streams() {
  return {
      {"one statement", {{query("SELECT 1 AS a, NULL AS b, 'x' AS c")}}},
      {"several in a string", {{query("SELECT 1; SELECT 2; BEGIN; SELECT 3; ; COMMIT; SELECT 4")}}},
      {"empty", {{query("")}, {query(";")}, {query("-- nothing")}, {query(";;")}}},
      {"errors", {{query("SELECT nothing")}, {query("SELEC")}, {query("SELECT 1; SELECT 1/0; SELECT 2")}}},
      {"failed block", {{query("BEGIN")}, {query("SELECT 1/0")}, {query("SELECT 1")}, {query("ROLLBACK")}}},
      {"notices",
       {{query("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING HINT = 'h'; END $$")},
        {query("COMMIT")}}},
      {"settings",
       {{query("SET TimeZone = 'Asia/Tokyo'; SET application_name = 'teller'; SET DateStyle = 'German'")},
        {query("RESET ALL")},
        {query("SET client_encoding = 'LATIN1'")}}},
      {"three queries at once", {{query("SELECT 1") + query("SELECT nothing") + query("SELECT 3"), 3}}},
      {"notify", {{query("LISTEN c")}, {query("NOTIFY c, 'hello'")}, {query("UNLISTEN c")}}},
      {"function call",
       {{add_by_function_call(u32(2), u32(40))},
        {add_by_function_call(u32(0x7fffffff), u32(1))},
        {frame('F', u32(1) + u16(0) + u16(0) + u16(0))}}},
  };
}

std::vector<stream> extended_streams() {
  const std::string series = parse("s", "SELECT generate_series(1, 5)") + bind("p", "s");
  return {
      {"unnamed", {{prepared("SELECT 1 AS a") + sync()}}},
      {"named",
       {{parse("s", "SELECT $1::int + 1") + describe('S', "s") + sync()},
        {bind("", "s", {"41"}) + execute("") + bind("", "s", {u32(41)}, 1) + execute("") + sync()},
        {close('S', "s") + bind("", "s", {"1"}) + sync()}}},
      {"row limits",
       {{query("BEGIN")},
        {series + execute("p", 2) + execute("p", 2) + execute("p", 2) + execute("p", 2) + sync()},
        {close('P', "p") + execute("p") + sync()},
        {query("COMMIT")}}},
      {"pipeline with an error",
       {{prepared("SELECT 1") + prepared("SELECT 1/0") + prepared("SELECT 2") + sync() +
             prepared("SELECT 3") + sync(),
         2}}},
      {"pipeline in a block",
       {{prepared("BEGIN") + prepared("SELECT 1/0") + sync() + prepared("SELECT 2") + sync() +
             prepared("ROLLBACK") + sync(),
         3}}},
      {"flush",
       {{parse("", "SELECT 1") + flush(), 1, "1"},
        {bind("", "") + flush(), 1, "2"},
        {execute("") + flush(), 1, "C"},
        {sync()}}},
      {"error and flush", {{parse("", "SELEC") + flush(), 1, "E"}, {bind("", "") + flush() + sync()}}},
      {"two syncs", {{sync() + sync() + prepared("SELECT 1") + sync() + sync(), 4}}},
      {"query before sync", {{prepared("SELECT 1") + query("SELECT 2") + sync(), 2}}},
      {"query after an error is skipped", {{prepared("SELECT 1/0") + query("SELECT 2") + sync()}}},
      {"unknown names",
       {{bind("", "no") + sync()},
        {describe('S', "no") + sync()},
        {describe('P', "no") + sync()},
        {execute("no") + sync()},
        {close('S', "no") + close('P', "no") + sync()}}},
      {"empty statement",
       {{prepared("") + sync()}, {prepared(" ; ") + sync()}, {prepared("SELECT 1; SELECT 2") + sync()}}},
      {"wrong message", {{frame('y', "what"), 1}}},
      {"broken bind", {{parse("", "SELECT 1") + frame('B', "no zero") + sync()}}},
  };
}

std::vector<stream> copy_streams() {
  const std::string copy_in = "COPY sheet FROM STDIN";
  return {
      {"copy in",
       {{query(copy_in), 1, "G"},
        {copy_data("1\ta\n2\t") + copy_data("b\n") + copy_done},
        {query("SELECT count(*) FROM sheet")}}},
      {"copy in sent at once", {{query(copy_in) + copy_data("3\tc\n") + copy_done + query("SELECT 1"), 2}}},
      {"copy in with an error in the middle",
       {{query(copy_in) + copy_data("1\ta\nx\tb\n") + copy_data("3\tc\n") + copy_done + query("SELECT 1"),
         2}}},
      {"copy fail",
       {{query(copy_in) + copy_data("1\ta\n") + copy_fail("changed my mind"), 1}, {query("SELECT 1")}}},
      {"copy in a string",
       {{query("SELECT 1; " + copy_in + "; SELECT 2"), 1, "G"}, {copy_data("5\te\n") + copy_done}}},
      {"copy out",
       {{query("COPY (SELECT i, 'x' FROM generate_series(1, 5) AS i) TO STDOUT")},
        {query("COPY (SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i) TO STDOUT")}}},
      {"copy binary out",
       {{query("COPY (SELECT i FROM generate_series(1, 3) AS i) TO STDOUT (FORMAT binary)")}}},
      {"copy in extended",
       {{parse("", copy_in) + bind("", "") + execute(""), 1, "G"},
        {copy_data("7\tg\n") + copy_done + sync()},
        {prepared("SELECT 1") + sync()}}},
      {"copy in extended with sync inside",
       {{parse("", copy_in) + bind("", "") + execute("") + sync(), 1, "G"},
        {copy_data("8\th\n") + flush() + sync() + copy_done + sync()}}},
      {"copy in extended with an error",
       {{parse("", copy_in) + bind("", "") + execute("") + copy_data("x\n") + copy_done +
         prepared("SELECT 2") + sync()}}},
      {"copy fail extended", {{parse("", copy_in) + bind("", "") + execute("") + copy_fail("no") + sync()}}},
      {"copy out extended", {{prepared("COPY (VALUES (1), (2)) TO STDOUT") + sync()}}},
      {"late copy messages", {{copy_data("x") + copy_done + copy_fail("y") + query("SELECT 1")}}},
      {"query inside copy", {{query(copy_in), 1, "G"}, {query("SELECT 1"), 1}, {query("SELECT 2")}}},
  };
}

}  // namespace

std::vector<stream> small_streams() {
  std::vector<stream> all = simple_streams();
  for (auto&& each : extended_streams()) all.push_back(std::move(each));
  for (auto&& each : copy_streams()) all.push_back(std::move(each));
  return all;
}

std::vector<stream> large_streams() {
  const std::string large(20'000'000, 'v');
  std::string pipeline;
  for (int i = 0; i < 3000; ++i) pipeline += bind("", "s", {std::to_string(i)}) + execute("");
  return {
      {"row of 64 MB", {{query("SELECT repeat('x', 64000000), 1")}, {query("SELECT 2")}}},
      {"many rows", {{query("SELECT i, repeat('y', i % 50) FROM generate_series(1, 200000) AS i")}}},
      {"copy out of many rows", {{query("COPY (SELECT generate_series(1, 200000)) TO STDOUT")}}},
      {"large query", {{query("SELECT length('" + large + "')")}, {query("SELECT 1")}}},
      {"large parse", {{prepared("SELECT length('" + large + "')") + sync()}}},
      {"large parameter",
       {{parse("", "SELECT length($1::text)") + bind("", "", {large}) + execute("") + sync()}}},
      {"large copy data", {{query("COPY sheet FROM STDIN") + frame('d', "1\t" + large + "\n") + copy_done}}},
      {"long pipeline", {{parse("s", "SELECT $1::int") + pipeline + sync()}}},
  };
}

std::vector<stream> wallet_streams() {
  return {
      {"simple",
       {{query("BEGIN")},
        {query("SELECT * FROM wallets WHERE id = 1")},
        {query("UPDATE wallets SET balance = -5 WHERE id = 1 RETURNING *")},
        {query("UPDATE wallets SET balance = nothing WHERE id = 1")},
        {query("ROLLBACK")}}},
      {"extended",
       {{prepared("BEGIN") + prepared("SELECT balance FROM wallets WHERE id = 2") +
             prepared("UPDATE wallets SET balance = balance - 1000") + sync() + prepared("ROLLBACK") + sync(),
         2}}},
      {"string",
       {{query("BEGIN; SELECT balance FROM wallets WHERE id = 1; UPDATE wallets SET balance = 1/0")},
        {query("ROLLBACK")}}},
  };
}

}  // namespace e2e
