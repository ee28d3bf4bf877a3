#include "proxy/io/dialer.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <sys/socket.h>

#include "protocol/startup.hpp"

namespace proxy::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using endpoint = asio::generic::stream_protocol::endpoint;

error_code error_of(int number) {
  return {number, boost::system::system_category()};
}

/// One attempt; lives as long as it is waiting for something.
struct attempt : std::enable_shared_from_this<attempt> {
  enum class stage : std::uint8_t { resolving, connecting, asking_for_tls, shaking_hands };

  attempt(event_loop& on, asio::io_context& resolving, const ops::upstream_settings& to,
          std::shared_ptr<const tls_setup> with, dialer::done then)
      : loop(on), upstream(to), tls(std::move(with)), resolver(resolving), limit(on), done(std::move(then)) {}

  void start() {
    limit.after(upstream.connect_timeout, [self = shared_from_this()] { self->give_up(); });
    if (upstream.host.starts_with('/')) {
      const std::string path = upstream.host + "/.s.PGSQL." + std::to_string(upstream.port);
      return connect({asio::local::stream_protocol::endpoint(path)});
    }
    error_code not_an_address;
    const auto address = asio::ip::make_address(upstream.host, not_an_address);
    if (!not_an_address) return connect({tcp::endpoint(address, upstream.port)});
    resolver.async_resolve(
        upstream.host, std::to_string(upstream.port),
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) mutable {
          std::vector<endpoint> all;
          for (const auto& entry : found) all.emplace_back(entry.endpoint());
          event_loop& home = self->loop;
          home.post([self = std::move(self), error, all = std::move(all)] { self->resolved(error, all); });
        });
  }

  void resolved(error_code error, std::vector<endpoint> found) {
    if (!done) return;
    if (error) return fail(error.message());
    connect(std::move(found));
  }

  void connect(std::vector<endpoint> to) {
    endpoints = std::move(to);
    connect_next();
  }

  /// To each address in turn; the last one's error counts.
  void connect_next() {
    at = stage::connecting;
    server.reset();
    if (next == endpoints.size()) return fail(refused.message());
    const endpoint& to = endpoints[next++];
    const int socket = ::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      refused = error_of(errno);
      return connect_next();
    }
    server.emplace(socket);
    const bool there = ::connect(socket, to.data(), static_cast<socklen_t>(to.size())) == 0;
    if (!there && errno != EINPROGRESS) {
      refused = error_of(errno);
      return connect_next();
    }
    server->watch(loop, [self = shared_from_this()] { self->go_on(); });
    there ? connected() : server->await_room(true);
  }

  /// Something about the socket has changed.
  void go_on() {
    if (!done || !server) return;
    switch (at) {
      case stage::resolving:
        return;
      case stage::connecting:
        return look_at_connecting();
      case stage::asking_for_tls:
        return read_answer();
      case stage::shaking_hands:
        return shake_hands();
    }
  }

  void look_at_connecting() {
    int problem = 0;
    socklen_t size = sizeof problem;
    if (::getsockopt(server->socket(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) problem = errno;
    sockaddr_storage other{};
    socklen_t other_size = sizeof other;
    const bool there = ::getpeername(server->socket(), reinterpret_cast<sockaddr*>(&other), &other_size) == 0;
    if (problem == 0 && !there) return;  // not yet
    if (problem == 0) return connected();
    refused = error_of(problem);
    connect_next();
  }

  void connected() {
    server->await_room(false);
    const bool plain = !tls->for_server || upstream.host.starts_with('/');
    plain ? finish() : ask_for_tls();
  }

  void ask_for_tls() {
    at = stage::asking_for_tls;
    session::channel request;
    request.append(protocol::ssl_request_packet);
    if (const error_code error = server->write(request)) return fail(error.message());
  }

  void read_answer() {
    // One byte is due. More is read so that it is noticed.
    std::array<char, 16> answer{};
    const transfer got = server->read(answer);
    if (got.blocked) return;
    if (got.error) return fail(got.error.message());
    if (got.ended) return fail("it closed the connection when asked for TLS");
    on_answer({answer.data(), got.bytes});
  }

  /// What came before TLS is not shown: anybody on the way could have written it (CVE-2024-10977).
  void on_answer(std::string_view answer) {
    const bool must = tls->server_mode >= ops::ssl_mode::require;
    if (answer.front() != 'S' && answer.front() != 'N') {
      return fail("it answered the request for TLS with an error, which is not shown: it could be anybody's");
    }
    // "[…] the client should check that no additional data has been received" (CVE-2021-23222).
    if (answer.size() > 1) return fail("unencrypted data came after its answer to the request for TLS");
    if (answer == "N" && must) {
      return fail("it does not offer TLS, but upstream.sslmode is " + std::string(to_text(tls->server_mode)));
    }
    if (answer == "N") return finish();
    const bool verify_host = tls->server_mode == ops::ssl_mode::verify_full;
    server->connect_tls(tls->for_server, upstream.host, verify_host);
    at = stage::shaking_hands;
    shake_hands();
  }

  void shake_hands() {
    const handshake_state state = server->handshake();
    if (state == handshake_state::done) return finish();
    if (state == handshake_state::failed) return fail("TLS: " + server->tls()->problem());
  }

  void give_up() {
    resolver.cancel();
    fail(make_error_code(boost::system::errc::timed_out).message());
  }

  void fail(const std::string& why) {
    server.reset();
    conclude(upstream.host + ":" + std::to_string(upstream.port) + ": " + why);
  }
  void finish() { conclude({}); }

  void conclude(const std::string& reason) {
    limit.cancel();
    if (done) std::exchange(done, nullptr)(reason, std::exchange(server, std::nullopt));
  }

  event_loop& loop;
  const ops::upstream_settings& upstream;
  std::shared_ptr<const tls_setup> tls;
  stage at = stage::resolving;
  std::optional<peer> server;  // once there is a socket
  tcp::resolver resolver;
  timer limit;
  dialer::done done;
  std::vector<endpoint> endpoints;
  std::size_t next = 0;
  error_code refused = make_error_code(boost::system::errc::host_unreachable);
};

}  // namespace

dialer::dialer(event_loop& loop, asio::io_context& resolving, const ops::upstream_settings& upstream)
    : loop_(loop), resolving_(resolving), upstream_(upstream) {}

void dialer::dial(std::shared_ptr<const tls_setup> tls, done then) {
  std::make_shared<attempt>(loop_, resolving_, upstream_, std::move(tls), std::move(then))->start();
}

}  // namespace proxy::io
