// A turn table with a clock that the test turns, and requests as tests need them.
// Refuses to know what any test expects.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proxy/session/turn_table.hpp"

namespace session_test {

class turn_desk {
 protected:
  using row_id = proxy::session::row_id;
  using session_id = proxy::session::session_id;
  using ids = std::vector<session_id>;
  using turn_request = proxy::session::turn_request;
  using turn_answer = proxy::session::turn_answer;
  using turns = rules::turns;

  static constexpr auto go = turn_answer::type::go;
  static constexpr auto wait = turn_answer::type::wait;
  static constexpr auto deadlock = turn_answer::type::deadlock;

  static turn_request read(session_id who, row_id row, rules::turns mode = rules::turns::on) {
    turn_request made;
    made.who = who;
    made.owner = who;
    made.rule = "wallets";
    made.mode = mode;
    made.shape = 7;
    made.rows = {std::move(row)};
    return made;
  }

  static turn_request write(session_id who, row_id row, rules::turns mode = rules::turns::on) {
    turn_request made = read(who, std::move(row), mode);
    made.read = false;
    return made;
  }

  static turn_request transfer_read(session_id who, row_id row) {
    turn_request made = read(who, std::move(row));
    made.in_transaction = made.holds_row_locks = true;
    return made;
  }

  proxy::session::turn_answer::type ask(const turn_request& request) {
    last = table.ask(request, now, wake);
    return last.what;
  }
  void wrote(std::uint64_t owner, const std::vector<row_id>& rows) { table.wrote(owner, rows, now, wake); }
  void leave(session_id who) { table.leave(who, now, wake); }

  /// Those woken since the last call.
  proxy::session::wake_list woken() { return std::exchange(wake, {}); }

  [[nodiscard]] std::size_t active() const {
    std::size_t sum = 0;
    for (const auto& one : table.count()) sum += one.active;
    return sum;
  }
  [[nodiscard]] std::size_t waiting() const {
    std::size_t sum = 0;
    for (const auto& one : table.count()) sum += one.waiting;
    return sum;
  }

  proxy::session::turn_table table;
  proxy::session::clock::time_point now{std::chrono::hours{1}};
  proxy::session::wake_list wake;
  proxy::session::turn_answer last;
};

}  // namespace session_test
