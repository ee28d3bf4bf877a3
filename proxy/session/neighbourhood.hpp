// What sessions share about guarded rows: turns, reads that belong to a client or a trace instead of one
// connection, and who read and wrote what. Safe between threads; all of it only makes conflicts rare or
// visible, no guarantee rests on it.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/session/commit_groups.hpp"
#include "proxy/session/recorded_reads.hpp"
#include "proxy/session/row_activity.hpp"
#include "proxy/session/turn_table.hpp"

namespace proxy::session {

/// Recorded reads by owner, where that is not one session. The owners used longest ago are forgotten.
class shared_reads {
 public:
  static constexpr std::size_t most_owners = 10'000;

  /// Runs `what` on the reads of `owner` while nobody else sees them.
  template <class What>
  auto with(std::string_view owner, What&& what) {
    const std::lock_guard hold(lock_);
    return std::forward<What>(what)(of(owner));
  }

  /// Somebody has asked for some, ever.
  [[nodiscard]] bool used() const noexcept { return used_; }

  /// The same only if there are any: asking does not make them.
  template <class What>
  bool any(std::string_view owner, What&& what) {
    if (!used_) return false;
    const std::lock_guard hold(lock_);
    const auto known = by_owner_.find(std::string(owner));
    return known != by_owner_.end() && std::forward<What>(what)(known->second.reads);
  }

 private:
  struct item {
    recorded_reads reads;
    std::list<std::string>::iterator age;
  };
  recorded_reads& of(std::string_view owner);

  std::atomic<bool> used_ = false;  // ever: where all rules correlate by session, nobody waits here
  std::mutex lock_;
  std::unordered_map<std::string, item> by_owner_;
  std::list<std::string> ages_;  // most recently used first
};

/// The sessions of each client, and how many of them wait for a turn: if all did, the write that they wait
/// for would find no connection.
class client_census {
 public:
  void join(const std::string& client);
  void leave(const std::string& client);
  /// A session begins to wait. False: it would be the last one that does not, and must not wait.
  [[nodiscard]] bool begin_waiting(const std::string& client);
  void end_waiting(const std::string& client);

 private:
  struct count {
    std::size_t sessions = 0;
    std::size_t waiting = 0;
  };
  std::mutex lock_;
  std::unordered_map<std::string, count> by_client_;
};

struct neighbourhood {
  turn_table turns;
  commit_groups groups;
  client_census clients;
  row_activity activity;
  shared_reads reads;
};

}  // namespace proxy::session
