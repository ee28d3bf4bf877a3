// A session under test with everything it needs around it: a rule on wallets.balance, a catalog, a clock by
// hand. Knows nothing of dialogue files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/session/session.hpp"

namespace stage {

/// wallets(id bigint primary key, user_id bigint, balance numeric(12,2), owner text), balance guarded with
/// min = 0 by rule "wallet-balance"; items(id bigint primary key, stock integer), stock guarded by "stock"
/// which rejects what is opaque.
/// orders(id, number). `setting` changes both rules: optimistic, escrow, observe, turns (on), no blind
/// writes, shared commits; behind it ", of a client" or ", of a trace" says whose reads wallets' are, and
/// ", other columns" lets the rule guard more; "no rules"; or adds a [[once]] on orders.number: once. What
/// names a statement cache has one, of two statements.
[[nodiscard]] std::shared_ptr<const rules::rule_set> rule_set(std::string_view setting = "guarded");
[[nodiscard]] proxy::session::book_ptr book(std::string_view setting = "guarded");

/// What one step, or several, made the session do.
struct effects {
  std::string to_client;
  std::string to_server;
  std::vector<proxy::session::event> events;
  proxy::session::request_kind request = proxy::session::request_kind::none;
  bool want_book = false;
  std::optional<std::string> close_reason;

  void add(const proxy::session::outbox& out);
};

class actor {
 public:
  /// `guarded`: rules concern the session; `known`: their catalog is known from the start.
  explicit actor(bool guarded, bool known = true,
                 std::optional<proxy::session::refusal> refused = std::nullopt,
                 std::string setting = "guarded");

  /// Runs one event; the guard is installed when the session asks for its server connection.
  template <class Event>
  void play(Event event) {
    proxy::session::outbox out;
    out.now = now;
    event(session, out);
    done.add(out);
    if (out.request == proxy::session::request_kind::connect_server && guarded_) {
      session.guard(rule_set(setting_), known_ ? book(setting_) : nullptr, std::chrono::milliseconds(5000));
    }
    session.settle();
    go_on();
  }
  void client_sends(std::string_view bytes);
  void server_sends(std::string_view bytes);
  /// One of the words that a dialogue's `proxy>` lines use; false if it is none.
  bool happens(std::string_view what);

  proxy::session::clock::time_point now{};
  proxy::session::plan_cache cache;
  proxy::session::neighbourhood rows;
  proxy::session::session session;
  effects done;

 private:
  bool guarded_;
  bool known_;
  std::string setting_;

  /// The server takes what it is sent at once.
  void go_on();
  void rival(std::string_view what);
  void row(std::string_view what);

  std::size_t led_ = 0;  // members of the group that somebody else runs
};

}  // namespace stage
