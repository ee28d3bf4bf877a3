// Who is next to write which row: a first-come-first-served queue for each row that somebody waits for, with
// cycles found at once. Shared by all sessions and safe between threads; knows no messages, no SQL and no
// clock, and wakes nobody itself: calls return the sessions whose waiting has ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/outbox.hpp"
#include "proxy/session/recorded_reads.hpp"
#include "rules/rule.hpp"

namespace proxy::session {

using session_id = std::uint64_t;

/// Sessions that may go on now.
using wake_list = std::vector<session_id>;

struct turn_request {
  session_id who = 0;
  std::uint64_t owner = 0;  // whose turn it is to be: the session, a trace or a client
  std::string_view rule;    // name, for counting
  rules::turns mode = rules::turns::adaptive;
  std::chrono::milliseconds turn_timeout{1000};
  bool read = true;  // a read begins a turn as `mode` says; a write only waits
  bool in_transaction = false;
  bool holds_row_locks = false;  // in its transaction: it may make others wait at PostgreSQL
  bool one_read = false;  // correlate = "client": a read waits for its own owner's turn too, unless the
                          // same session holds it and is in a transaction
  bool by_key = true;  // false: rows are named otherwise; begun only for statements known to lead to a write
  bool locks = false;  // the rows are to be locked for the transaction: adaptive turns are held as well,
                       // until wrote()
  std::uint64_t shape = 0;   // of the read, rules::statement::shape
  std::vector<row_id> rows;  // taken in the order of their bytes
};

struct turn_answer {
  enum class type : std::uint8_t {
    go,        // the turn is held, or none is needed
    wait,      // on_turn will be called; ask() again then, or at `ask_again_at`
    deadlock,  // a cycle, and the asker holds row locks: 40P01; all turns of the session have ended
  };
  type what = type::go;
  std::optional<clock::time_point> ask_again_at;  // wait: when the turn in front ends by itself
};

class turn_table {
 public:
  turn_table();
  ~turn_table();

  /// How long a conflict is remembered: adaptive turns begin, and rows that met in a cycle share one.
  static constexpr std::chrono::seconds memory{10};

  /// Asks for the turns of all rows, or asks again while waiting (the place in the queues is kept). A session
  /// waits for one request at a time.
  [[nodiscard]] turn_answer ask(const turn_request& request, clock::time_point now, wake_list& wake);

  /// The session does not wait any more: cancelled, or its lock_timeout has passed.
  void give_up(session_id who, clock::time_point now, wake_list& wake);
  /// The transaction in which the session wrote these rows, or tried to, has ended: the owner's turns on them
  /// end.
  void wrote(std::uint64_t owner, const std::vector<row_id>& rows, clock::time_point now, wake_list& wake);
  /// The session has gone, or is given to somebody else: its turns and its waiting end.
  void leave(session_id who, clock::time_point now, wake_list& wake);

  /// These rows were in conflict: a validation failed on them.
  void conflict(const std::vector<row_id>& rows, clock::time_point now);
  /// These rows met in a deadlock: they share a turn while any of them was in conflict lately.
  void met(const std::vector<row_id>& rows, clock::time_point now);
  /// A write rested on a read by a statement of this shape.
  void led_to_write(std::uint64_t shape);

  /// A write has to ask: somebody else's turn is on one of the rows, or it shares a turn with others.
  [[nodiscard]] bool outstanding(std::uint64_t owner, const std::vector<row_id>& rows,
                                 clock::time_point now) const;

  struct counts {
    std::string rule;
    std::size_t active = 0;   // turns held
    std::size_t waiting = 0;  // sessions waiting
  };
  [[nodiscard]] std::vector<counts> count() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace proxy::session
