#include "proxy/io/dialer.hpp"

#include <memory>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace proxy::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using endpoint = asio::generic::stream_protocol::endpoint;

/// One attempt; lives as long as its handlers.
struct attempt : std::enable_shared_from_this<attempt> {
  attempt(asio::io_context& loop, const ops::upstream_settings& to, dialer::done then)
      : upstream(to), socket(loop), resolver(loop), timer(loop), done(std::move(then)) {}

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
          if (error) return self->finish(error);
          std::vector<endpoint> all;
          for (const auto& entry : found) all.emplace_back(entry.endpoint());
          self->connect(std::move(all));
        });
  }

  void connect(std::vector<endpoint> to) {
    endpoints = std::move(to);
    asio::async_connect(socket, endpoints, [self = shared_from_this()](error_code error, const endpoint&) {
      self->finish(error);
    });
  }

  void give_up() {
    timed_out = true;
    resolver.cancel();
    error_code ignored;
    socket.close(ignored);
  }

  void finish(error_code error) {
    timer.cancel();
    if (!done) return;
    if (timed_out) error = asio::error::timed_out;
    const std::string where = upstream.host + ":" + std::to_string(upstream.port);
    std::string reason = error ? where + ": " + error.message() : std::string{};
    std::exchange(done, nullptr)(error, std::move(reason), std::move(socket));
  }

  const ops::upstream_settings& upstream;
  stream_socket socket;
  tcp::resolver resolver;
  asio::steady_timer timer;
  dialer::done done;
  std::vector<endpoint> endpoints;
  bool timed_out = false;
};

}  // namespace

dialer::dialer(asio::io_context& loop, const ops::upstream_settings& upstream)
    : loop_(loop), upstream_(upstream) {}

void dialer::dial(done then) {
  std::make_shared<attempt>(loop_, upstream_, std::move(then))->start();
}

}  // namespace proxy::io
