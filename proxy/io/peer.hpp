// One end of a proxied connection: a non-blocking stream socket and the bytes it has not taken yet.
// Knows nothing of messages; the place where TLS will sit between the bytes and the socket.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>

#include "proxy/session/outbox.hpp"

namespace proxy::io {

using stream_socket = boost::asio::generic::stream_protocol::socket;
using boost::system::error_code;

class peer {
 public:
  explicit peer(stream_socket socket);

  /// What a read or write came to.
  struct transfer {
    std::size_t bytes = 0;
    bool blocked = false;  // nothing now: wait for readiness
    bool ended = false;    // the peer has closed its sending side
    error_code error;      // the connection is gone
  };

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
    socket_.async_wait(stream_socket::wait_read, std::move(handler));
  }
  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(stream_socket::wait_write, std::move(handler));
  }

 private:
  stream_socket socket_;
  std::string pending_;
  std::size_t pending_at_ = 0;
};

/// No delay and keep-alive, where the socket is TCP. Failures do not matter.
void tune(stream_socket& socket);

/// What a peer's address looks like in the log, e.g. "127.0.0.1:40112".
[[nodiscard]] std::string address_of(const stream_socket& socket);

}  // namespace proxy::io
