// What every end-to-end test stands on: a database of its own on the test cluster, and a pgteller in front.
// Knows no scenario.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/e2e/child.hpp"
#include "tests/e2e/link.hpp"

namespace e2e {

/// The cluster that tests/cluster.sh started; every accessor fails the test if there is none.
namespace cluster {
[[nodiscard]] std::string host();
[[nodiscard]] int port();
[[nodiscard]] std::string socket_directory();
[[nodiscard]] std::string password();
[[nodiscard]] std::string conninfo(const std::string& database, const std::string& user = "postgres");
}  // namespace cluster

/// The pgteller that is tested: the one just built, unless PGTELLER_BIN names another.
[[nodiscard]] std::string program();

/// A database that exists as long as this does.
class database {
 public:
  database();
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] link direct(const std::string& user = "postgres") const;

 private:
  std::string name_;
};

struct proxy_options {
  std::string rules;     // [[rule]] tables
  std::string listen;    // further lines of the section
  std::string upstream;  // likewise; without any, what PGTELLER_TEST_UPSTREAM says
  std::string catalog = "user=pgteller";
  std::string log_level = "debug";
  std::string upstream_host;  // default: the cluster's
  int upstream_port = 0;
};

/// A running `pgteller serve`. The destructor stops it by SIGTERM and fails the test unless it exits with 0,
/// so that what a sanitizer finds at the end is not lost.
class proxy {
 public:
  explicit proxy(proxy_options options);
  ~proxy();
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] child& process() { return *process_; }
  [[nodiscard]] std::string log() const { return process_->output(); }
  /// Stops it now, in the given way, and expects exit code 0.
  void stop(int signal = 15);
  /// Ends it by SIGKILL.
  void kill();

  /// Body and, in `status`, code of GET `path` of the metrics port.
  [[nodiscard]] std::string page(const std::string& path, int& status) const;
  /// Sum of all series of /metrics whose line starts so; 0 if there is none.
  [[nodiscard]] double metric(const std::string& prefix) const;
  [[nodiscard]] bool ready() const;

  /// Writes another file in place of the configuration and sends SIGHUP; waits until it has been looked at.
  void reload(const std::string& rules);

 private:
  void write_configuration(const std::string& rules) const;
  void read_ports();

  scratch place_;
  proxy_options options_;
  std::unique_ptr<child> process_;
  int port_ = 0;
  int metrics_port_ = 0;
};

/// The rule of most tests: wallets.balance, at least 0.
[[nodiscard]] std::string wallet_rule(const std::string& more = "");

/// A database with a table `wallets` (ids 1 to 10, each with 100.00, user_id = id * 10) and two others, and
/// what the fixture's start() puts in front.
class stage : public testing::Test {
 protected:
  void SetUp() override;

  /// Starts pgteller with these rules and waits until it knows the catalog.
  void start(const std::string& rules = wallet_rule());
  void start(proxy_options options);

  [[nodiscard]] std::string through_conninfo(const std::string& user = "postgres") const;
  [[nodiscard]] link through(const std::string& user = "postgres") const;
  [[nodiscard]] link direct(const std::string& user = "postgres") const { return database_->direct(user); }
  [[nodiscard]] std::string balance(int id) const;
  /// Whether the backend is seen waiting for a lock before time is up.
  [[nodiscard]] bool waits_for_lock(const link& who) const;
  /// Ids of wallets that another transaction has locked, e.g. "1,2".
  [[nodiscard]] std::string locked_ids() const;

  std::unique_ptr<database> database_;
  std::unique_ptr<proxy> proxy_;
};

}  // namespace e2e
