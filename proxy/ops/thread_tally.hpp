// Counters that a data-path thread bumps for every message: one block a thread, no shared cache line, no
// locked instruction. Knows nothing of metric names or of how the blocks are added up.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace proxy::ops {

/// Written by one thread, read by any.
class tally_counter {
 public:
  void add(std::uint64_t amount) noexcept {
    // Only the owning thread writes, so a plain load and store lose nothing.
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Upper bounds of the overhead histogram, in nanoseconds; what is above the last falls into +Inf.
inline constexpr std::array<std::uint64_t, 14> overhead_bounds_ns = {
    1'000,   2'000,   5'000,     10'000,    20'000,    50'000,     100'000,
    200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 100'000'000};

/// Only the thread it was given to may call the non-const members.
struct alignas(64) thread_tally {
  tally_counter bytes_to_server;
  tally_counter bytes_to_client;
  tally_counter plan_cache_hits;
  tally_counter plan_cache_misses;
  tally_counter overhead_sum_ns;
  std::array<tally_counter, overhead_bounds_ns.size() + 1> overhead_buckets;

  /// Whether this statement's time is to be told to overhead(): of every sixteenth, the first among them,
  /// since reading the clock twice costs more than the rest of the counting.
  [[nodiscard]] bool samples_overhead() noexcept { return (statements_seen++ & 15U) == 0; }
  std::uint32_t statements_seen = 0;

  /// Time one statement spent inside the proxy, waits apart.
  void overhead(std::chrono::nanoseconds spent) noexcept {
    const auto ns = spent.count() < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(spent.count());
    std::size_t bucket = 0;
    while (bucket < overhead_bounds_ns.size() && ns > overhead_bounds_ns[bucket]) ++bucket;
    overhead_buckets[bucket].add(1);
    overhead_sum_ns.add(ns);
  }
};

}  // namespace proxy::ops
