// Everything of one schedule: clients, sessions, turns, the model, the bytes on their way and a clock. Chance
// decides what moves next; it refuses to know what must hold in the end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/session/session.hpp"
#include "tests/session/money/client.hpp"
#include "tests/session/money/connection.hpp"
#include "tests/session/money/variant.hpp"

namespace money {

/// A connection of a client's: through a session, or directly to the model.
struct link {
  std::uint64_t id = 0;
  std::size_t house = 0;                             // which neighbourhood
  std::unique_ptr<proxy::session::session> session;  // null: directly
  std::unique_ptr<connection> server;
  std::string to_session;
  std::string to_server;
  std::string to_client;        // from the session
  std::string to_session_back;  // from the model
  bool closed = false;
  bool leaving = false;  // its client has gone; others wait for what it runs
  client* user = nullptr;
  bool knows_rules = true;  // as they are since the last reload
  std::uint64_t acknowledged = 0;
  effects maybe;  // lost sight of while it may have been committing
};

struct setting {
  const variant* under = nullptr;  // null: without a proxy
  unsigned seed = 0;
  bool tells = false;  // story() is wanted
};

class world {
 public:
  explicit world(setting how);

  /// Plays until all clients have finished. Empty: well; else what went wrong.
  [[nodiscard]] std::string play();
  /// What is lost, taken twice, overdrawn or left over. Empty: nothing.
  [[nodiscard]] std::string judge();
  [[nodiscard]] const std::vector<std::string>& story() const { return database_.story; }
  [[nodiscard]] const ledger& book() const { return book_; }

 private:
  struct seat {  // a client and where it sits
    std::unique_ptr<client> who;
    link* at = nullptr;
    std::size_t house = 0;
    bool direct = false;
    time_point ready{};
    time_point began{};  // with its unit, for this time
    std::string address;
  };
  enum class move : std::uint8_t { speak, to_session, to_server, serve, back, hear, wake, on_time, learn };
  struct possible {
    move what;
    std::size_t index;  // of a seat, a link or a wake-up
  };

  void open_estate();
  void seat_clients();
  manner any_manner(std::size_t index, bool direct);
  link& open(std::size_t house, const std::string& address, bool direct);
  [[nodiscard]] link* place_for(seat& of);

  [[nodiscard]] std::vector<possible> possible_moves();
  void do_move(const possible& which);
  void speak(seat& of);
  void trouble(seat& of);
  void vanish(link& which);
  void reload();
  void close(link& which);
  void end(link& which);
  void pass_time();
  [[nodiscard]] bool jump_to_next_event();
  [[nodiscard]] std::string cut(std::string& from);
  using happening = std::function<void(proxy::session::session&, proxy::session::outbox&)>;
  void at_session(link& which, const happening& event);
  [[nodiscard]] std::string state() const;
  [[nodiscard]] bool all_finished() const;
  [[nodiscard]] bool is_explained() const;
  void leave();

  setting how_;
  dice random_;
  estate estate_;
  ledger book_;
  database database_;
  std::map<std::int64_t, std::int64_t> opening_;
  std::vector<std::unique_ptr<proxy::session::neighbourhood>> houses_;
  std::vector<std::unique_ptr<link>> links_;
  std::vector<seat> seats_;
  std::vector<std::uint64_t> woken_;
  std::uint64_t next_id_ = 1;
  bool pooled_ = false;
  int troubles_ = 0;
  bool reloads_ = false;
  proxy::session::book_ptr rules_now_;
  time_point now_{std::chrono::hours{1}};
  std::string failure_;
};

}  // namespace money
