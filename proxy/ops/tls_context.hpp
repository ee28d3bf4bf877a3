// OpenSSL contexts made from the settings: certificates, keys, trusted roots, and what every TLS connection
// here keeps to. Knows nothing of sockets and of who is connected.
#pragma once

#include <memory>
#include <string>

#include "proxy/ops/settings.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace proxy::ops {

using tls_context = std::shared_ptr<ssl_ctx_st>;

/// A context, or none because none is asked for, or what is wrong with the files and under which key.
struct tls_result {
  tls_context context;
  std::string key;
  std::string problem;
};

/// For accepting clients: null unless both files are named. TLS 1.2 or newer, no renegotiation, no
/// compression, no session tickets; a client that offers protocols by ALPN must offer "postgresql".
[[nodiscard]] tls_result make_client_context(const listen_settings& from);

/// For connecting to PostgreSQL: null if sslmode is disable. The chain is verified under verify-ca and
/// verify-full, and, as libpq does, under require where sslrootcert is given.
[[nodiscard]] tls_result make_server_context(const upstream_settings& from);

/// This client did not ask with SSLRequest but began with its ClientHello: PostgreSQL 17 refuses that without
/// ALPN, so that no other protocol's client is led here.
void require_alpn(ssl_st& connection);

}  // namespace proxy::ops
