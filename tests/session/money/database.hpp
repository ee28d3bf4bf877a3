// The model's rows: versions, row locks, transactions with savepoints, READ COMMITTED. Knows no SQL text, no
// messages and no waiting: a lock that is not free is the caller's to wait for.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace money {

class transaction;

struct row;

struct wallet {
  std::int64_t user_id = 0;
  std::int64_t balance = 0;  // hundredths
};

struct row {
  std::optional<wallet> committed;  // none: deleted
  std::uint64_t version = 1;        // of what is committed
  transaction* holder = nullptr;    // has locked it
  std::optional<wallet> current;    // as the holder sees it
};

class database {
 public:
  void insert(std::int64_t id, wallet what) { rows_[id].committed = what; }
  [[nodiscard]] std::map<std::int64_t, row>& rows() { return rows_; }
  [[nodiscard]] const std::map<std::int64_t, row>& rows() const { return rows_; }

  /// Balances that were committed below zero so far.
  std::uint64_t overdrafts = 0;

  /// What has happened, a line each, for whoever looks at one schedule.
  std::vector<std::string> story;
  bool tells = false;
  void tell(const std::string& line) {
    if (tells) story.push_back(line);
  }

 private:
  std::map<std::int64_t, row> rows_;
};

class transaction {
 public:
  explicit transaction(database& of) : of_(of), levels_(1) {}
  ~transaction() { roll_back(); }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// What a snapshot taken now shows.
  [[nodiscard]] const std::optional<wallet>& sees(const row& which) const {
    return which.holder == this ? which.current : which.committed;
  }
  /// False: somebody else holds it.
  [[nodiscard]] bool lock(std::int64_t id);
  /// The row is locked.
  void write(std::int64_t id, std::optional<wallet> what);

  void savepoint(std::string_view name);
  /// False: there is no such savepoint.
  [[nodiscard]] bool release(std::string_view name);
  [[nodiscard]] bool roll_back_to(std::string_view name);
  /// An error: what was done since the last savepoint is undone.
  void fail();
  void roll_back();
  /// True if something was written.
  bool commit();

  const row* waits_for = nullptr;  // set by whoever waits

 private:
  struct change {
    std::int64_t id = 0;
    bool locked = false;  // else written
    std::optional<wallet> before;
  };
  struct level {
    std::string savepoint;
    std::vector<change> changes;
  };
  [[nodiscard]] std::optional<std::size_t> level_of(std::string_view name) const;
  void undo_from(std::size_t first);

  database& of_;
  std::vector<level> levels_;
};

}  // namespace money
