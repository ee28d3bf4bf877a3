// What new connections are to know of TLS, replaced as a whole when the configuration is loaded again.
// Connections that exist keep what they began with.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "proxy/ops/settings.hpp"
#include "proxy/ops/tls_context.hpp"

namespace proxy::io {

struct tls_setup {
  ops::tls_context for_clients;  // null: TLS is not offered
  bool clients_must = false;     // clients without TLS are refused
  ops::tls_context for_server;   // null: TLS is not asked for
  ops::ssl_mode server_mode = ops::ssl_mode::disable;
};

class tls_setups {
 public:
  /// Empty, or why the files cannot be used; then what was known before stays.
  [[nodiscard]] std::string load(const ops::settings& from);
  /// From any thread; not null.
  [[nodiscard]] std::shared_ptr<const tls_setup> now() const;

 private:
  mutable std::mutex lock_;
  std::shared_ptr<const tls_setup> now_ = std::make_shared<const tls_setup>();
};

}  // namespace proxy::io
