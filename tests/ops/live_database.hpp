// A database of its own for one test, on the cluster that PGTELLER_TEST_CONNINFO names; dropped at the end.
// Knows nothing of what the test puts into it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxy/ops/settings.hpp"

struct pg_conn;

namespace proxy::ops {

class live_database {
 public:
  /// Whether there is a cluster at all; skip the test if not.
  [[nodiscard]] static bool available();

  live_database();
  ~live_database();
  live_database(const live_database&) = delete;
  live_database& operator=(const live_database&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] upstream_settings upstream() const;
  [[nodiscard]] static catalog_settings as(const std::string& user) { return {"user=" + user}; }

  /// Runs SQL in this database as superuser; the first column of the last answer's first row.
  std::string run(const std::string& sql);

  /// The same in the maintenance database.
  std::string run_outside(const std::string& sql);

  /// Removes the database now; false if somebody is connected to it.
  bool drop();

 private:
  struct finish {
    void operator()(pg_conn*) const noexcept;
  };
  using connection = std::unique_ptr<pg_conn, finish>;

  std::string name_;
  connection outside_;
  connection inside_;
};

/// Asks every 5 ms until `true`, at most 10 s.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

}  // namespace proxy::ops
