// A connection that breaks at a byte of a guarded write, in every direction and on either side of pgteller,
// for all boundaries of messages and all bytes of the last answers. Were an outcome guessed, a turn kept or a
// half message passed on, one of the positions would show it.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/e2e/fault_stage.hpp"
#include "tests/e2e/gate.hpp"

namespace e2e {
namespace {

/// An undisturbed unit of work: what passed the gate, and where each step ended.
struct recording {
  std::string bytes;
  std::vector<std::size_t> ends;
};

/// Where messages begin, and the bytes beside; of the last two messages every byte.
std::vector<std::size_t> positions_in(const std::string& bytes) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at + 5 <= bytes.size();) {
    starts.push_back(at);
    std::size_t size = 0;
    for (std::size_t i = 1; i <= 4; ++i) size = size << 8U | static_cast<unsigned char>(bytes[at + i]);
    at += size + 1;
  }
  std::set<std::size_t> all;
  for (const std::size_t at : starts) all.insert({at, std::min(at + 1, bytes.size() - 1)});
  const std::size_t tail = starts.size() < 2 ? 0 : starts[starts.size() - 2];
  if (bytes.size() - tail < 40) {
    for (std::size_t at = tail; at < bytes.size(); ++at) all.insert(at);
  }
  all.insert(bytes.size() - 1);
  return {all.begin(), all.end()};
}

struct place {
  const char* name;
  const char* strategy;
  bool before_postgresql;  // the gate is between pgteller and PostgreSQL, else between client and pgteller
  std::size_t every;       // so many-th position only, to save time
};

class fault_positions : public fault_stage, public testing::WithParamInterface<place> {
 protected:
  void SetUp() override {
    fault_stage::SetUp();
    upstream_ = std::make_unique<gate>();
    start_behind(upstream_->port(), GetParam().strategy);
    downstream_ = std::make_unique<gate>(proxy_->port());
  }

  gate& tested() { return GetParam().before_postgresql ? *upstream_ : *downstream_; }

  recording record(const write_shape& shape, side from) {
    const guarded_write write = shape.make(next_operation(), whole_balance(1));
    wire here("127.0.0.1", downstream_->port());
    EXPECT_TRUE(here.start(database_->name()));
    tested().watch();
    recording made;
    for (const fault_step& each : write.steps) {
      const told heard = carry_out(here, {write.name, {each}, write.writes});
      EXPECT_TRUE(heard.acknowledged) << heard.all;
      made.ends.push_back(tested().relayed(from).size());
    }
    made.bytes = tested().relayed(from);
    return made;
  }

  void strike(const write_shape& shape, const recording& undisturbed, const fault& what) {
    SCOPED_TRACE(shape.name + (what.of == side::server ? ", answer" : ", request") + ", byte " +
                 std::to_string(what.at) + " of " + std::to_string(undisturbed.bytes.size()));
    const std::string operation = next_operation();
    const guarded_write write = shape.make(operation, whole_balance(1));
    wire here("127.0.0.1", downstream_->port());
    ASSERT_TRUE(here.start(database_->name()));
    tested().arm(what);
    const told heard = carry_out(here, write);
    EXPECT_TRUE(tested().struck());
    EXPECT_FALSE(heard.acknowledged);
    if (GetParam().before_postgresql) {
      const auto step = std::upper_bound(undisturbed.ends.begin(), undisturbed.ends.end(), what.at);
      EXPECT_EQ(heard.sqlstate, write.steps[static_cast<std::size_t>(step - undisturbed.ends.begin())].lost)
          << heard.all;
    }
    await_end(backend_of(here));
    expect_truth(write, operation, heard);
    expect_free();
  }

  std::unique_ptr<gate> upstream_;
  std::unique_ptr<gate> downstream_;
};

TEST_P(fault_positions, are_all_survived) {
  for (const write_shape& shape : write_shapes()) {
    for (const side from : {side::server, side::client}) {
      const recording undisturbed = record(shape, from);
      ASSERT_FALSE(HasFailure());
      const std::vector<std::size_t> positions = positions_in(undisturbed.bytes);
      for (std::size_t i = 0; i < positions.size(); i += GetParam().every) {
        const std::size_t at = positions[i];
        const auto what = at % 2 == 0 ? fault::type::reset : fault::type::end;
        strike(shape, undisturbed, {what, from, at});
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  expect_at_rest();
}

std::string name_of(const testing::TestParamInfo<place>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(all, fault_positions,
                         testing::Values(place{"pessimistic_server", "pessimistic", true, 2},
                                         place{"pessimistic_client", "pessimistic", false, 7},
                                         place{"optimistic_server", "optimistic", true, 7},
                                         place{"escrow_server", "escrow", true, 7},
                                         place{"escrow_client", "escrow", false, 9}),
                         name_of);

}  // namespace
}  // namespace e2e
