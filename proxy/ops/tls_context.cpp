#include "proxy/ops/tls_context.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace proxy::ops {
namespace {

// A list of one: its length and the name that PostgreSQL 17 registered.
constexpr unsigned char alpn[] = {10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};

std::string openssl_problem() {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "unknown error";
  ERR_clear_error();
  return text;
}

tls_result wrong(std::string key, std::string problem) {
  return {nullptr, std::move(key), std::move(problem)};
}

/// Why the file cannot be read; empty if it can.
std::string unreadable(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0 || access(path.c_str(), R_OK) != 0) {
    return "cannot be read: " + std::generic_category().message(errno);
  }
  return S_ISREG(found.st_mode) ? "" : "is no file";
}

/// PostgreSQL's own rule for its key: nobody else's, or root's and at most readable for the group.
std::string exposed(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  if (found.st_uid != geteuid() && found.st_uid != 0) return "must belong to the user of pgteller or to root";
  const bool own = found.st_uid == geteuid() && (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  const bool roots = found.st_uid == 0 && (found.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
  if (own || roots) return {};
  return "can be read by others; give it mode 0600, or 0640 if it belongs to root";
}

/// A key with a passphrase is refused instead of asking on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, alpn, sizeof(alpn), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int check_hello(SSL* connection, int* alert, void*) {
  if (SSL_get_app_data(connection) == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  const auto type = TLSEXT_TYPE_application_layer_protocol_negotiation;
  if (SSL_client_hello_get0_ext(connection, type, &extension, &size) == 1) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

tls_context make_context(const SSL_METHOD* method) {
  tls_context made(SSL_CTX_new(method), &SSL_CTX_free);
  if (!made) return made;
  SSL_CTX* context = made.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // An end without close_notify is taken as TCP's end is without TLS: messages have their length, so that a
  // cut one is seen.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // What a socket did not take is offered again from another place in memory; idle connections keep no
  // buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  return made;
}

}  // namespace

tls_result make_client_context(const listen_settings& from) {
  if (from.tls_cert_file.empty() || from.tls_key_file.empty()) return {};
  if (const auto why = unreadable(from.tls_cert_file); !why.empty()) return wrong("tls_cert_file", why);
  if (const auto why = unreadable(from.tls_key_file); !why.empty()) return wrong("tls_key_file", why);
  if (const auto why = exposed(from.tls_key_file); !why.empty()) return wrong("tls_key_file", why);
  tls_context made = make_context(TLS_server_method());
  if (!made) return wrong("tls_cert_file", openssl_problem());
  SSL_CTX* context = made.get();
  ERR_clear_error();
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_client_hello_cb(context, check_hello, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, from.tls_cert_file.c_str()) != 1) {
    return wrong("tls_cert_file", "holds no usable certificate in PEM form: " + openssl_problem());
  }
  // The certificate is known already: OpenSSL compares the key with it here.
  if (SSL_CTX_use_PrivateKey_file(context, from.tls_key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                          ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    const std::string why = openssl_problem();
    if (mismatch) return wrong("tls_key_file", "is not the key of the certificate in tls_cert_file");
    return wrong("tls_key_file", "holds no usable key in PEM form without a passphrase: " + why);
  }
  return {std::move(made), {}, {}};
}

tls_result make_server_context(const upstream_settings& from) {
  if (from.sslmode == ssl_mode::disable) return {};
  tls_context made = make_context(TLS_client_method());
  if (!made) return wrong("sslmode", openssl_problem());
  SSL_CTX* context = made.get();
  ERR_clear_error();
  if (SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn)) != 0) return wrong("sslmode", openssl_problem());
  if (from.sslrootcert.empty()) return {std::move(made), {}, {}};
  if (const auto why = unreadable(from.sslrootcert); !why.empty()) return wrong("sslrootcert", why);
  if (SSL_CTX_load_verify_locations(context, from.sslrootcert.c_str(), nullptr) != 1) {
    return wrong("sslrootcert", "holds no usable certificates in PEM form: " + openssl_problem());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {std::move(made), {}, {}};
}

void require_alpn(SSL& connection) {
  static char mark = 0;
  SSL_set_app_data(&connection, &mark);
}

}  // namespace proxy::ops
