// The keys about TLS: what they say, whether they go together, and whether the files can be used.
#include "proxy/ops/settings_sections.hpp"
#include "proxy/ops/tls_context.hpp"

namespace proxy::ops {
namespace {

void report(table_reader& from, const tls_result& made, const std::string& file) {
  if (made.problem.empty()) return;
  from.problem(made.key, made.key + ": " + (file.empty() ? "" : shown(file) + " ") + made.problem);
}

}  // namespace

void read_client_tls(table_reader& from, listen_settings& into) {
  constexpr std::pair<std::string_view, tls_mode> modes[] = {
      {"disable", tls_mode::disable}, {"allow", tls_mode::allow}, {"require", tls_mode::require}};
  from.text("tls_cert_file", into.tls_cert_file);
  from.text("tls_key_file", into.tls_key_file);
  from.choice<tls_mode>("tls_mode", into.tls, modes);
  const bool certificate = !into.tls_cert_file.empty();
  const bool key = !into.tls_key_file.empty();
  if (certificate && !key) return from.problem("tls_cert_file", "tls_cert_file needs tls_key_file beside it");
  if (key && !certificate) return from.problem("tls_key_file", "tls_key_file needs tls_cert_file beside it");
  if (!certificate && into.tls == tls_mode::require) {
    return from.problem("tls_mode", "tls_mode = \"require\" needs tls_cert_file and tls_key_file");
  }
  const tls_result made = make_client_context(into);
  report(from, made, made.key == "tls_key_file" ? into.tls_key_file : into.tls_cert_file);
}

void read_server_tls(table_reader& from, upstream_settings& into) {
  constexpr std::pair<std::string_view, ssl_mode> modes[] = {{"disable", ssl_mode::disable},
                                                             {"prefer", ssl_mode::prefer},
                                                             {"require", ssl_mode::require},
                                                             {"verify-ca", ssl_mode::verify_ca},
                                                             {"verify-full", ssl_mode::verify_full}};
  from.choice<ssl_mode>("sslmode", into.sslmode, modes);
  from.text("sslrootcert", into.sslrootcert);
  const std::string mode = "sslmode = " + shown(to_text(into.sslmode));
  if (into.sslmode >= ssl_mode::require && into.host.starts_with('/')) {
    return from.problem("sslmode", mode + " has no meaning for a Unix socket; write \"disable\"");
  }
  if (into.sslmode >= ssl_mode::verify_ca && into.sslrootcert.empty()) {
    return from.problem("sslmode", mode + " needs sslrootcert: the certificates that are trusted");
  }
  if (into.sslmode < ssl_mode::require && !into.sslrootcert.empty()) {
    return from.problem(
        "sslrootcert", "sslrootcert is of no use with " + mode + R"(; write "verify-full", or leave it out)");
  }
  report(from, make_server_context(into), into.sslrootcert);
}

std::string_view to_text(ssl_mode mode) {
  switch (mode) {
    case ssl_mode::disable:
      return "disable";
    case ssl_mode::prefer:
      return "prefer";
    case ssl_mode::require:
      return "require";
    case ssl_mode::verify_ca:
      return "verify-ca";
    case ssl_mode::verify_full:
      break;
  }
  return "verify-full";
}

}  // namespace proxy::ops
