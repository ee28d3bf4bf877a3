// The turns themselves: who holds each, who waits for it in which order, when it ends by itself, and whether
// one more waiter would close a cycle. Not safe between threads; knows neither rules' modes nor what a
// conflict is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/session/turn_table.hpp"

namespace proxy::session {

struct turn;
struct unfinished;

/// What a turn is on: a row, or a group of rows that share one (`group` not 0, `row` empty).
struct turn_place {
  std::uint64_t group = 0;
  row_id row;
};

/// One of the turns that a request is about.
struct turn_need {
  turn_place place;
  std::uint64_t group = 0;  // row: shares this group's turn, as was known when the request began; 0: none
  std::uint64_t under = 0;  // row: the group's turn has to come first; 0: none
  bool keep = false;        // held after `go`; otherwise only waited for
};

struct turn_holder {
  session_id who = 0;
  std::uint64_t owner = 0;
  turn_table::counts* count = nullptr;
  std::chrono::milliseconds timeout{};
  clock::time_point until;
  bool one_read = false;
  bool in_transaction = false;
  bool keep = false;
  std::uint64_t under = 0;
  unfinished* request = nullptr;  // granted to this request, which has not been answered with `go` yet
};

struct turn {
  std::uint64_t number = 0;  // in the order of their making, for an order that is the same in every run
  turn_place place;
  std::optional<turn_holder> held;  // always there while anybody waits: a grant passes on directly
  std::deque<unfinished*> queue;
};

/// A request that has not got all its turns.
struct unfinished {
  turn_request request;  // `rule` is empty here: `count` names it
  turn_table::counts* count = nullptr;
  std::vector<turn_need> needs;
  std::size_t next = 0;      // the need that is being taken
  std::vector<turn*> taken;  // by this request
  turn* queued = nullptr;    // waits here
};

/// The turn counts as the asker's own: it need not wait for it.
[[nodiscard]] bool is_own(const turn& which, const turn_request& request);

class turn_queues {
 public:
  /// Turns that exist at once. Beyond it a free row is passed without taking its turn.
  static constexpr std::size_t most_turns = 100'000;

  /// The turn there, after one that has run out was passed on; null: it is free.
  [[nodiscard]] turn* at(const turn_place& place, clock::time_point now, wake_list& wake);
  [[nodiscard]] const turn* look(const turn_place& place) const;
  [[nodiscard]] const turn* look(const row_id& row) const;
  [[nodiscard]] bool has_room() const noexcept { return turns_ < most_turns; }

  /// The request of `who` that waits, or was granted what it waited for and has not been asked again.
  [[nodiscard]] unfinished* request_of(session_id who);
  unfinished& begin(const turn_request& request, std::vector<turn_need> needs);

  /// Takes a turn that is free, for the request's next need.
  void take(unfinished& request, clock::time_point now);
  /// The request waits at the end of the queue.
  void queue(unfinished& request, turn& where);
  /// The request does not wait; what it has taken stays.
  static void unqueue(unfinished& request);
  /// All needs are met: what is to be kept is held from now on, the rest passes on.
  void finish(unfinished& request, clock::time_point now, wake_list& wake);
  /// The request is given up, with what it has taken.
  void abandon(unfinished& request, clock::time_point now, wake_list& wake);

  void end(turn& which, clock::time_point now, wake_list& wake);
  /// All turns of the session.
  void end_all(session_id who, clock::time_point now, wake_list& wake);
  /// Passes on a few turns that have run out, so that those on rows which nobody asks for again go away.
  void sweep(clock::time_point now, wake_list& wake);

  /// The turns of the cycle that would be closed if the request waited there, the asker's own first; empty:
  /// none.
  [[nodiscard]] std::vector<const turn*> cycle(const unfinished& request, const turn& where) const;

  /// Who holds the turn waits for another, in a transaction that holds row locks.
  [[nodiscard]] bool waits_with_row_locks(const turn& which) const;

  [[nodiscard]] turn_table::counts& count_of(std::string_view rule);
  [[nodiscard]] std::vector<turn_table::counts> counts() const;
  [[nodiscard]] std::size_t size() const noexcept { return turns_; }
  [[nodiscard]] std::size_t requests() const noexcept { return requests_.size(); }

 private:
  using deadline = std::pair<clock::time_point, std::uint64_t>;

  turn& make(const turn_place& place);
  void forget(const turn& which);
  void hold(turn& which, unfinished& by, clock::time_point now);
  void extend(turn& which, clock::time_point until);
  void pass_on(turn& which, clock::time_point now, wake_list& wake);
  void expire(turn& which, clock::time_point now, wake_list& wake);
  void finish_groups(const unfinished& request, clock::time_point now, wake_list& wake);
  void erase(unfinished& request);
  void waited_for(const turn& which, std::vector<const unfinished*>& into) const;

  std::unordered_map<row_id, turn> rows_;
  std::unordered_map<std::uint64_t, turn> groups_;
  std::size_t turns_ = 0;
  std::uint64_t next_number_ = 1;
  std::map<deadline, turn*> deadlines_;
  std::unordered_map<session_id, std::map<std::uint64_t, turn*>> by_session_;
  std::unordered_map<session_id, unfinished> requests_;
  std::unordered_map<std::uint64_t, std::vector<unfinished*>> by_owner_;  // requests
  std::map<std::string, turn_table::counts, std::less<>> counts_;
};

}  // namespace proxy::session
