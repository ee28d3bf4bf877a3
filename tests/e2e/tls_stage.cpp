#include "tests/e2e/tls_stage.hpp"

#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/tls_wire.hpp"

namespace e2e {
namespace {

class certificate_store {
 public:
  certificate_store() {
    const authority ca("pgteller test authority");
    write_file(place_ / "ca.crt", ca.certificate());
    write_file(place_ / "other.crt", authority("another authority").certificate());
    put("server", ca.issue("server", "DNS:localhost,IP:127.0.0.1"));
    put("own", ca.issue("own", "DNS:localhost,IP:127.0.0.1"));
    put("own2", ca.issue("own2", "DNS:localhost,IP:127.0.0.1"));
    put("elsewhere", ca.issue("elsewhere", "DNS:elsewhere"));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return place_ / name; }

 private:
  void put(const std::string& name, const authority::issued& what) const {
    write_file(place_ / (name + ".crt"), what.certificate);
    write_key(place_ / (name + ".key"), what.key);
  }
  scratch place_;
};

/// Into the data directory, for PostgreSQL's own user.
void install(const std::string& from, const std::string& to) {
  const char* data = std::getenv("PGTELLER_TEST_DATA");
  ASSERT_NE(data, nullptr);
  const std::string path = std::string(data) + "/" + to;
  write_key(path, file_text(certificate_file(from)));
  struct stat owner {};
  ASSERT_EQ(stat(data, &owner), 0);
  ASSERT_EQ(chown(path.c_str(), owner.st_uid, owner.st_gid), 0);
}

}  // namespace

std::string certificate_file(const std::string& name) {
  static const certificate_store store;
  return store.path(name);
}

void server_tls(bool on, const std::string& certificate) {
  install(certificate + ".crt", "tls.crt");
  install(certificate + ".key", "tls.key");
  link admin(cluster::conninfo("postgres"));
  for (const char* sql :
       {"ALTER SYSTEM SET ssl_cert_file = 'tls.crt'", "ALTER SYSTEM SET ssl_key_file = 'tls.key'",
        on ? "ALTER SYSTEM SET ssl = on" : "ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()"}) {
    ASSERT_TRUE(admin.run(sql).ok()) << sql;
  }
  EXPECT_TRUE(eventually([&] {
    if (answer_to_ssl_request(cluster::port()) != (on ? 'S' : 'N')) return false;
    return !on || tls_wire(cluster::port(), {.alpn = ""}).shown_name() == certificate;
  }));
}

std::string with_certificate(const std::string& name, const std::string& mode) {
  return "tls_cert_file = \"" + certificate_file(name + ".crt") + "\"\ntls_key_file = \"" +
         certificate_file(name + ".key") + "\"\ntls_mode = \"" + mode + "\"";
}

std::string local_conninfo(int port, const std::string& more) {
  return "host=localhost hostaddr=127.0.0.1 port=" + std::to_string(port) +
         " gssencmode=disable connect_timeout=30 " + more;
}

void tls_stage::SetUp() {
  stage::SetUp();
  // The sanitizer keeps up to 256 MB of freed memory by default; that is not pgteller's.
  const char* set = std::getenv("ASAN_OPTIONS");
  const std::string before = set == nullptr ? "" : set + std::string(":");
  if (before.find("quarantine") == std::string::npos) {
    setenv("ASAN_OPTIONS", (before + "quarantine_size_mb=8").c_str(), 1);
  }
}

void tls_stage::start_tls(const std::string& listen, const std::string& upstream) {
  proxy_options options;
  options.rules = wallet_rule();
  options.listen = listen;
  options.upstream = upstream;
  proxy_ = std::make_unique<proxy>(std::move(options));
}

link tls_stage::over_tls(const std::string& more) const {
  return link(local_conninfo(proxy_->port(),
                             "user=postgres dbname=" + database_->name() + " sslmode=require " + more));
}

bool tls_stage::logs(const std::string& text) const {
  return eventually([&] { return proxy_->log().find(text) != std::string::npos; });
}

}  // namespace e2e
