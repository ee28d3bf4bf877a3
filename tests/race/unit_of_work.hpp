// One attempt at one operation as an application makes it: a few statements, in a transaction or not, of
// which the first that fails ends it. It says what the application knows afterwards, and no more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/race/connection.hpp"
#include "tests/race/statement.hpp"

namespace race {

enum class verdict : std::uint8_t {
  acknowledged,  // the server said it is done
  declined,      // the application itself saw that it cannot be done
  failed,        // the server said it is not done
  unknown,       // the connection was lost, or 08007, while the outcome was under way
};

struct attempt {
  race::verdict verdict = verdict::failed;
  std::string sqlstate;        // of a failure; "lost" where the connection went without a word
  std::vector<entry> entries;  // the money the operation moves if it is done
  bool overdrawn = false;      // the server reported a balance below zero
};

class unit_of_work {
 public:
  /// Autocommit, unless begin() is called. `locking`: the application takes care itself, so what it reads it
  /// reads FOR UPDATE, and in a transaction from the start.
  unit_of_work(connection& link, style how, bool locking) : link_(&link), how_(how), locking_(locking) {}

  void begin();
  /// From here on over another connection (a pool's choice), unless a transaction holds this one.
  void move_to(connection& link);
  /// Every statement from here on names this trace: 32 hex digits.
  void trace(std::string id) { trace_ = std::move(id); }

  /// After a failure nothing is sent any more, and the reply is empty.
  reply run(const statement&);

  [[nodiscard]] std::optional<wallet> read(std::int64_t wallet_id) { return read(wallet_id, habit_of(how_)); }
  [[nodiscard]] std::optional<wallet> read(std::int64_t wallet_id, found_by);
  [[nodiscard]] bool sees_item(std::int64_t item_id);
  void write(const wallet& as_read, cents balance) { run(write_wallet(how_, as_read, balance)); }
  void move(std::int64_t wallet_id, cents amount);
  void enter(std::int64_t operation, const std::vector<entry>& entries) {
    run(race::enter(how_, operation, entries));
  }

  [[nodiscard]] bool ok() const { return !ended_; }
  [[nodiscard]] style how() const { return how_; }

  /// Commits, if there is something to commit, and says how it went.
  [[nodiscard]] attempt finish(std::vector<entry> entries);
  /// The application changes its mind.
  [[nodiscard]] attempt decline();

 private:
  void note(const reply&, const statement&);
  void roll_back();

  connection* link_;
  style how_;
  bool locking_;
  std::string trace_;
  bool transaction_ = false;
  bool ended_ = false;
  attempt result_{verdict::acknowledged, {}, {}, false};
};

}  // namespace race
