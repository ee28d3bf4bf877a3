// One end of a proxied connection: a non-blocking stream socket, whether it can be read, and the bytes that
// it has not taken yet. Knows nothing of messages; TLS, where there is any, sits here between the bytes and
// the socket.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "proxy/io/event_loop.hpp"
#include "proxy/io/tls_stream.hpp"
#include "proxy/session/outbox.hpp"

namespace proxy::io {

class peer {
 public:
  /// Owns the socket from here on.
  explicit peer(int socket);
  ~peer() { close(); }
  peer(peer&& other) noexcept;
  peer& operator=(peer&&) = delete;

  /// `changed` is called on the loop when readable() or has_room() may have become true. It is not called for
  /// what TLS has read and not given out; who stops reading calls look_again() to go on. A second call
  /// replaces the first one's function; all others below need the first.
  void watch(event_loop& loop, std::function<void()> changed);
  void look_again() { ready_->look_again(); }
  /// Whether a read may find something.
  [[nodiscard]] bool readable() const noexcept;
  /// Whether what is pending may be taken now; see flush().
  [[nodiscard]] bool has_room() const noexcept;
  /// Whether to be told when a connection that is being opened is there, or has failed.
  void await_room(bool wanted) { ready_->want_room(wanted); }

  /// From here on all bytes go through TLS; nothing may be pending. Then call handshake() until it is done,
  /// whenever something has changed.
  void accept_tls(const ops::tls_context& context, bool direct);
  void connect_tls(const ops::tls_context& context, const std::string& host, bool verify_host);
  [[nodiscard]] handshake_state handshake();
  /// Null: plain.
  [[nodiscard]] const tls_stream* tls() const noexcept { return tls_.get(); }
  /// The first byte that waits in the socket; it is not read. None: there is none, or an end.
  [[nodiscard]] std::optional<char> peek() const;

  /// Reads what is there, without waiting.
  [[nodiscard]] transfer read(std::span<char> into);

  /// Writes what the socket takes now and keeps a copy of the rest, so that the channel's memory may go away.
  [[nodiscard]] error_code write(const session::channel& bytes);

  /// Writes what was kept.
  [[nodiscard]] error_code flush();

  /// Bytes kept.
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size() - pending_at_; }

  /// No more will be written: the other side reads an end after what was written.
  void end_sending();
  void close() noexcept;
  [[nodiscard]] int socket() const noexcept { return socket_; }

 private:
  [[nodiscard]] transfer read_plain(std::span<char> into) const;
  [[nodiscard]] std::size_t send(std::string_view bytes, error_code& error);
  [[nodiscard]] error_code write_tls(const session::channel& bytes);
  void keep(std::string_view bytes);

  int socket_;
  watched_socket ready_;
  std::unique_ptr<tls_stream> tls_;  // uses the socket
  std::string pending_;
  std::size_t pending_at_ = 0;
};

/// What a peer's address looks like in the log, e.g. "127.0.0.1:40112".
[[nodiscard]] std::string address_of(int socket);

}  // namespace proxy::io
