// The command line of the race program, as values. Knows no scenario but by name.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/race/connection.hpp"
#include "tests/race/statement.hpp"

namespace race {

enum class expectation : std::uint8_t { none, safe, loss };

struct options {
  address target{"127.0.0.1", "5432", "postgres", "postgres"};
  std::optional<address> versus;  // played against as well, and shown beside
  std::string versus_name = "pgteller";
  std::string audit_conninfo;  // empty: the target
  std::uint32_t clients = 32;
  std::int64_t wallets = 2;
  std::chrono::milliseconds duration{3000};
  std::uint64_t operations = 0;  // 0: as many as the duration allows
  std::string scenario = "guarded";
  bool scenario_given = false;
  race::style style = style::simple;
  std::uint32_t retries = 5;
  std::chrono::microseconds longest_thought{2000};
  std::chrono::seconds patience{30};
  bool setup = false;
  bool json = false;
  bool list = false;
  bool help = false;
  race::expectation expectation = expectation::none;
};

struct parsed_options {
  options value;
  std::string problem;  // empty: value is usable
};

[[nodiscard]] parsed_options parse_options(const std::vector<std::string>& arguments);

[[nodiscard]] std::string help_text();

}  // namespace race
