#include "proxy/ops/http_server.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/ops/http_client.hpp"
#include "tests/ops/live_database.hpp"

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;

struct fixture {
  std::atomic<bool> ready{true};
  http_server server;

  explicit fixture(http_limits limits = {})
      : server({"127.0.0.1", 0},
               {[] { return std::string("pgteller_up 1\n"); },
                [this] {
                  return readiness{ready, ready ? "shop: ready\n" : "shop: no catalog yet\n"};
                }},
               limits) {}

  [[nodiscard]] std::string ask(const std::string& method, const std::string& path) const {
    return http_exchange(server.port(),
                         method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
};

TEST(http_server, serves_the_three_pages) {
  fixture f;
  EXPECT_NE(f.server.port(), 0);
  const auto metrics = f.ask("GET", "/metrics");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200 OK\r\n")) << metrics;
  EXPECT_NE(metrics.find("text/plain; version=0.0.4"), std::string::npos);
  EXPECT_TRUE(metrics.ends_with("\r\n\r\npgteller_up 1\n"));
  EXPECT_TRUE(f.ask("GET", "/healthz").ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(f.ask("GET", "/readyz?verbose=1").starts_with("HTTP/1.1 200"));
}

TEST(http_server, readyz_says_why_not) {
  fixture f;
  f.ready = false;
  const auto answer = f.ask("GET", "/readyz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_TRUE(answer.ends_with("shop: no catalog yet\n"));
}

TEST(http_server, head_has_the_length_and_no_body) {
  fixture f;
  const auto answer = f.ask("HEAD", "/metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Content-Length: 14\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(http_server, refuses_the_rest) {
  fixture f;
  const auto post = f.ask("POST", "/metrics");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405")) << post;
  EXPECT_NE(post.find("Allow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_TRUE(f.ask("DELETE", "/healthz").starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(f.ask("GET", "/").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(f.ask("GET", "/metrics/").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(f.ask("POST", "/nothing").starts_with("HTTP/1.1 404"));
}

TEST(http_server, keeps_a_connection_and_answers_pipelined_requests) {
  fixture f;
  http_client client(f.server.port());
  client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto both = client.read_until("shop: ready\n");
  EXPECT_NE(both.find("ok\n"), std::string::npos);
  EXPECT_NE(both.find("shop: ready\n"), std::string::npos);
  EXPECT_FALSE(client.closed());
  client.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(client.read_all().ends_with("ok\n"));
  EXPECT_TRUE(client.closed());
}

TEST(http_server, refuses_what_is_no_http_or_too_large) {
  fixture f({.header_bytes = 512, .body_bytes = 64});
  EXPECT_TRUE(http_exchange(f.server.port(), "\x16\x03\x01 nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(http_exchange(f.server.port(), "GET / HTTP/1.1\r\nX: " + std::string(600, 'x'))
                  .starts_with("HTTP/1.1 431"));
  const auto large = http_exchange(f.server.port(), "POST /metrics HTTP/1.1\r\nContent-Length: 65\r\n\r\n");
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413")) << large;
  const auto endless =
      http_exchange(f.server.port(), "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
                                         std::string(128, 'x') + "\r\n");
  EXPECT_TRUE(endless.starts_with("HTTP/1.1 413")) << endless;
}

TEST(http_server, closes_on_a_slow_client) {
  fixture f({.request = 200ms});
  http_client idle(f.server.port());
  http_client drip(f.server.port());
  const auto start = std::chrono::steady_clock::now();
  bool alive = true;
  while (alive && std::chrono::steady_clock::now() - start < 5s) {
    alive = drip.send("x");  // each byte in time, the request never
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_FALSE(alive);
  EXPECT_EQ(idle.read_all(2s), "");
  EXPECT_TRUE(idle.closed());
}

TEST(http_server, a_crowd_cannot_take_it_down) {
  fixture f({.connections = 4, .request = 500ms});
  std::vector<std::unique_ptr<http_client>> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.push_back(std::make_unique<http_client>(f.server.port()));
    crowd.back()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(crowd.back()->read_until("ok\n"), "");
  }
  http_client late(f.server.port());
  EXPECT_EQ(late.read_all(2s), "");
  EXPECT_TRUE(late.closed());
  crowd.clear();
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(eventually([&] { return f.ask("GET", "/healthz").ends_with("ok\n"); }));
}

TEST(http_server, a_page_that_throws_is_a_500) {
  const http_server server({"127.0.0.1", 0}, {[]() -> std::string { throw std::runtime_error("x"); }, {}});
  EXPECT_TRUE(http_exchange(server.port(), "GET /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 500"));
}

TEST(http_server, cannot_listen_twice) {
  fixture f;
  EXPECT_THROW(http_server({"127.0.0.1", f.server.port()}, {}), std::system_error);
  EXPECT_THROW(http_server({"no address", 0}, {}), std::system_error);
}

TEST(http_server, ends_while_clients_are_connected) {
  auto f = std::make_unique<fixture>();
  http_client client(f->server.port());
  client.send("GET /metrics HT");
  f.reset();
  EXPECT_EQ(client.read_all(2s), "");
  EXPECT_TRUE(client.closed());
}

}  // namespace
}  // namespace proxy::ops
