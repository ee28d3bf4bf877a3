// A raw TCP client for the HTTP server's tests: sends any bytes, reads until the peer closes or time is up.
// Knows nothing of HTTP; that is the point.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace proxy::ops {

class http_client {
 public:
  explicit http_client(std::uint16_t port);  // connects to 127.0.0.1; a failed test if it cannot
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  bool send(std::string_view bytes);

  /// Everything until the peer closes; what came so far after `patience`.
  std::string read_all(std::chrono::milliseconds patience = std::chrono::seconds{5});

  /// Until `text` has arrived, or nothing does any more.
  std::string read_until(std::string_view text, std::chrono::milliseconds patience = std::chrono::seconds{5});

  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  bool read_some(std::chrono::milliseconds patience, std::string& into);

  int socket_ = -1;
  bool closed_ = false;
};

/// One whole exchange on a connection of its own.
[[nodiscard]] std::string http_exchange(std::uint16_t port, std::string_view bytes);

}  // namespace proxy::ops
