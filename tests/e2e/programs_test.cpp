// PostgreSQL's own programs work through pgteller as they do directly: psql, pgbench, pg_dump, replication.
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

class programs : public stage {
 protected:
  std::string tool(const std::string& name) {
    const char* other = std::getenv("PGTELLER_TEST_PGBIN");
    return (other == nullptr ? "/usr/lib/postgresql/15/bin" : std::string(other)) + "/" + name;
  }
  std::string there() { return "-h 127.0.0.1 -U postgres -p " + std::to_string(proxy_->port()) + " "; }
  std::string psql() { return tool("psql") + " -X -v ON_ERROR_STOP=1 " + there() + database_->name() + " "; }

  std::string shell(const std::string& command, int expected = 0) {
    std::string output;
    EXPECT_EQ(run_shell(command, output), expected) << command << "\n" << output;
    return output;
  }

  scratch place_;
};

TEST_F(programs, psql_with_copy_describe_and_several_lines) {
  start();
  write_file(place_ / "script.sql",
             "\\d wallets\n\\d+\n\\l\n\\dt *.*\nSELECT\n  count(*)\nFROM\n wallets;\n"
             "\\copy wallets TO '" +
                 (place_ / "out.csv") +
                 "' CSV\n"
                 "CREATE TABLE again (LIKE wallets);\n"
                 "\\copy again FROM '" +
                 (place_ / "out.csv") +
                 "' CSV\n"
                 "SELECT 'sum', sum(balance) FROM again;\n"
                 "BEGIN;\nUPDATE wallets SET balance = 1 WHERE id = 1;\nROLLBACK;\n");
  const std::string output = shell(psql() + "-f " + (place_ / "script.sql"));
  EXPECT_NE(output.find("\"wallets_pkey\" PRIMARY KEY"), std::string::npos) << output;
  EXPECT_NE(output.find("COPY 10"), std::string::npos) << output;
  EXPECT_NE(output.find("1000.00"), std::string::npos) << output;
  EXPECT_NE(shell(psql() + "-c 'UPDATE wallets SET balance = -1' 2>&1", 1).find("wallet-balance"),
            std::string::npos);
}

TEST_F(programs, interrupt_cancels_what_psql_runs) {
  start();
  child running({"bash", "-c", "exec " + psql() + "-c 'SELECT pg_sleep(100)'"}, place_ / "psql");
  link admin = direct();
  const std::string sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
  ASSERT_TRUE(eventually([&] { return value(admin, sleeping) == "1"; })) << running.output();
  running.signal(SIGINT);
  EXPECT_EQ(running.wait(), 1);
  EXPECT_NE(running.output().find("canceling statement due to user request"), std::string::npos)
      << running.output();
}

TEST_F(programs, pgbench_in_three_modes) {
  start();
  const std::string bench = tool("pgbench") + " " + there();
  shell(bench + "-i -q " + database_->name());
  for (const std::string mode : {"simple", "extended", "prepared"}) {
    for (const std::string script : {"-S", "-b tpcb-like"}) {
      const std::string output =
          shell(bench + "-n -c 4 -j 2 -t 50 -M " + mode + " " + script + " " + database_->name());
      EXPECT_NE(output.find("processed: 200/200"), std::string::npos) << output;
    }
  }
}

TEST_F(programs, pgbench_on_guarded_balances) {
  start(
      "[[rule]]\nname = \"accounts\"\ntable = \"pgbench_accounts\"\ncolumns = [\"abalance\"]\n"
      "min = \"-1000000\"\n[[rule]]\nname = \"branches\"\ntable = \"pgbench_branches\"\n"
      "columns = [\"bbalance\"]\nmin = \"-100000000\"\n");
  const std::string bench = tool("pgbench") + " " + there();
  shell(bench + "-i -q " + database_->name());
  // The catalog is read again after the tables have been made.
  ASSERT_TRUE(eventually([&] {
    return through().run("UPDATE pgbench_accounts SET abalance = -2000000 WHERE aid = 1").brief() ==
               "23514" &&
           through().run("UPDATE pgbench_branches SET bbalance = -200000000 WHERE bid = 1").brief() ==
               "23514";
  }));
  ASSERT_TRUE(direct()
                  .run("UPDATE pgbench_accounts SET abalance = 0; UPDATE pgbench_branches SET bbalance = 0")
                  .ok());
  for (const std::string mode : {"simple", "extended", "prepared"}) {
    const std::string output = shell(bench + "-n -c 4 -j 2 -t 50 -M " + mode + " " + database_->name());
    EXPECT_NE(output.find("processed: 200/200"), std::string::npos) << output;
  }
  link here = direct();
  EXPECT_EQ(value(here, "SELECT sum(abalance) FROM pgbench_accounts"),
            value(here, "SELECT sum(delta) FROM pgbench_history"));
  EXPECT_EQ(value(here, "SELECT sum(bbalance) FROM pgbench_branches"),
            value(here, "SELECT sum(delta) FROM pgbench_history"));
  EXPECT_GE(proxy_->metric("pgteller_statements_total{action=\"check\""), 1200);
}

TEST_F(programs, dump_and_restore) {
  start();
  const database other;
  const std::string dump = place_ / "dump";
  shell(tool("pg_dump") + " " + there() + "-Fc -f " + dump + " " + database_->name());
  shell(tool("pg_restore") + " " + there() + "-d " + other.name() + " " + dump);
  link there_now = other.direct();
  EXPECT_EQ(value(there_now, "SELECT sum(balance) FROM wallets"), "1000.00");
  shell(tool("pg_dump") + " " + there() + "--inserts -f " + dump + " " + database_->name());
  EXPECT_NE(file_text(dump).find("INSERT INTO public.wallets"), std::string::npos);
}

TEST_F(programs, replication) {
  start();
  link physical(through_conninfo() + " replication=true");
  ASSERT_TRUE(physical.open()) << physical.problem();
  EXPECT_EQ(physical.run("IDENTIFY_SYSTEM").rows(), 1);
  shell(tool("pg_basebackup") + " " + there() + "-X stream -c fast --no-sync -D " + (place_ / "backup"));
  EXPECT_NE(file_text(place_ / "backup/PG_VERSION"), "");
}

TEST_F(programs, logical_replication_stream) {
  start();
  const std::string slot = "slot_" + database_->name();
  const std::string receive =
      tool("pg_recvlogical") + " " + there() + "-d " + database_->name() + " -S " + slot;
  shell(receive + " --create-slot -P test_decoding");
  child streaming({"bash", "-c", "exec " + receive + " --start -F 1 -s 1 -f " + (place_ / "changes")},
                  place_ / "recv");
  EXPECT_EQ(through().run("UPDATE wallets SET balance = 77 WHERE id = 5").brief(), "ok UPDATE 1");
  EXPECT_TRUE(eventually([&] { return file_text(place_ / "changes").find("77.00") != std::string::npos; }))
      << streaming.output();
  streaming.signal(SIGINT);
  EXPECT_EQ(streaming.wait(), 0) << streaming.output();
  link admin = direct();
  EXPECT_TRUE(eventually([&] { return admin.run("SELECT pg_drop_replication_slot('" + slot + "')").ok(); }));
}

}  // namespace
}  // namespace e2e
