// Guarded writes that something goes wrong with, and the audit afterwards: each write carries an operation id
// that PostgreSQL notes in the same transaction. Knows nothing of what goes wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {

/// One message exchange of a unit of work, and what a client is to be told where PostgreSQL is lost in it.
struct fault_step {
  step sent;
  std::string lost = "08007";
};

/// A unit of work on wallet 1 (and 3, where it writes two).
struct guarded_write {
  std::string name;
  std::vector<fault_step> steps;
  int writes = 1;
};

/// How clients write: `operation` is noted, `balance` is what the wallet has now; one is taken off.
struct write_shape {
  std::string name;
  guarded_write (*make)(const std::string& operation, long balance);
};

[[nodiscard]] const std::vector<write_shape>& write_shapes();

/// What a client has been told of a unit of work.
struct told {
  bool acknowledged = false;  // every answer came, none of them an error
  std::string sqlstate;       // of the last error; empty: none
  std::string all;            // for messages of failed assertions
};

class fault_stage : public shape_stage {
 protected:
  void SetUp() override;

  /// A rule under which a turn or lock that is left behind makes the next writer wait beyond all patience.
  [[nodiscard]] static std::string patient_rule(const std::string& strategy);
  /// pgteller with that rule and with `between` on its way to PostgreSQL; opens the bystander.
  void start_behind(int upstream_port, const std::string& strategy);

  /// All of the same length, so that exchanges are.
  [[nodiscard]] std::string next_operation() { return "op-" + std::to_string(++operations_); }
  [[nodiscard]] long whole_balance(int id);
  /// The backend is gone: nothing more can come of it.
  void await_end(const std::string& pid);
  /// How often PostgreSQL has carried the operation out.
  [[nodiscard]] int noted(const std::string& operation);

  /// What the client was told of the operation is true; the balance is the sum of what is noted.
  void expect_truth(const guarded_write& write, const std::string& operation, const told& heard);
  /// Others write the same row and other rows at once: nothing was left behind.
  void expect_free();
  /// No turn, no waiter, no lock.
  void expect_at_rest();

  std::unique_ptr<link> audit_;
  std::unique_ptr<link> bystander_;
  int operations_ = 100000;
};

[[nodiscard]] told carry_out(wire& on, const guarded_write& write);
/// The process id in what came before the first ReadyForQuery.
[[nodiscard]] std::string backend_of(const wire& on);

}  // namespace e2e
