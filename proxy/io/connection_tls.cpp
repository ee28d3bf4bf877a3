// TLS with the client: whether it begins with it, the handshake, and what happens until that is done.
#include "proxy/io/connection.hpp"
#include "proxy/io/worker.hpp"
#include "proxy/session/limits.hpp"

namespace proxy::io {

/// Since PostgreSQL 17 a client may begin with its TLS handshake instead of asking for TLS. True: nothing is
/// to be read as it is.
bool connection::begins_with_tls() {
  constexpr char handshake_record = 0x16;
  const auto first = client_.peek();
  first_byte_seen_ = first.has_value();
  if (first != handshake_record) return false;
  secure_client(true);
  arm_timer();
  return true;
}

void connection::secure_client(bool direct) {
  if (client_.pending() > 0) return begin_close("client connection lost: it does not read");
  securing_client_ = true;
  startup_until_ = std::min(startup_until_, clock::now() + session::limits::tls_handshake_time);
  client_.accept_tls(tls_->for_clients, direct);
  shake_hands();
}

void connection::shake_hands() {
  const handshake_state state = client_.handshake();
  if (state == handshake_state::failed) {
    return begin_close("TLS handshake with the client failed: " + client_.tls()->problem());
  }
  if (state != handshake_state::done) return;
  securing_client_ = false;
  startup_until_ = opened_ + home_.services().settings.listen.startup_timeout;
  session_.on_client_secured();
  read_client();
  arm_timer();
}

}  // namespace proxy::io
