// Who read and wrote guarded rows lately, across sessions: tells when a committed write overtook the read
// that another write rested on, and who of one client read a row last. Bounded, safe between threads; it only
// reports, and no guarantee rests on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/recorded_reads.hpp"
#include "proxy/session/turn_table.hpp"

namespace proxy::session {

/// One write of one row, as lost updates are reported.
struct seen_write {
  session_id who = 0;
  std::string application;
  std::string statement;  // its text, cut to 200 bytes; without constants where they may not be logged
  bool absolute = false;
  std::optional<clock::time_point>
      read;  // when the answer of the read it rests on came; none: no read on record
  std::chrono::system_clock::time_point read_at{};
  clock::time_point sent;
  clock::time_point committed;
  std::chrono::system_clock::time_point committed_at{};
};

/// `lost` was overwritten by `winner`, which had read the row before `lost` was made.
struct lost_update {
  row_id row;
  seen_write lost;
  seen_write winner;
};

class row_activity {
 public:
  /// Rows that are remembered; the least recently written are forgotten.
  explicit row_activity(std::size_t rows);
  row_activity() : row_activity(10'000) {}
  ~row_activity();

  /// A write has been committed. Returns the update that is lost by it, or that made it the lost one, only
  /// where that is certain: `one` and `other` of two sessions, where `one` rests on a read that was answered
  /// before `other` was sent, and either `other` was committed before `one` was sent, or both rest on reads
  /// that were answered before the other was sent. Each pair is reported once.
  [[nodiscard]] std::optional<lost_update> committed(const row_id& row, seen_write write);

  /// A session of this client (database, user, address) was told the row.
  void read(std::string_view client, const row_id& row, session_id who);
  /// The session of this client that was told the row last; 0: nobody known.
  [[nodiscard]] session_id last_reader(std::string_view client, const row_id& row) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace proxy::session
