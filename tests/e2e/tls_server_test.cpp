// TLS to PostgreSQL: what is demanded of its certificate, and what is not believed before TLS is up.
#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/tls_stage.hpp"
#include "tests/e2e/tls_wire.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

/// In PostgreSQL's place: answers whatever comes first with fixed bytes, and keeps what comes then.
class answering_server {
 public:
  explicit answering_server(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    void* address = &at;
    socklen_t size = sizeof at;
    static_cast<void>(bind(listener_, static_cast<sockaddr*>(address), size));
    static_cast<void>(listen(listener_, 8));
    getsockname(listener_, static_cast<sockaddr*>(address), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~answering_server() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  answering_server(const answering_server&) = delete;
  answering_server& operator=(const answering_server&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// After the proxy has left.
  [[nodiscard]] std::string received() {
    EXPECT_TRUE(eventually([this] { return done_.load(); }));
    return received_;
  }

 private:
  void run() {
    while (!stop_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 20) <= 0) continue;
      const int one = accept(listener_, nullptr, nullptr);
      if (!done_) talk(one);
      ::close(one);
    }
  }

  void talk(int socket) {
    char piece[4096];
    if (recv(socket, piece, 8, MSG_WAITALL) != 8) return;
    static_cast<void>(::send(socket, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    for (ssize_t got = recv(socket, piece, sizeof piece, 0); got > 0;
         got = recv(socket, piece, sizeof piece, 0)) {
      received_.append(piece, static_cast<std::size_t>(got));
    }
    done_ = true;
  }

  std::string answer_;
  std::string received_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

class tls_server : public tls_stage {
 protected:
  static void SetUpTestSuite() { server_tls(true); }

  void start_to(const std::string& host, int port, const std::string& upstream) {
    proxy_options options;
    options.upstream_host = host;
    options.upstream_port = port;
    options.upstream = upstream;
    proxy_ = std::make_unique<proxy>(std::move(options));
  }

  /// What a client is told by pgteller: "ok" and whether PostgreSQL sees TLS, or the detail of the error.
  [[nodiscard]] std::string outcome() const {
    wire here("127.0.0.1", proxy_->port());
    if (!here.start(database_->name())) {
      if (here.greeting().empty()) return "nothing";
      return error_field(here.greeting().back(), 'C') + " " + error_field(here.greeting().back(), 'D');
    }
    here.send(query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"));
    for (const auto& each : here.messages(1)) {
      if (each[0] == 'D') return each.back() == 't' ? "ok with TLS" : "ok without TLS";
    }
    return "no row";
  }
};

TEST_F(tls_server, certificate_and_name_are_verified) {
  const std::string ca = "\nsslrootcert = \"" + certificate_file("ca.crt") + "\"";
  const std::string other = "\nsslrootcert = \"" + certificate_file("other.crt") + "\"";
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"127.0.0.1", "sslmode = \"disable\"", "ok without TLS"},
      {"127.0.0.1", "sslmode = \"prefer\"", "ok with TLS"},
      {"127.0.0.1", "sslmode = \"require\"", "ok with TLS"},
      {"127.0.0.1", "sslmode = \"verify-ca\"" + ca, "ok with TLS"},
      {"127.0.0.1", "sslmode = \"verify-full\"" + ca, "ok with TLS"},
      {"localhost", "sslmode = \"verify-full\"" + ca, "ok with TLS"},
      {"127.0.0.1", "sslmode = \"verify-ca\"" + other, "certificate verify failed"},
      {"127.0.0.1", "sslmode = \"require\"" + other, "certificate verify failed"},
      {cluster::socket_directory(), "sslmode = \"prefer\"", "ok without TLS"}};
  for (const auto& [host, upstream, expected] : cases) {
    start_to(host, cluster::port(), upstream);
    EXPECT_NE(outcome().find(expected), std::string::npos) << host << " " << upstream << ": " << outcome();
  }
}

TEST_F(tls_server, name_that_the_certificate_does_not_have) {
  server_tls(true, "elsewhere");
  const std::string ca = "\nsslrootcert = \"" + certificate_file("ca.crt") + "\"";
  start_to("localhost", cluster::port(), "sslmode = \"verify-full\"" + ca);
  EXPECT_NE(outcome().find("hostname mismatch"), std::string::npos) << outcome();
  start_to("127.0.0.1", cluster::port(), "sslmode = \"verify-full\"" + ca);
  EXPECT_NE(outcome().find("IP address mismatch"), std::string::npos) << outcome();
  start_to("localhost", cluster::port(), "sslmode = \"verify-ca\"" + ca);
  EXPECT_EQ(outcome(), "ok with TLS");
  server_tls(true);
}

TEST_F(tls_server, nothing_before_tls_is_believed) {
  const std::string text =
      "SFATAL" + std::string(1, '\0') + "C28000" + std::string(1, '\0') + "Msend us your password";
  const std::pair<std::string, std::string> cases[] = {
      {"S" + frame('R', u32(0)), "unencrypted data came after its answer"},
      {"N" + frame('R', u32(0)), "unencrypted data came after its answer"},
      {frame('E', text + '\0' + '\0'), "answered the request for TLS with an error, which is not shown"},
      {"x", "with an error, which is not shown"}};
  for (const std::string mode : {"prefer", "require"}) {
    for (const auto& [answer, expected] : cases) {
      answering_server server(answer);
      start_to("127.0.0.1", server.port(), "sslmode = \"" + mode + "\"");
      const std::string told = outcome();
      EXPECT_TRUE(told.starts_with("08001")) << told;
      EXPECT_NE(told.find(expected), std::string::npos) << told;
      EXPECT_EQ(told.find("password"), std::string::npos) << told;
    }
  }
}

TEST_F(tls_server, server_without_tls) {
  answering_server server("N");
  start_to("127.0.0.1", server.port(), "sslmode = \"require\"");
  EXPECT_NE(outcome().find("it does not offer TLS"), std::string::npos) << outcome();
}

TEST_F(tls_server, hello_names_the_host_and_the_protocol) {
  answering_server server("S");
  start_to("localhost", server.port(), "sslmode = \"require\"\nconnect_timeout = \"1s\"");
  static_cast<void>(outcome());
  const std::string hello = server.received();
  EXPECT_EQ(hello.substr(0, 1), "\x16");
  EXPECT_NE(hello.find("localhost"), std::string::npos);
  EXPECT_NE(hello.find("postgresql"), std::string::npos);
}

TEST_F(tls_server, silent_server_ends_with_the_connect_timeout) {
  for (const std::string answer : {"", "S"}) {
    answering_server server(answer);
    start_to("127.0.0.1", server.port(), "sslmode = \"require\"\nconnect_timeout = \"300ms\"");
    const std::string told = outcome();
    EXPECT_NE(told.find("timed out"), std::string::npos) << told;
  }
}

TEST_F(tls_server, cancel_goes_over_tls) {
  start_to("127.0.0.1", cluster::port(), "sslmode = \"require\"");
  link here(local_conninfo(proxy_->port(), "user=postgres sslmode=disable dbname=" + database_->name()));
  ASSERT_TRUE(here.open()) << here.problem();
  PGcancel* request = PQgetCancel(here.raw());
  std::thread canceller([&] {
    link watcher = direct();
    EXPECT_TRUE(eventually([&] {
      return value(watcher, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
                                here.pid()) == "1";
    }));
    char error[256];
    EXPECT_EQ(PQcancel(request, error, sizeof error), 1) << error;
  });
  EXPECT_EQ(here.run("SELECT pg_sleep(50)").brief(), "57014");
  canceller.join();
  PQfreeCancel(request);
}

TEST_F(tls_server, end_of_the_client_is_passed_on) {
  for (const std::string& rules : {std::string(), wallet_rule()}) {
    proxy_options options;
    options.rules = rules;
    options.listen = with_certificate("own");
    options.upstream = "sslmode = \"require\"";
    proxy_ = std::make_unique<proxy>(std::move(options));
    for (const bool notify : {true, false}) {
      tls_wire here(proxy_->port());
      ASSERT_TRUE(here.start(database_->name()));
      here.send(query("SELECT repeat('x', 100000) FROM pg_sleep(0.2)"));
      notify ? here.end_sending() : here.drop();
      EXPECT_GT(here.read_to_end().size(), 100'000U) << notify;
    }
    // PostgreSQL's backend has ended, too.
    link admin = direct();
    EXPECT_TRUE(eventually([&] {
      return value(admin,
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid "
                   "<> pg_backend_pid()") == "0";
    }));
  }
}

TEST_F(tls_server, large_results_and_copies) {
  start_to("127.0.0.1", cluster::port(), "sslmode = \"require\"");
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  here.send(query("SELECT repeat('y', 20000) FROM generate_series(1, 1000)"));
  EXPECT_EQ(here.messages(1).size(), 1003U);
  link admin = direct();
  here.send(query("COPY notes FROM STDIN"));
  static_cast<void>(here.message());
  for (int i = 0; i < 1000; ++i) {
    here.send(frame('d', std::to_string(i) + "\t" + std::string(5000, 'n') + "\n"), 1000);
  }
  here.send(frame('c', ""));
  EXPECT_EQ(here.messages(1).size(), 2U);
  EXPECT_EQ(value(admin, "SELECT count(*), sum(length(note)) FROM notes"), "1000");
}

}  // namespace
}  // namespace e2e
