#include "proxy/io/dialer.hpp"

#include <array>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "protocol/startup.hpp"

namespace proxy::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using endpoint = asio::generic::stream_protocol::endpoint;

/// One attempt; lives as long as its handlers.
struct attempt : std::enable_shared_from_this<attempt> {
  attempt(asio::io_context& loop, const ops::upstream_settings& to, std::shared_ptr<const tls_setup> with,
          dialer::done then)
      : upstream(to),
        tls(std::move(with)),
        socket(loop),
        resolver(loop),
        timer(loop),
        done(std::move(then)) {}

  void start() {
    timer.expires_after(upstream.connect_timeout);
    timer.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->give_up();
    });
    if (upstream.host.starts_with('/')) {
      const std::string path = upstream.host + "/.s.PGSQL." + std::to_string(upstream.port);
      return connect({asio::local::stream_protocol::endpoint(path)});
    }
    error_code not_an_address;
    const auto address = asio::ip::make_address(upstream.host, not_an_address);
    if (!not_an_address) return connect({tcp::endpoint(address, upstream.port)});
    resolver.async_resolve(
        upstream.host, std::to_string(upstream.port),
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->fail(error.message());
          std::vector<endpoint> all;
          for (const auto& entry : found) all.emplace_back(entry.endpoint());
          self->connect(std::move(all));
        });
  }

  void connect(std::vector<endpoint> to) {
    endpoints = std::move(to);
    asio::async_connect(socket, endpoints, [self = shared_from_this()](error_code error, const endpoint&) {
      if (error) return self->fail(error.message());
      self->server.emplace(std::move(self->socket));
      const bool plain = !self->tls->for_server || self->upstream.host.starts_with('/');
      plain ? self->finish() : self->ask_for_tls();
    });
  }

  void ask_for_tls() {
    session::channel request;
    request.append(protocol::ssl_request_packet);
    if (const error_code error = server->write(request)) return fail(error.message());
    await_answer();
  }

  void await_answer() {
    server->wait_readable([self = shared_from_this()](error_code error) {
      if (error || !self->done) return self->fail(error.message());
      // One byte is due. More is read so that it is noticed.
      std::array<char, 16> answer{};
      const transfer got = self->server->read(answer);
      if (got.blocked) return self->await_answer();
      if (got.error) return self->fail(got.error.message());
      if (got.ended) return self->fail("it closed the connection when asked for TLS");
      self->on_answer({answer.data(), got.bytes});
    });
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
    shake_hands();
  }

  void shake_hands() {
    const handshake_state state = server->handshake();
    if (state == handshake_state::done) return finish();
    if (state == handshake_state::failed) return fail("TLS: " + server->tls()->problem());
    server->wait_handshake(state, [self = shared_from_this()](error_code error) {
      if (error || !self->done) return self->fail(error.message());
      self->shake_hands();
    });
  }

  void give_up() {
    resolver.cancel();
    error_code ignored;
    socket.close(ignored);
    fail(make_error_code(boost::system::errc::timed_out).message());
  }

  void fail(const std::string& why) {
    if (server) server->close();
    server.reset();
    conclude(upstream.host + ":" + std::to_string(upstream.port) + ": " + why);
  }
  void finish() { conclude({}); }

  void conclude(const std::string& reason) {
    timer.cancel();
    if (done) std::exchange(done, nullptr)(reason, std::exchange(server, std::nullopt));
  }

  const ops::upstream_settings& upstream;
  std::shared_ptr<const tls_setup> tls;
  stream_socket socket;
  std::optional<peer> server;  // once connected
  tcp::resolver resolver;
  asio::steady_timer timer;
  dialer::done done;
  std::vector<endpoint> endpoints;
};

}  // namespace

dialer::dialer(asio::io_context& loop, const ops::upstream_settings& upstream)
    : loop_(loop), upstream_(upstream) {}

void dialer::dial(std::shared_ptr<const tls_setup> tls, done then) {
  std::make_shared<attempt>(loop_, upstream_, std::move(tls), std::move(then))->start();
}

}  // namespace proxy::io
