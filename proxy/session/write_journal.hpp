// What a session's own writes did to its recorded reads, in the order in which they were sent, so that a
// rollback, also to a savepoint, can undo them. Knows marks and their order; neither SQL nor messages.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/session/recorded_reads.hpp"

namespace proxy::session {

class write_journal {
 public:
  /// Number of an entry; they ascend.
  using mark = std::uint64_t;

  /// A movement of a record: what it was before, and the version that it was given.
  struct moved {
    row_id row;
    std::optional<recorded_read> before;
    std::uint64_t version = 0;  // 0: no record was left
    std::string owner{};        // whose record, where it is not the session's own
  };
  /// Puts `before` back, with its version. Where the record has another version than `version` by now, the
  /// caller decides what stands; a later movement that rested on the undone one rests on `before` from then
  /// on. Must not use the journal.
  using undo = std::function<void(const moved&)>;

  mark add(moved what);
  /// SAVEPOINT, RELEASE or ROLLBACK TO is being sent.
  mark add_savepoint(std::string_view name);
  mark add_release(std::string_view name);
  mark add_rollback_to(std::string_view name);
  /// A point that a later commit or rollback refers to: COMMIT, ROLLBACK, Sync or a query's end is being
  /// sent.
  mark add_end();

  /// The statement of this entry has failed, was skipped, or met no row: its movement is undone, or its mark
  /// removed. Nothing happens if the entry is not there any more.
  void drop(mark number, const undo& how);
  /// ROLLBACK TO has been carried out: movements since its savepoint are undone, newest first. A savepoint
  /// that is not in the journal is older than everything in it.
  void rolled_back_to(mark number, const undo& how);
  /// The transaction that ended at this entry was committed: everything up to it is final.
  void committed(mark end);
  /// It was rolled back: everything up to it is undone, newest first.
  void rolled_back(mark end, const undo& how);
  /// Everything is undone.
  void rolled_back_all(const undo& how);
  void committed_all() { entries_.clear(); }

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] mark last() const noexcept { return next_ - 1; }

 private:
  enum class kind : std::uint8_t { moved, savepoint, release, rollback_to, end };
  struct entry {
    mark number = 0;
    kind what = kind::end;
    moved movement;
    std::string name;
  };
  mark push(kind what, std::string_view name);
  [[nodiscard]] std::size_t position(mark number) const;
  [[nodiscard]] std::size_t savepoint_of(std::size_t rollback) const;
  void undo_range(std::size_t from, std::size_t to, const undo& how);

  std::deque<entry> entries_;
  mark next_ = 1;
};

}  // namespace proxy::session
