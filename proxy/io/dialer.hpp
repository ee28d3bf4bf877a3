// Opens connections to the upstream PostgreSQL: by name, address or Unix socket, within connect_timeout.
// Knows nothing of what is sent over them.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "proxy/io/peer.hpp"
#include "proxy/ops/settings.hpp"

namespace proxy::io {

class dialer {
 public:
  dialer(boost::asio::io_context& loop, const ops::upstream_settings& upstream);

  /// Called once, on the loop: with a connected socket, or with why there is none.
  using done = std::function<void(error_code, std::string reason, stream_socket)>;

  /// Tries every address of the name in turn.
  void dial(done then);

 private:
  boost::asio::io_context& loop_;
  const ops::upstream_settings& upstream_;
};

}  // namespace proxy::io
