// What the tests of TLS stand on: an authority, certificates, and PostgreSQL's own TLS switched on or off.
// For a cluster that nobody else uses: CMakeLists.txt starts one for this program.
#pragma once

#include <memory>
#include <string>

#include "tests/e2e/certificates.hpp"
#include "tests/e2e/stage.hpp"

namespace e2e {

/// Files in a directory of their own, made once for the whole program:
///   ca.crt      signed server, own and elsewhere
///   other.crt   another authority, which signed nothing here
///   server      PostgreSQL's; localhost and 127.0.0.1
///   own         pgteller's own, for the same names;  own2: another such
///   elsewhere   for the name "elsewhere" only
/// each as NAME.crt and NAME.key.
[[nodiscard]] std::string certificate_file(const std::string& name);

/// Restarts nothing: PostgreSQL takes it over when told to reload. Returns when it has.
void server_tls(bool on, const std::string& certificate = "server");

/// Lines for proxy_options::listen.
[[nodiscard]] std::string with_certificate(const std::string& name, const std::string& mode = "allow");

/// For one's own conninfo: host=localhost at 127.0.0.1.
[[nodiscard]] std::string local_conninfo(int port, const std::string& more);

class tls_stage : public stage {
 protected:
  void SetUp() override;

  void start_tls(const std::string& listen, const std::string& upstream = "sslmode = \"disable\"");
  [[nodiscard]] link over_tls(const std::string& more = "") const;
  /// Whether the log has this within the time that tests have.
  [[nodiscard]] bool logs(const std::string& text) const;
};

}  // namespace e2e
