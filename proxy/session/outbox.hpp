// All effects of one step of a session: bytes to both peers, things to count, what to wait for, and the end.
// It only collects; whoever owns sockets and clocks carries the effects out.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/plan.hpp"

namespace proxy::session {

using clock = std::chrono::steady_clock;

struct lost_update;  // proxy/session/row_activity.hpp

/// Bytes for one peer. Runs that are adjacent in the input are kept as one borrowed view, so that a step
/// which only forwards copies nothing. Borrowed bytes are valid until the input they came from is touched
/// again.
class channel {
 public:
  /// Adds bytes that stay valid for the rest of the step.
  void forward(std::string_view bytes);
  /// Adds bytes by copying them.
  void append(std::string_view bytes);
  /// Copies what is borrowed, so that the input may go away.
  void own();
  void clear();

  [[nodiscard]] bool empty() const noexcept { return owned_.empty() && borrowed_.empty(); }
  /// Everything so far, in order: first owned(), then borrowed().
  [[nodiscard]] std::string_view owned() const noexcept { return owned_; }
  [[nodiscard]] std::string_view borrowed() const noexcept { return borrowed_; }
  [[nodiscard]] std::size_t size() const noexcept { return owned_.size() + borrowed_.size(); }

 private:
  std::string owned_;
  std::string_view borrowed_;
};

/// Something to count or to log. `rule` is the rule's name, empty where none is meant.
struct event {
  enum class type : std::uint8_t {
    statement,         // statements_total{rule,kind,action}
    unguarded,         // unguarded_total{rule,reason}
    bounds_rejection,  // bounds_rejections_total{rule}
    conflict,          // conflicts_total{rule,cause}: `sqlstate` is the cause
    lock_wait,         // lock_wait_seconds{rule}: `waited`
    error,             // errors_total{sqlstate}: an error that the proxy originated
    plan_cache_hit,
    plan_cache_miss,
    schema_change,  // DDL that names a guarded table was committed: what is known of it is stale
    catalog_doubt,  // a hidden statement names what is not there: the catalog may have changed
    turn_wait,      // turn_wait_seconds{rule}: `waited`
    group_commit,   // group_commit_size{rule}: `size`
    lost_update,    // mode = "observe": `overtaken` says what was lost; conflicts_total{rule,cause}
  };
  type what = type::statement;
  std::string rule;
  rules::statement_kind kind = rules::statement_kind::other;
  rules::statement_action action = rules::statement_action::forward;
  rules::unguarded_reason reason = rules::unguarded_reason::opaque;
  std::string sqlstate;
  clock::duration waited{};
  std::shared_ptr<const lost_update> overtaken{};
  std::size_t size = 0;
};

/// What the owner of the sockets is asked to do beside writing.
enum class request_kind : std::uint8_t {
  none,
  connect_server,  // open the server connection, then call on_server_connected or on_server_unreachable
  secure_client,   // do the TLS handshake with the client once to_client is written, then call
                   // on_client_secured
  forward_cancel,  // open another server connection, send `cancel_packet`, close it; then close the client
};

struct outbox {
  clock::time_point now;  // set by the caller: when this step happens
  channel to_client;
  channel to_server;
  std::vector<event> events;
  request_kind request = request_kind::none;
  std::string cancel_packet;
  std::vector<std::uint64_t> wake;          // sessions whose turn may have come: call their on_turn
  bool want_book = false;                   // the catalog is needed: call on_book when it is known
  std::optional<std::string> close_reason;  // write what is in to_client, then close both connections
};

}  // namespace proxy::session
