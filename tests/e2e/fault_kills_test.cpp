// PostgreSQL's process, or pgteller itself, killed at every step of a guarded write, and in the middle of its
// COMMIT, before it is carried out and after.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/e2e/fault_stage.hpp"
#include "tests/e2e/gate.hpp"

namespace e2e {
namespace {

constexpr std::chrono::seconds soon{10};

class fault_kills : public fault_stage {
 protected:
  /// COMMIT waits for as long as the tester holds the advisory lock 42.
  void make_commits_wait() {
    const reply made = audit_->run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.id = 1 THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NULL; END $$; "
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON wallets DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION wait()");
    ASSERT_TRUE(made.ok()) << made.message();
  }
  void terminate(const std::string& pid) {
    EXPECT_EQ(value(*audit_, "SELECT pg_terminate_backend(" + pid + ", 10000)"), "t");
  }
  bool waits(const std::string& pid) {
    const std::string sql =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = " + pid;
    return eventually([&] { return value(*audit_, sql) == "1"; }, soon);
  }
  /// The steps from `first` on, as far as the connection lasts.
  static told go_on(wire& on, const guarded_write& write, std::size_t first) {
    guarded_write rest{write.name, {}, write.writes};
    for (std::size_t i = first; i < write.steps.size(); ++i) rest.steps.push_back(write.steps[i]);
    return carry_out(on, rest);
  }
  static told go_to(wire& on, const guarded_write& write, std::size_t end) {
    guarded_write front{write.name, {}, write.writes};
    for (std::size_t i = 0; i < end; ++i) front.steps.push_back(write.steps[i]);
    return carry_out(on, front);
  }
};

TEST_F(fault_kills, backend_terminated_between_steps) {
  start_behind(0, "pessimistic");
  for (const write_shape& shape : write_shapes()) {
    const std::size_t steps = shape.make("", 1).steps.size();
    for (std::size_t done = 0; done <= steps; ++done) {
      SCOPED_TRACE(shape.name + " after " + std::to_string(done) + " steps");
      const std::string operation = next_operation();
      const guarded_write write = shape.make(operation, whole_balance(1));
      wire here("127.0.0.1", proxy_->port());
      ASSERT_TRUE(here.start(database_->name()));
      ASSERT_TRUE(go_to(here, write, done).acknowledged || done == 0);
      terminate(backend_of(here));
      const told heard = done < steps ? go_on(here, write, done) : told{true, {}, {}};
      EXPECT_EQ(heard.sqlstate, done < steps ? "57P01" : "") << heard.all;
      expect_truth(write, operation, heard);
      expect_free();
    }
  }
  expect_at_rest();
}

TEST_F(fault_kills, backend_terminated_while_it_waits) {
  start_behind(0, "pessimistic");
  for (const write_shape& shape : write_shapes()) {
    if (shape.name == "once") continue;  // it waits for no row
    SCOPED_TRACE(shape.name);
    const std::string operation = next_operation();
    const guarded_write write = shape.make(operation, whole_balance(1));
    link holder = direct();
    ASSERT_TRUE(holder.run("BEGIN; SELECT FROM wallets WHERE id = 1 FOR UPDATE").ok());
    wire here("127.0.0.1", proxy_->port());
    ASSERT_TRUE(here.start(database_->name()));
    for (const fault_step& each : write.steps) {
      here.send(each.sent.bytes);  // those that wait are waited for below
    }
    ASSERT_TRUE(waits(backend_of(here)));
    terminate(backend_of(here));
    told heard;
    for (const std::string& each : here.messages(100)) {
      if (each[0] == 'E') heard.sqlstate = error_field(each, 'C');
    }
    EXPECT_EQ(heard.sqlstate, "57P01");
    ASSERT_TRUE(holder.run("ROLLBACK").ok());
    expect_truth(write, operation, heard);
    expect_free();
  }
  expect_at_rest();
}

TEST_F(fault_kills, commit_whose_answer_is_lost_is_of_unknown_outcome) {
  gate between;
  make_commits_wait();
  start_behind(between.port(), "pessimistic");
  for (const bool carried_out : {false, true}) {
    for (const write_shape& shape : write_shapes()) {
      if (shape.name == "once") continue;  // its table has no such trigger
      SCOPED_TRACE(shape.name + (carried_out ? " carried out" : " not carried out"));
      const std::string operation = next_operation();
      const guarded_write write = shape.make(operation, whole_balance(1));
      link holder = direct();
      ASSERT_TRUE(holder.run("BEGIN; SELECT pg_advisory_xact_lock(42)").ok());
      wire here("127.0.0.1", proxy_->port());
      ASSERT_TRUE(here.start(database_->name()));
      const std::size_t last = write.steps.size() - 1;
      ASSERT_TRUE(last == 0 || go_to(here, write, last).acknowledged);
      between.arm({fault::type::silence, side::server, 0});
      here.send(write.steps[last].sent.bytes);
      const std::string pid = backend_of(here);
      ASSERT_TRUE(waits(pid));
      if (carried_out) {
        ASSERT_TRUE(holder.run("COMMIT").ok());
        ASSERT_TRUE(eventually([&] { return noted(operation) == write.writes; }, soon));
      } else {
        terminate(pid);
      }
      between.drop_watched();
      told heard = carry_out(here, {write.name, {{{"", 1}}}, 0});
      EXPECT_EQ(heard.sqlstate, "08007") << heard.all;
      await_end(pid);
      EXPECT_EQ(noted(operation), carried_out ? write.writes : 0);
      ASSERT_TRUE(holder.run("ROLLBACK").ok());
      expect_truth(write, operation, heard);
      expect_free();
    }
  }
  expect_at_rest();
}

TEST_F(fault_kills, pgteller_killed_at_every_step) {
  for (const char* name : {"simple", "transaction", "pipeline"}) {
    const auto& shapes = write_shapes();
    const auto shape =
        std::find_if(shapes.begin(), shapes.end(), [&](const auto& one) { return one.name == name; });
    const std::size_t steps = shape->make("", 1).steps.size();
    for (std::size_t done = 0; done <= steps; ++done) {
      for (const bool sent : {false, true}) {
        if (sent && done == steps) continue;
        SCOPED_TRACE(std::string(name) + " after " + std::to_string(done) + " steps" +
                     (sent ? " and a half" : ""));
        start_behind(0, "pessimistic");
        const std::string operation = next_operation();
        const guarded_write write = shape->make(operation, whole_balance(1));
        wire here("127.0.0.1", proxy_->port());
        ASSERT_TRUE(here.start(database_->name()));
        told heard = go_to(here, write, done);
        if (sent) here.send(write.steps[done].sent.bytes);
        proxy_->kill();
        if (done < steps) heard = go_on(here, write, done);
        await_end(backend_of(here));
        expect_truth(write, operation, heard);
        EXPECT_EQ(locked_ids(), "");
      }
    }
  }
  start_behind(0, "pessimistic");
  expect_free();
  expect_at_rest();
}

}  // namespace
}  // namespace e2e
