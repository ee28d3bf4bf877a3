// One connection to a database or a proxy, on libpq, that never waits forever: an answer that does not come
// in time counts as a lost connection. Knows no scenario.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <libpq-fe.h>

#include "tests/race/statement.hpp"

namespace race {

/// Where to connect to, in libpq's words; what is empty is left to libpq's environment.
struct address {
  std::string host;
  std::string port;
  std::string dbname;
  std::string user;
};

/// What came back for one statement.
class reply {
 public:
  reply() = default;
  explicit reply(PGresult* result) : result_(result, &PQclear) {}

  [[nodiscard]] bool ok() const;
  [[nodiscard]] std::string sqlstate() const;  // empty unless the server sent an error
  [[nodiscard]] std::string message() const;
  [[nodiscard]] std::string_view tag() const;  // e.g. "COMMIT"
  [[nodiscard]] int rows() const;
  [[nodiscard]] std::string text(int row, int column) const;

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_{nullptr, &PQclear};
};

class connection {
 public:
  /// `patience`: the longest wait for one answer, and for the connection itself.
  connection(address where, std::chrono::seconds patience);

  /// From a whole conninfo string instead.
  connection(const std::string& conninfo, std::chrono::seconds patience);

  /// False: see problem(). An open connection is closed first.
  [[nodiscard]] bool open();
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// A reply that is not ok() and has no sqlstate() means that the connection is lost, with no word on the
  /// outcome.
  reply run(style, const statement&);
  reply run(const std::string& sql);

 private:
  reply answer();
  bool wait_readable(std::chrono::steady_clock::time_point until);
  reply lost(std::string why);

  std::string conninfo_;
  std::chrono::seconds patience_;
  std::unique_ptr<PGconn, void (*)(PGconn*)> link_{nullptr, &PQfinish};
  std::set<std::string, std::less<>> prepared_;
  std::string problem_;
};

}  // namespace race
