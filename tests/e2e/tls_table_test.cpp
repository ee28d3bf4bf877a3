// The table in doc/tls.md, played row by row: what it says is what happens.
#include <algorithm>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/e2e/tls_stage.hpp"

namespace e2e {
namespace {

struct row {
  std::string client;       // sslmode
  std::string binding;      // channel_binding
  std::string listen;       // tls_mode
  std::string certificate;  // own | server's
  std::string upstream;     // sslmode
  std::string server;       // ssl
  std::string login;        // scram | md5 | trust
  std::string result;
  int line = 0;
};

std::string trimmed(const std::string& cell) {
  const std::size_t first = cell.find_first_not_of(" `");
  return first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(" `") - first + 1);
}

/// Lines of the table that begins with the columns' names below.
std::vector<row> rows() {
  std::istringstream text(file_text(PGTELLER_SOURCE_DIR "/doc/tls.md"));
  std::vector<row> all;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (!line.starts_with('|')) inside = false;
    if (inside && !line.starts_with("|--")) {
      std::istringstream in(line.substr(1));
      std::vector<std::string> cells;
      for (std::string cell; std::getline(in, cell, '|');) cells.push_back(trimmed(cell));
      cells.resize(8);
      all.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], number});
    }
    inside = inside || line.starts_with("| client sslmode |");
  }
  // PostgreSQL's TLS is switched as seldom as can be.
  std::stable_sort(all.begin(), all.end(), [](const row& a, const row& b) { return a.server < b.server; });
  return all;
}

class tls_table : public testing::TestWithParam<row> {
 protected:
  static void TearDownTestSuite() { proxies().clear(); }

  static std::map<std::string, std::unique_ptr<proxy>>& proxies() {
    static std::map<std::string, std::unique_ptr<proxy>> running;
    return running;
  }

  static proxy& proxy_for(const row& of) {
    auto& running = proxies()[of.listen + " " + of.certificate + " " + of.upstream];
    if (running) return *running;
    proxy_options options;
    options.listen = with_certificate(of.certificate == "own" ? "own" : "server", of.listen);
    options.upstream = "sslmode = \"" + of.upstream + "\"\n";
    if (of.upstream.starts_with("verify")) {
      options.upstream += "sslrootcert = \"" + certificate_file("ca.crt") + "\"";
    }
    running = std::make_unique<proxy>(std::move(options));
    return *running;
  }

  static void switch_server(const std::string& ssl) {
    static std::string now;
    if (now != ssl) server_tls(ssl == "on");
    now = ssl;
  }
};

TEST_P(tls_table, row) {
  const row& of = GetParam();
  switch_server(of.server);
  const std::string user = of.login == "trust" ? "postgres" : "app_" + of.login;
  const link here(local_conninfo(
      proxy_for(of).port(),
      "dbname=postgres user=" + user + " sslmode=" + of.client + " channel_binding=" + of.binding +
          " sslrootcert=" + certificate_file("ca.crt") + " password='" + cluster::password() + "'"));
  std::string got = here.problem();
  if (here.open()) {
    link asking = link(cluster::conninfo("postgres"));
    const std::string server = value(asking, "SELECT ssl FROM pg_stat_ssl WHERE pid = " + here.pid());
    got =
        std::string(PQsslInUse(here.raw()) == 1 ? "TLS" : "plain") + ", " + (server == "t" ? "TLS" : "plain");
  }
  const bool error = of.result.starts_with('"');
  const std::string expected = error ? of.result.substr(1, of.result.size() - 2) : of.result;
  EXPECT_TRUE(error ? got.find(expected) != std::string::npos : got == expected)
      << "doc/tls.md:" << of.line << " says " << of.result << "\nbut: " << got;
}

INSTANTIATE_TEST_SUITE_P(doc, tls_table, testing::ValuesIn(rows()),
                         [](const auto& of) { return "line_" + std::to_string(of.param.line); });

}  // namespace
}  // namespace e2e
