// The command line of the race program, as values. Knows no scenario but by name.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/race/connection.hpp"
#include "tests/race/guard.hpp"
#include "tests/race/statement.hpp"

namespace race {

enum class expectation : std::uint8_t { none, safe, loss };

struct options {
  address target{"127.0.0.1", "5432", "postgres", "postgres"};
  std::optional<address> versus;  // played against as well, and shown beside
  std::string versus_name = "pgteller";
  std::string audit_conninfo;  // empty: the target
  std::vector<address> also;   // the clients are dealt out between the target and these
  std::uint32_t bypass = 0;    // so many clients use audit_conninfo instead
  std::uint32_t clients = 32;
  std::uint32_t users = 0;  // roles that the clients are dealt out between; 0: all have the target's
  std::int64_t wallets = 2;
  std::chrono::milliseconds duration{3000};
  std::uint64_t operations = 0;  // 0: as many as the duration allows
  std::string scenario = "all";
  bool scenario_given = false;
  race::style style = style::simple;
  bool locking = false;  // the application reads FOR UPDATE
  std::uint32_t retries = 5;
  std::chrono::microseconds longest_thought{2000};
  std::chrono::seconds patience{30};
  bool setup = false;
  bool json = false;
  std::optional<std::string> cells;  // a line of a table for each, under this title
  std::string rules_of;              // a guard whose rules are to be printed
  bool list = false;
  bool list_guards = false;
  bool help = false;
  race::expectation expectation = expectation::none;
  const race::guard* guard = nullptr;     // expected besides: what this one promises
  std::vector<std::string> forbidden;     // no attempt may end with one of these SQLSTATEs
  std::optional<double> fewer_deadlocks;  // percent of attempts
};

struct parsed_options {
  options value;
  std::string problem;  // empty: value is usable
};

[[nodiscard]] parsed_options parse_options(const std::vector<std::string>& arguments);

/// The role of a client; `number` from 0.
[[nodiscard]] std::string role_of(std::uint32_t number);

[[nodiscard]] std::string help_text();

}  // namespace race
