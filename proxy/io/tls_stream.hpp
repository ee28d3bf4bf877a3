// One end of a TLS connection on a non-blocking socket that somebody else owns and waits on: OpenSSL reads
// and writes the socket itself, so that no byte is copied twice and an idle connection keeps no buffer. Knows
// nothing of messages, and decides nothing about who may connect.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "proxy/ops/tls_context.hpp"

namespace proxy::io {

using boost::system::error_code;

/// What a read came to.
struct transfer {
  std::size_t bytes = 0;
  bool blocked = false;  // nothing now: wait for readiness
  bool bottom = false;   // all that had arrived was read, so that readiness tells of the next
  bool ended = false;    // the peer has closed its sending side
  error_code error;      // the connection is gone
};

/// How far a handshake is.
enum class handshake_state : std::uint8_t {
  done,
  wants_read,   // call again when the socket is readable
  wants_write,  // call again when it is writable
  failed,       // see problem()
};

class tls_stream {
 public:
  /// The accepting side. `direct`: the client did not ask first, so it must offer ALPN.
  [[nodiscard]] static tls_stream accepting(const ops::tls_context& context, int socket, bool direct);
  /// The connecting side. `host` goes into SNI where it is a name; under `verify_host` the certificate must
  /// name it.
  [[nodiscard]] static tls_stream connecting(const ops::tls_context& context, int socket,
                                             const std::string& host, bool verify_host);

  [[nodiscard]] handshake_state handshake();
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  /// Reads until `into` is full or nothing is left. An end without close_notify is an end like TCP's. Costs a
  /// read that finds nothing each time, since OpenSSL does not tell what its last one came to.
  [[nodiscard]] transfer read(std::span<char> into);
  /// The handshake or the last read stopped before what has arrived was all read: readiness of the socket
  /// would not tell.
  [[nodiscard]] bool has_more() const noexcept { return more_; }
  /// The last read was blocked by bytes that must be sent first.
  [[nodiscard]] bool read_wants_write() const noexcept { return read_wants_write_; }

  /// How many bytes were taken: all, unless the socket takes no more now. What was not taken must come first
  /// in the next call.
  [[nodiscard]] std::size_t write(std::string_view bytes, error_code& error);

  /// Tells the peer that nothing more will be sent.
  void end_sending() noexcept;

  /// "TLSv1.3"
  [[nodiscard]] std::string_view version() const noexcept;

  /// Whether the certificate shown to `client` is the one that `server` has shown: then SCRAM's channel
  /// binding (tls-server-end-point, RFC 5929) is the same on both sides.
  [[nodiscard]] static bool same_certificate(const tls_stream& client, const tls_stream& server) noexcept;

 private:
  struct free_connection {
    void operator()(ssl_st* connection) const noexcept;
  };

  tls_stream(const ops::tls_context& context, int socket);
  [[nodiscard]] error_code failure(int what);

  std::unique_ptr<ssl_st, free_connection> connection_;
  std::string problem_;
  error_code broken_;      // no more OpenSSL calls but freeing it
  error_code unwritable_;  // the socket takes no more, but what has come can still be read
  bool ended_ = false;
  bool more_ = false;
  bool read_wants_write_ = false;
};

}  // namespace proxy::io
