#include "proxy/io/tls_setup.hpp"

namespace proxy::io {

std::string tls_setups::load(const ops::settings& from) {
  tls_setup made;
  const bool offered = from.listen.tls != ops::tls_mode::disable;
  ops::tls_result clients = offered ? ops::make_client_context(from.listen) : ops::tls_result{};
  if (!clients.problem.empty()) return clients.key + " " + clients.problem;
  ops::tls_result server = ops::make_server_context(from.upstream);
  if (!server.problem.empty()) return server.key + " " + server.problem;
  made.for_clients = std::move(clients.context);
  made.clients_must = from.listen.tls == ops::tls_mode::require;
  made.for_server = std::move(server.context);
  made.server_mode = from.upstream.sslmode;
  auto next = std::make_shared<const tls_setup>(std::move(made));
  const std::lock_guard guard(lock_);
  now_ = std::move(next);
  return {};
}

std::shared_ptr<const tls_setup> tls_setups::now() const {
  const std::lock_guard guard(lock_);
  return now_;
}

}  // namespace proxy::io
