// PostgreSQL itself goes down and comes back: by a backend's SIGKILL, after which all others are ended and
// the cluster recovers, and by an immediate stop. Runs on a cluster of its own.
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/e2e/fault_stage.hpp"

namespace e2e {
namespace {

class fault_crash : public fault_stage {
 protected:
  void bring_back() {
    ASSERT_TRUE(eventually([this] {  // else it may be let in once more before the others are ended
      static_cast<void>(PQconsumeInput(audit_->raw()));
      return !audit_->open();
    }));
    ASSERT_TRUE(eventually([this] {
      audit_ = std::make_unique<link>(cluster::conninfo(database_->name()));
      return audit_->open();
    }));
    ASSERT_TRUE(eventually([this] {
      bystander_ = std::make_unique<link>(through_conninfo());
      return bystander_->open();
    }));
  }
  static void kill_backend(const std::string& pid) { ASSERT_EQ(::kill(std::atoi(pid.c_str()), SIGKILL), 0); }
  static void stop_at_once() {
    std::string output;
    ASSERT_EQ(run_shell(cluster_script() + " restart", output), 0) << output;
  }
  static std::string cluster_script() { return PGTELLER_SOURCE_DIR "/tests/cluster.sh"; }

  /// After `done` steps, with the next one sent where `sent`, PostgreSQL goes down.
  void go_down(const write_shape& shape, std::size_t done, bool sent, bool by_kill) {
    SCOPED_TRACE(shape.name + " after " + std::to_string(done) + (sent ? " steps and a half" : " steps"));
    const std::string operation = next_operation();
    const guarded_write write = shape.make(operation, whole_balance(1));
    wire here("127.0.0.1", proxy_->port());
    ASSERT_TRUE(here.start(database_->name()));
    guarded_write front{write.name, {write.steps.begin(), write.steps.begin() + static_cast<long>(done)}, 0};
    told heard = carry_out(here, front);
    ASSERT_TRUE(heard.acknowledged) << heard.all;
    if (sent) here.send(write.steps[done].sent.bytes);
    by_kill ? kill_backend(backend_of(here)) : stop_at_once();
    if (sent) heard = carry_out(here, {write.name, {{{"", write.steps[done].sent.ready}}}, 0});
    if (!sent && done < write.steps.size()) heard.acknowledged = false;
    EXPECT_TRUE(here.closed() || !sent || heard.acknowledged) << heard.all;
    bring_back();
    expect_truth(write, operation, heard);
    expect_free();
  }
};

TEST_F(fault_crash, at_every_step_of_a_write) {
  start_behind(0, "pessimistic");
  for (const write_shape& shape : write_shapes()) {
    if (shape.name != "simple" && shape.name != "transaction") continue;
    const std::size_t steps = shape.make("", 1).steps.size();
    for (std::size_t done = steps / 2; done <= steps; ++done) {
      go_down(shape, done, done < steps, done % 2 == 0);
      ASSERT_FALSE(HasFailure());
    }
  }
  expect_at_rest();
}

}  // namespace
}  // namespace e2e
