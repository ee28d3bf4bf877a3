// `pgteller explain`: which rule a statement touches, which rows, what the server will be sent, and why.
// Analyses as a session would; never sends the statement anywhere.
#pragma once

#include <iosfwd>
#include <string>

namespace proxy::ops {

struct explain_options {
  std::string config;
  bool offline = false;         // against a catalog assumed from the rules alone
  bool in_transaction = false;  // as if inside BEGIN
  std::string database;         // empty: the conninfo's dbname, else its user
  std::string user;             // whose rules apply; empty: a user that no rule names
  std::string sql;
};

/// 0 good, 1 the database is out of reach, 2 the configuration cannot be used.
[[nodiscard]] int run_explain(const explain_options&, std::ostream& out, std::ostream& err);

}  // namespace proxy::ops
