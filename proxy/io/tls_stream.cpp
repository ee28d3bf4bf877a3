#include "proxy/io/tls_stream.hpp"

#include <cerrno>

#include <arpa/inet.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace proxy::io {
namespace {

namespace asio = boost::asio;

bool is_address(const std::string& host) {
  unsigned char room[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), room) == 1 || inet_pton(AF_INET6, host.c_str(), room) == 1;
}

void expect_host(SSL* connection, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(connection);
  // libpq's rule: a wildcard stands for one whole label.
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
  }
}

}  // namespace

void tls_stream::free_connection::operator()(ssl_st* connection) const noexcept {
  SSL_free(connection);
}

tls_stream::tls_stream(const ops::tls_context& context, int socket) : connection_(SSL_new(context.get())) {
  if (!connection_ || SSL_set_fd(connection_.get(), socket) != 1) {
    problem_ = "out of memory";
    broken_ = asio::error::no_memory;
  }
}

tls_stream tls_stream::accepting(const ops::tls_context& context, int socket, bool direct) {
  tls_stream made(context, socket);
  if (made.broken_) return made;
  SSL_set_accept_state(made.connection_.get());
  if (direct) ops::require_alpn(*made.connection_);
  return made;
}

tls_stream tls_stream::connecting(const ops::tls_context& context, int socket, const std::string& host,
                                  bool verify_host) {
  tls_stream made(context, socket);
  if (made.broken_) return made;
  SSL* connection = made.connection_.get();
  SSL_set_connect_state(connection);
  if (!is_address(host)) {
    // What SSL_set_tlsext_host_name() is, without its cast; the name is copied.
    std::string name = host;
    SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  if (verify_host) expect_host(connection, host);
  return made;
}

handshake_state tls_stream::handshake() {
  if (broken_) return handshake_state::failed;
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(connection_.get());
  if (result == 1) {
    more_ = true;  // what came with the peer's last message has been read with it
    return handshake_state::done;
  }
  const int what = SSL_get_error(connection_.get(), result);
  if (what == SSL_ERROR_WANT_READ) return handshake_state::wants_read;
  if (what == SSL_ERROR_WANT_WRITE) return handshake_state::wants_write;
  const long verified = SSL_get_verify_result(connection_.get());
  broken_ = failure(what);
  problem_ = broken_.message();
  if (verified != X509_V_OK) problem_ += std::string(": ") + X509_verify_cert_error_string(verified);
  return handshake_state::failed;
}

/// Why the last call failed; the end of the connection counts as such here.
error_code tls_stream::failure(int what) {
  const int system = errno;
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (what == SSL_ERROR_SSL && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return {static_cast<int>(code), asio::error::get_ssl_category()};
  }
  if (what == SSL_ERROR_SYSCALL && system != 0) return {system, boost::system::system_category()};
  return asio::error::eof;
}

transfer tls_stream::read(std::span<char> into) {
  transfer got;
  more_ = read_wants_write_ = false;
  while (!ended_ && !broken_ && got.bytes < into.size()) {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    SSL* connection = connection_.get();
    if (SSL_read_ex(connection, into.data() + got.bytes, into.size() - got.bytes, &count) == 1) {
      got.bytes += count;
      continue;
    }
    const int what = SSL_get_error(connection, 0);
    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
      read_wants_write_ = what == SSL_ERROR_WANT_WRITE;
      got.blocked = got.bytes == 0;
      got.bottom = true;
      return got;
    }
    if (what == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
    } else {
      broken_ = failure(what);
      ended_ = broken_ == asio::error::eof;
    }
  }
  if (got.bytes > 0) {
    more_ = true;  // or the end, which is told the next time
  } else {
    got.ended = ended_;
    if (!ended_) got.error = broken_;
  }
  return got;
}

std::size_t tls_stream::write(std::string_view bytes, error_code& error) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    if (broken_ || unwritable_) {
      error = broken_ ? broken_ : unwritable_;
      return done;
    }
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    if (SSL_write_ex(connection_.get(), bytes.data() + done, bytes.size() - done, &count) == 1) {
      done += count;
      continue;
    }
    const int what = SSL_get_error(connection_.get(), 0);
    if (what == SSL_ERROR_WANT_WRITE || what == SSL_ERROR_WANT_READ) return done;
    error = unwritable_ = failure(what);
    if (what == SSL_ERROR_SSL) broken_ = error;
  }
  return done;
}

void tls_stream::end_sending() noexcept {
  if (broken_ || unwritable_ || SSL_in_init(connection_.get()) != 0) return;
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(connection_.get()));
  ERR_clear_error();
}

std::string_view tls_stream::version() const noexcept {
  return SSL_get_version(connection_.get());
}

bool tls_stream::same_certificate(const tls_stream& client, const tls_stream& server) noexcept {
  const X509* shown = SSL_get_certificate(client.connection_.get());
  const std::unique_ptr<X509, decltype(&X509_free)> seen(SSL_get1_peer_certificate(server.connection_.get()),
                                                         &X509_free);
  return shown != nullptr && seen && X509_cmp(shown, seen.get()) == 0;
}

}  // namespace proxy::io
