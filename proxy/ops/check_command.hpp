// `pgteller check`: is the file right, and do the live tables bear its rules?
// Reads and prints; changes nothing, in the file or in the database.
#pragma once

#include <iosfwd>
#include <string>

namespace proxy::ops {

struct check_options {
  std::string config;
  bool offline = false;
  std::string database;  // empty: those that rules name, and the conninfo's own for rules that name none
};

/// 0 good, 1 problems found (or the database out of reach), 2 the configuration cannot be used.
[[nodiscard]] int run_check(const check_options&, std::ostream& out, std::ostream& err);

}  // namespace proxy::ops
