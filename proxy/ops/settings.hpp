// Every key of the configuration file as plain values with their defaults, and how a file becomes them.
// Refuses to know what the values are used for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/limits.hpp"
#include "rules/rule.hpp"

namespace proxy::ops {

/// TLS for clients, where a certificate is given: never, if the client asks for it, or always.
enum class tls_mode : std::uint8_t { disable, allow, require };

struct listen_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7432;
  std::uint32_t max_connections = 1000;
  std::uint32_t threads = 0;  // 0: as many as there are cores
  std::chrono::milliseconds startup_timeout =
      session::limits::startup_time;                // until a client is authenticated
  std::chrono::milliseconds shutdown_grace{30000};  // SIGTERM: how long transactions in progress may go on
  std::string tls_cert_file;                        // with tls_key_file; empty: TLS is not offered
  std::string tls_key_file;
  tls_mode tls = tls_mode::allow;
};

/// libpq's words, weakest first.
enum class ssl_mode : std::uint8_t {
  disable,      // never TLS
  prefer,       // TLS if the server can
  require,      // TLS; whose certificate it is does not matter, unless sslrootcert is given
  verify_ca,    // and the certificate comes from sslrootcert
  verify_full,  // and it names upstream.host
};
[[nodiscard]] std::string_view to_text(ssl_mode mode);

struct upstream_settings {
  std::string host = "127.0.0.1";  // a name, an address, or a directory with a Unix socket (starts with '/')
  std::uint16_t port = 5432;
  ssl_mode sslmode = ssl_mode::prefer;
  std::string sslrootcert{};
  std::chrono::milliseconds connect_timeout{5000};
  std::uint32_t statement_cache = 0;  // >0: repeated unnamed statements run as named ones, so many a session
};

struct catalog_settings {
  std::string conninfo = "user=pgteller";  // host and port default to upstream's
};

struct metrics_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 9732;
};

enum class log_level : std::uint8_t { trace, debug, info, warn, error };
enum class log_format : std::uint8_t { text, json };

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::text;
  bool values = false;  // balances may appear in error details and in the log
};

struct settings {
  listen_settings listen;
  upstream_settings upstream;
  catalog_settings catalog;
  metrics_settings metrics;
  log_settings log;
  rules::rule_set rules;
};

/// One thing wrong in a configuration file. Lines and columns count from 1; 0 where there is no place.
struct diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;  // what is wrong and what to write instead
};

/// "file:line:column: message"
[[nodiscard]] std::string to_text(const diagnostic&);

struct load_result {
  settings value;
  std::vector<diagnostic> problems;  // empty: value is usable
};

/// Reads a whole file and reports every problem in it, not just the first.
[[nodiscard]] load_result load_settings(const std::string& path);

/// The same for text that is already at hand; `file` only names it in diagnostics.
[[nodiscard]] load_result parse_settings(std::string_view toml, const std::string& file);

}  // namespace proxy::ops
