#include "proxy/session/repeatable_sql.hpp"

#include <gtest/gtest.h>

namespace {

using proxy::session::changes_meanings;
using proxy::session::repetition;
using proxy::session::repetition_of;

void expect(repetition what, std::initializer_list<std::string_view> texts) {
  for (const std::string_view sql : texts) {
    EXPECT_EQ(repetition_of(sql, true), what) << sql;
    EXPECT_EQ(changes_meanings(sql, true), what == repetition::changes) << sql;
  }
}

TEST(repeatable_sql, statements_that_are_planned_repeat) {
  expect(repetition::repeats,
         {"SELECT 1", "select a from t where b = $1;", " /* x */ SELECT 'it''s' || now()",
          "INSERT INTO t (a) VALUES ($1) RETURNING a", "UPDATE t SET a = $1", "DELETE FROM t",
          "WITH w AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM w", "(SELECT 1) UNION (SELECT 2)",
          "VALUES (1)", "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "SELECT 'into'"});
}

TEST(repeatable_sql, what_is_read_otherwise_each_time_is_not_kept) {
  expect(repetition::passes, {"SELECT 'now'::timestamp", "SELECT date 'Tomorrow'", "SELECT $$today$$::date",
                              "SELECT * FROM t WHERE d < '{yesterday}'", "SELECT E'n\\x6fw'::timestamp",
                              "SELECT 'no'\n'w'::timestamp", "SELECT ('it''s no' -- a\n 'w')"});
}

TEST(repeatable_sql, commands_that_leave_meanings_alone) {
  expect(repetition::passes, {"", ";", "-- nothing", "BEGIN", "COMMIT AND CHAIN", "rollback to savepoint a",
                              "SHOW search_path", "SET statement_timeout = 5", "SET TRANSACTION READ ONLY",
                              "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "DEALLOCATE pdo_stmt_1",
                              "DEALLOCATE PREPARE \"x\"", "FETCH 1 FROM c"});
}

TEST(repeatable_sql, whatever_else_may_change_them) {
  expect(repetition::changes, {"SET search_path = a",
                               "SET LOCAL timezone = 'UTC'",
                               "SET \"search_path\" = a",
                               "SET SESSION AUTHORIZATION x",
                               "SET ROLE x",
                               "RESET ALL",
                               "DISCARD ALL",
                               "DEALLOCATE ALL",
                               "DEALLOCATE _pgteller_s1",
                               "CREATE TABLE t (a int)",
                               "DROP TABLE t",
                               "ALTER TABLE t ADD b int",
                               "SELECT 1 INTO t",
                               "SELECT set_config('search_path', 'a', false)",
                               "SELECT pg_catalog.\"set_config\"('a', 'b', true)",
                               "WITH w AS (SELECT 1) SELECT * INTO t FROM w",
                               "DO $$ BEGIN END $$",
                               "CALL p()",
                               "COPY t FROM STDIN",
                               "EXECUTE s",
                               "EXPLAIN ANALYZE SELECT 1",
                               "SELECT 1; SELECT 2",
                               "BEGIN; SET search_path = a",
                               "TRUNCATE t",
                               "SET app.user_id = '7'",
                               "SET LOCAL app.user_id = '7'",
                               "COMMIT PREPARED 'x'",
                               "rollback /* */ prepared 'x'",
                               "UPDATE pg_settings SET setting = 'on'",
                               "SELECT U&\"s\\0065t_config\"('a', 'b', true)",
                               "WITH w AS (SELECT 1) UPDATE pg_catalog.\"pg_settings\" SET setting = 'on'"});
}

TEST(repeatable_sql, strings_are_read_as_the_server_does) {
  constexpr std::string_view sql = "SELECT 'a\\' INTO t FROM s --'";
  EXPECT_EQ(repetition_of(sql, true), repetition::changes);
  EXPECT_EQ(repetition_of(sql, false), repetition::passes);
}

}  // namespace
