// What one client of a race has at hand: its connections, its dice and its pace.
// Does not know which scenario it plays.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "tests/race/connection.hpp"
#include "tests/race/unit_of_work.hpp"

namespace race {

struct worker {
  race::style style = style::simple;
  std::int64_t wallets = 2;  // numbered from 1
  std::chrono::microseconds longest_thought{2000};
  connection& first;
  connection& second;     // of a pool that hands out what is free
  bool locking = false;   // the application reads FOR UPDATE, see unit_of_work
  bool bypasses = false;  // the others go through a proxy, this one does not
  std::mt19937_64 dice;

  [[nodiscard]] unit_of_work start() { return {first, style, locking}; }

  [[nodiscard]] std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(dice);
  }

  [[nodiscard]] std::int64_t pick_wallet() { return pick(1, wallets); }

  /// 32 hex digits, the same for nobody else.
  [[nodiscard]] std::string new_trace() {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string id;
    while (id.size() < 32) id += digits[static_cast<std::size_t>(pick(0, 15))];
    return id;
  }

  /// The time an application takes between what it reads and what it writes.
  void think() {
    if (longest_thought.count() > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(pick(0, longest_thought.count())));
    }
  }
};

}  // namespace race
