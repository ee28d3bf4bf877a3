// Many clients whose connections break at random bytes, on both sides of pgteller and in pieces, for a
// bounded time. The seed is printed; PGTELLER_FAULT_SEED repeats what was asked for, not how threads met.
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/e2e/fault_stage.hpp"
#include "tests/e2e/gate.hpp"

namespace e2e {
namespace {

constexpr std::chrono::seconds duration{2};
constexpr int clients = 4;
constexpr int longest_exchange = 900;  // bytes

unsigned seed() {
  const char* given = std::getenv("PGTELLER_FAULT_SEED");
  return given == nullptr ? std::random_device{}() : static_cast<unsigned>(std::atol(given));
}

/// One operation of one client, for the audit.
struct attempt {
  std::string operation;
  guarded_write write;
  told heard;
};

class fault_random : public fault_stage, public testing::WithParamInterface<const char*> {
 protected:
  /// A client with gates of its own, so that it knows which connection is its.
  void work(unsigned number, std::chrono::steady_clock::time_point until, std::vector<attempt>& made) {
    std::mt19937 random(number);
    const auto below = [&](int limit) {
      return static_cast<std::size_t>(random() % static_cast<unsigned>(limit));
    };
    gate between(proxy_->port());
    link looks = direct();
    for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
      const write_shape& shape = write_shapes()[below(static_cast<int>(write_shapes().size()))];
      const long balance = std::atol(value(looks, "SELECT trunc(balance) FROM wallets WHERE id = 1").c_str());
      std::string operation = "op-" + std::to_string(number % 1000) + "-" + std::to_string(i);
      attempt one{operation, shape.make(operation, balance), {}};
      between.split(below(3) == 0 ? 1 + below(20) : 0);
      wire here("127.0.0.1", between.port());
      if (!here.start(database_->name())) continue;
      const auto kind = below(2) == 0 ? fault::type::reset : fault::type::end;
      const auto of = below(2) == 0 ? side::server : side::client;
      if (below(4) != 0) between.arm({kind, of, below(longest_exchange)});
      one.heard = carry_out(here, one.write);
      made.push_back(std::move(one));
    }
  }
};

TEST_P(fault_random, nothing_is_lost_or_done_twice) {
  const unsigned first = seed();
  std::cout << "PGTELLER_FAULT_SEED=" << first << std::endl;
  gate upstream;
  start_behind(upstream.port(), GetParam());
  const auto until = std::chrono::steady_clock::now() + duration;
  std::vector<std::vector<attempt>> made(clients);
  std::vector<std::thread> running;
  for (unsigned i = 0; i < clients; ++i) {
    running.emplace_back([this, i, first, until, &mine = made[i]] { work(first + i, until, mine); });
  }
  std::mt19937 random(first);
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    upstream.split(random() % 3 == 0 ? 1 + random() % 50 : 0);
    upstream.arm({fault::type::reset, random() % 2 == 0 ? side::server : side::client, random() % 600});
  }
  for (std::thread& each : running) each.join();
  upstream.split(0);
  EXPECT_TRUE(eventually([&] {
    return value(*audit_,
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                 "pg_backend_pid() AND application_name <> 'pgteller'") <= "1";
  }));
  int acknowledged = 0;
  int attempts = 0;
  for (const auto& mine : made) {
    for (const attempt& one : mine) {
      SCOPED_TRACE(one.operation + " " + one.write.name);
      ++attempts;
      acknowledged += one.heard.acknowledged ? 1 : 0;
      expect_truth(one.write, one.operation, one.heard);
    }
  }
  std::cout << acknowledged << " of " << attempts << " acknowledged\n";
  bystander_ = std::make_unique<link>(through_conninfo());
  expect_free();
  expect_at_rest();
}

INSTANTIATE_TEST_SUITE_P(all, fault_random, testing::Values("pessimistic", "optimistic", "escrow"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace e2e
