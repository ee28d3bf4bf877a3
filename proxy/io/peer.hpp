// One end of a proxied connection: a non-blocking stream socket and the bytes it has not taken yet.
// Knows nothing of messages; TLS, where there is any, sits here between the bytes and the socket.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "proxy/io/tls_stream.hpp"
#include "proxy/session/outbox.hpp"

namespace proxy::io {

using stream_socket = boost::asio::generic::stream_protocol::socket;

class peer {
 public:
  explicit peer(stream_socket socket);

  /// From here on all bytes go through TLS; nothing may be pending. Then call handshake() until it is done.
  void accept_tls(const ops::tls_context& context, bool direct);
  void connect_tls(const ops::tls_context& context, const std::string& host, bool verify_host);
  [[nodiscard]] handshake_state handshake() { return tls_->handshake(); }
  /// Null: plain.
  [[nodiscard]] const tls_stream* tls() const noexcept { return tls_.get(); }
  /// Whether the first byte that waits in the socket is that of a TLS handshake. It is not read.
  [[nodiscard]] bool begins_with_tls();

  /// Reads what is there, without waiting.
  [[nodiscard]] transfer read(std::span<char> into);

  /// Writes what the socket takes now and keeps a copy of the rest, so that the channel's memory may go away.
  [[nodiscard]] error_code write(const session::channel& bytes);

  /// Writes what was kept. Call when the socket has become writable.
  [[nodiscard]] error_code flush();

  /// Bytes kept.
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size() - pending_at_; }

  /// No more will be written: the other side reads an end after what was written.
  void end_sending();
  void close() noexcept;

  template <class Handler>
  void wait_readable(Handler handler) {
    if (tls_ && tls_->has_more()) {
      boost::asio::post(socket_.get_executor(),
                        [handler = std::move(handler)]() mutable { handler(error_code{}); });
      return;
    }
    const bool blocked_by_write = tls_ && tls_->read_wants_write();
    socket_.async_wait(blocked_by_write ? stream_socket::wait_write : stream_socket::wait_read,
                       std::move(handler));
  }
  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(stream_socket::wait_write, std::move(handler));
  }
  template <class Handler>
  void wait_handshake(handshake_state next, Handler handler) {
    const bool write = next == handshake_state::wants_write;
    socket_.async_wait(write ? stream_socket::wait_write : stream_socket::wait_read, std::move(handler));
  }

 private:
  [[nodiscard]] std::size_t send(std::string_view bytes, error_code& error);
  [[nodiscard]] error_code write_tls(const session::channel& bytes);

  stream_socket socket_;
  std::unique_ptr<tls_stream> tls_;  // uses the socket
  std::string pending_;
  std::size_t pending_at_ = 0;
};

/// No delay and keep-alive, where the socket is TCP. Failures do not matter.
void tune(stream_socket& socket);

/// What a peer's address looks like in the log, e.g. "127.0.0.1:40112".
[[nodiscard]] std::string address_of(const stream_socket& socket);

}  // namespace proxy::io
