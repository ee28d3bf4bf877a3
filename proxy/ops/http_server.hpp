// GET /metrics, /healthz and /readyz on a thread and an event loop of its own, so that no scrape touches the
// data path. Knows nothing of what the pages say: callbacks write them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proxy/ops/settings.hpp"

namespace proxy::ops {

struct readiness {
  bool ready = false;
  std::string text;  // one reason a line
};

/// Called on the server's thread, one at a time.
struct http_pages {
  std::function<std::string()> metrics;
  std::function<readiness()> ready;
};

/// Limits of one server: against clients that are slow, many or large.
struct http_limits {
  std::uint32_t connections = 64;     // further ones are closed at once
  std::uint32_t header_bytes = 8192;  // above: 431 or a closed connection
  std::uint32_t body_bytes = 1024;    // above: 413
  std::chrono::milliseconds request{
      5000};  // a whole request must arrive within it; so may an idle connection live
  std::chrono::milliseconds response{10000};
};

class http_server {
 public:
  /// Listens before it returns. Port 0 takes a free one. Throws std::system_error if it cannot listen.
  http_server(const metrics_settings&, http_pages, http_limits = {});
  ~http_server();  // closes every connection and joins
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace proxy::ops
