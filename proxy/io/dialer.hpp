// Opens connections to the upstream PostgreSQL: by name, address or Unix socket, with TLS where that is asked
// for, all within connect_timeout. Knows nothing of what is sent over them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "proxy/io/event_loop.hpp"
#include "proxy/io/peer.hpp"
#include "proxy/io/tls_setup.hpp"
#include "proxy/ops/settings.hpp"

namespace proxy::io {

class dialer {
 public:
  /// `resolving` looks names up, on a thread of its own.
  dialer(event_loop& loop, boost::asio::io_context& resolving, const ops::upstream_settings& upstream);

  /// Called once, on the loop: with a connection, or with why there is none.
  using done = std::function<void(const std::string& reason, std::optional<peer>)>;

  /// Tries every address of the name in turn.
  void dial(std::shared_ptr<const tls_setup> tls, done then);

 private:
  event_loop& loop_;
  boost::asio::io_context& resolving_;
  const ops::upstream_settings& upstream_;
};

}  // namespace proxy::io
