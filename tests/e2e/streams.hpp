// Dialogues in raw bytes, each to be played against PostgreSQL and through pgteller, whose replies must be
// the same. They use a table sheet(id int, note text), which each leaves as it likes.
#pragma once

#include <string>
#include <vector>

namespace e2e {

/// Bytes to send, and how much of an answer to wait for before the next.
struct step {
  std::string bytes;
  int ready = 1;       // so many ReadyForQuery
  std::string stop{};  // or until one of these tags
};

struct stream {
  std::string name;
  std::vector<step> steps;
};

/// Small enough to be sent byte by byte.
[[nodiscard]] std::vector<stream> small_streams();
/// Large messages and many rows.
[[nodiscard]] std::vector<stream> large_streams();
/// Statements on the table wallets, all rolled back.
[[nodiscard]] std::vector<stream> wallet_streams();

}  // namespace e2e
