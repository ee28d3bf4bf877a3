// A raw client over TLS that can do what libpq does not: begin with its handshake, offer any protocol, end in
// any way. Shares no code with what it tests but OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace e2e {

struct tls_options {
  bool direct = false;              // no SSLRequest first
  std::string alpn = "postgresql";  // empty: none
  int newest = TLS1_3_VERSION;
};

class tls_wire {
 public:
  /// Connects, asks for TLS and does the handshake; see secure().
  explicit tls_wire(int port, const tls_options& options = {});
  ~tls_wire();
  tls_wire(const tls_wire&) = delete;
  tls_wire& operator=(const tls_wire&) = delete;

  [[nodiscard]] bool secure() const { return secure_; }
  /// Why it is not, in OpenSSL's words.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// The common name in the certificate that was shown.
  [[nodiscard]] std::string shown_name() const;

  bool send(std::string_view bytes);
  /// Some bytes; empty at the end.
  std::string bytes();
  std::string read_to_end();
  /// Sends a StartupMessage for user postgres and reads to the first ReadyForQuery.
  bool start(const std::string& database);
  /// Reads until the last message is a ReadyForQuery; everything read.
  std::string to_ready();

  /// close_notify, then TCP's end; the other direction stays open.
  void end_sending();
  /// TCP's end without close_notify.
  void drop();
  [[nodiscard]] SSL* raw() const { return connection_.get(); }

 private:
  int socket_ = -1;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> connection_;
  bool secure_ = false;
  std::string problem_;
};

/// The answer to SSLRequest at that port: one letter.
[[nodiscard]] char answer_to_ssl_request(int port);

/// A blocking TCP connection to the loopback address, with a limit on waiting.
[[nodiscard]] int connect_to(int port);

}  // namespace e2e
