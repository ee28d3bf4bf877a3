// A client's socket, its server's socket and their session: moves bytes and events into the session, carries
// its effects out. All decisions are the session's; this knows sockets, timers and when to stop reading.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/io/peer.hpp"
#include "proxy/io/tls_setup.hpp"
#include "proxy/session/session.hpp"

namespace proxy::io {

class worker;

class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(worker& home, peer client, std::string address, bool over_limit);
  ~connection();

  void start();

  // On the worker's thread.
  void renew_book();
  void take_turn();
  void cancel();
  void drain();
  void terminate(const std::string& reason);
  /// New rules have been loaded. A session that started without any, or has prepared statements that only the
  /// old ones have seen, ends when it is idle, so that its client connects anew.
  void leave_if_concerned();

  [[nodiscard]] worker& home() noexcept { return home_; }

 private:
  using clock = session::clock;

  // connection.cpp: reading and the session's events.
  void on_client_change();
  [[nodiscard]] bool may_read_client() const noexcept;
  void read_client();
  void on_client_readable();
  void on_client_ended(bool gone);
  void end_with_client();
  void expect_end();
  void on_vanished();
  void on_server_change();
  [[nodiscard]] bool may_read_server() const noexcept;
  void read_server();
  void on_server_readable();
  void on_dialed(const std::string& reason, std::optional<peer> server);
  void arm_timer();
  void on_timer();
  template <class Event>
  void step(Event event);

  // connection_tls.cpp: TLS with the client.
  [[nodiscard]] bool begins_with_tls();
  void secure_client(bool direct);
  void shake_hands();

  // connection_effects.cpp: carrying out what the session asks for.
  void carry_out(session::outbox& out);
  void count(const session::event& what);
  void report_lost(const session::event& what);
  void connect_server();
  void forward_cancel(std::string packet);
  void on_cancelled();
  void send_to_client(const session::channel& bytes);
  void send_to_server(const session::channel& bytes);
  void on_room(bool to_client);
  void resume_client();
  void register_key();
  void wake(session::session_id who);
  void begin_close(std::string reason);
  void close_client();
  void close_server();
  void cancel_backend();
  void finish();

  worker& home_;
  std::shared_ptr<const tls_setup> tls_;
  peer client_;
  std::optional<peer> server_;
  session::session_id id_;
  session::session session_;
  timer timer_;
  std::optional<clock::time_point> timer_at_;
  clock::time_point startup_until_;
  clock::time_point opened_;
  std::uint64_t book_generation_ = 0;
  std::optional<std::uint64_t> waits_since_;  // hold::catalog: the last invalidation that has to be shown
  std::string address_;
  std::string close_reason_;
  bool first_byte_seen_ = false;                  // of the client: whether it begins with a TLS handshake
  bool securing_client_ = false;                  // its TLS handshake is going on, and nothing can be told it
  bool resuming_ = false;                         // the session is to go on with what it holds of the client
  bool client_ended_ = false;                     // the client has closed its sending side
  bool client_gone_ = false;                      // nor does it read any more
  std::optional<clock::time_point> vanished_at_;  // the client has ended, and since then PostgreSQL is silent
  bool server_ending_ = false;                    // the server is to be told of it when all is sent
  bool server_told_ = false;
  bool key_registered_ = false;
  bool cancelling_ = false;  // a cancel request is being forwarded
  bool closing_ = false;     // only what is pending for the client is still sent
  bool closed_ = false;
};

}  // namespace proxy::io
