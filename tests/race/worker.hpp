// What one client of a race has at hand: its connections, its dice and its pace.
// Does not know which scenario it plays.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <thread>

#include "tests/race/connection.hpp"
#include "tests/race/unit_of_work.hpp"

namespace race {

struct worker {
  std::uint32_t number = 0;  // from 0; scenarios may give worker 0 a duty of its own
  race::style style = style::simple;
  std::int64_t wallets = 2;  // numbered from 1
  std::chrono::microseconds longest_thought{2000};
  connection& first;
  connection& second;  // of a pool that hands out what is free
  std::mt19937_64 dice;

  [[nodiscard]] unit_of_work start() { return {first, style}; }

  [[nodiscard]] std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(dice);
  }

  [[nodiscard]] std::int64_t pick_wallet() { return pick(1, wallets); }

  /// The time an application takes between what it reads and what it writes.
  void think() {
    if (longest_thought.count() > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(pick(0, longest_thought.count())));
    }
  }
};

}  // namespace race
