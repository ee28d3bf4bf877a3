// After which statements a session counts as it was at its login.
#include "proxy/session/session_state.hpp"

#include <gtest/gtest.h>

namespace {

using proxy::session::leaves_session_as_it_was;

TEST(session_state, harmless) {
  for (const char* sql :
       {"SELECT 1", "select count(*), now() from wallets where id in (1, 2)", "", ";", "/* c */ BEGIN",
        "BEGIN; UPDATE t SET a = (b + 1) WHERE (id = 1); COMMIT",
        "INSERT INTO wallets(id, balance) VALUES (1, 2)",
        "INSERT INTO public.\"Wallets\" (id) SELECT id FROM (SELECT 1 AS id) x", "SET LOCAL work_mem = '8MB'",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET application_name = 'SET ROLE'", "DISCARD ALL",
        "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 'SET ROLE x; LISTEN y'", "SELECT a[1], (b) FROM t",
        "SELECT pg_catalog.count(*) FROM t", "ROLLBACK TO s", "(SELECT 1) UNION (SELECT 2)"}) {
    EXPECT_TRUE(leaves_session_as_it_was(sql, true)) << sql;
  }
}

TEST(session_state, leaves_something) {
  for (const char* sql : {"SET ROLE x",
                          "set search_path = x",
                          "SET SESSION work_mem = 1",
                          "SELECT 1; SET ROLE x",
                          "SELECT set_config('a', 'b', false)",
                          "SELECT pg_advisory_lock(1)",
                          "SELECT \"count\"(1)",
                          "SELECT app.count(1)",
                          "SELECT my_function ()",
                          "SELECT 1 INTO TEMP x",
                          "SELECT * INTO x FROM t",
                          "CREATE TEMP TABLE x (i int)",
                          "LISTEN x",
                          "DO $$BEGIN END$$",
                          "CALL p()",
                          "LOAD 'x'",
                          "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                          "BEGIN; DECLARE c CURSOR FOR SELECT 1",
                          "SELECT 'x",
                          "INSERT INTO t VALUES (f(1))",
                          "ALTER SYSTEM SET a = 1",
                          "LOCK t",
                          "SELECT * FROM dblink('x')"}) {
    EXPECT_FALSE(leaves_session_as_it_was(sql, true)) << sql;
  }
  EXPECT_FALSE(leaves_session_as_it_was(R"(SELECT 'a\'; SET ROLE x; --')", true));
  EXPECT_TRUE(leaves_session_as_it_was(R"(SELECT 'a\'; SET ROLE x; --')", false));
}

}  // namespace
