// Plays what client libraries send against PostgreSQL and through pgteller, with or without somebody who
// comes between read and write. Knows no rule: the test says what is to come of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/client_shapes.hpp"
#include "tests/e2e/stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {

using messages = std::vector<std::string>;

[[nodiscard]] messages play(wire& on, const std::vector<step>& steps);
/// One line for each message.
[[nodiscard]] std::string texts(const messages& all);

/// Counts are carried out just after the client has its answer: waits, within bounds, for this one.
[[nodiscard]] double settled(const proxy& asked, const std::string& prefix, double expected);

class shape_stage : public stage {
 protected:
  /// The tables are as they were before the first test.
  void begin_anew();
  /// All rows of wallets and notes, as text.
  [[nodiscard]] std::string everything() const;
  [[nodiscard]] std::unique_ptr<wire> proxied() const;

  /// Undisturbed: every byte that the client gets, and what is left behind, is the same as without pgteller.
  void expect_same(const client_shape& shape);
  /// The one error in `got` is 40001 with all its fields; what follows it up to the next Sync is skipped.
  void expect_stale(const messages& got, const client_shape& shape);

  [[nodiscard]] double conflicts(const std::string& cause, double expected) const {
    return settled(*proxy_, "pgteller_conflicts_total{cause=\"" + cause + "\"", expected);
  }
};

}  // namespace e2e
