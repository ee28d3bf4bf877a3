#include "tests/e2e/tls_wire.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/startup.hpp"
#include "tests/e2e/child.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {

int connect_to(int port) {
  std::signal(SIGPIPE, SIG_IGN);
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* address = &to;
  if (connect(made, static_cast<const sockaddr*>(address), sizeof to) != 0) {
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
  const timeval limit{std::chrono::seconds(patience).count(), 0};
  setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return made;
}

char answer_to_ssl_request(int port) {
  const int socket = connect_to(port);
  static_cast<void>(::send(socket, protocol::ssl_request_packet.data(), 8, MSG_NOSIGNAL));
  char answer = 0;
  static_cast<void>(recv(socket, &answer, 1, 0));
  ::close(socket);
  return answer;
}

tls_wire::tls_wire(int port, const tls_options& options)
    : socket_(connect_to(port)), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
  SSL_CTX_set_max_proto_version(context_.get(), options.newest);
  const std::string alpn = static_cast<char>(options.alpn.size()) + options.alpn;
  const std::basic_string<unsigned char> list(alpn.begin(), alpn.end());
  if (!options.alpn.empty()) {
    SSL_CTX_set_alpn_protos(context_.get(), list.data(), static_cast<unsigned>(list.size()));
  }
  if (!options.direct) {
    static_cast<void>(::send(socket_, protocol::ssl_request_packet.data(), 8, MSG_NOSIGNAL));
    char answer = 0;
    if (recv(socket_, &answer, 1, 0) != 1 || answer != 'S') {
      problem_ = "TLS is refused";
      return;
    }
  }
  connection_.reset(SSL_new(context_.get()), &SSL_free);
  SSL_set_fd(connection_.get(), socket_);
  ERR_clear_error();
  secure_ = SSL_connect(connection_.get()) == 1;
  if (secure_) return;
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  problem_ = reason == nullptr ? "the connection ended" : reason;
}

tls_wire::~tls_wire() {
  connection_.reset();
  if (socket_ >= 0) ::close(socket_);
}

std::string tls_wire::shown_name() const {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(connection_.get()),
                                                          &X509_free);
  std::array<char, 256> name{};
  if (shown) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name.data(), name.size());
  }
  return name.data();
}

bool tls_wire::send(std::string_view bytes) {
  std::size_t done = 0;
  return bytes.empty() || SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &done) == 1;
}

std::string tls_wire::bytes() {
  std::string got(64U << 10U, '\0');
  std::size_t size = 0;
  ERR_clear_error();
  if (SSL_read_ex(connection_.get(), got.data(), got.size(), &size) != 1) size = 0;
  got.resize(size);
  return got;
}

std::string tls_wire::read_to_end() {
  std::string all;
  for (std::string piece = bytes(); !piece.empty(); piece = bytes()) all += piece;
  return all;
}

bool tls_wire::start(const std::string& database) {
  const std::string body =
      u32(196608) + "user" + '\0' + "postgres" + '\0' + "database" + '\0' + database + '\0' + '\0';
  return send(u32(static_cast<std::uint32_t>(body.size() + 4)) + body) && !to_ready().empty();
}

std::string tls_wire::to_ready() {
  constexpr std::string_view ready{"Z\0\0\0\5", 5};
  std::string all;
  while (all.size() < 6 || std::string_view(all).substr(all.size() - 6, 5) != ready) {
    const std::string piece = bytes();
    if (piece.empty()) return {};
    all += piece;
  }
  return all;
}

void tls_wire::end_sending() {
  SSL_shutdown(connection_.get());
  shutdown(socket_, SHUT_WR);
}

void tls_wire::drop() {
  shutdown(socket_, SHUT_WR);
}

}  // namespace e2e
