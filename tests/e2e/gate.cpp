#include "tests/e2e/gate.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

constexpr std::size_t relayed_at_once = 65536;

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

void reset(int socket) {
  const linger at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket);
}

bool pass_on(int from, int to) {
  char buffer[relayed_at_once];
  const ssize_t got = recv(from, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  for (ssize_t at = 0; at < got;) {
    const ssize_t sent = ::send(to, buffer + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent;
  }
  return true;
}

}  // namespace

gate::gate() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  void* address = &at;
  bind(listener_, static_cast<sockaddr*>(address), size);
  listen(listener_, 16);
  getsockname(listener_, static_cast<sockaddr*>(address), &size);
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { run(); });
}

gate::~gate() {
  stop_ = true;
  thread_.join();
  for (std::size_t i = pairs_.size(); i > 0; --i) drop(i - 1);
  ::close(listener_);
}

void gate::cut() {
  cut_ = true;
  while (cut_) pause_briefly();
}

void gate::drop(std::size_t which) {
  reset(pairs_[which].first);
  reset(pairs_[which].second);
  pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(which));
}

void gate::admit() {
  const int client = accept(listener_, nullptr, nullptr);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(cluster::port());
  const void* address = &to;
  connect(server, static_cast<const sockaddr*>(address), sizeof to);
  pairs_.emplace_back(client, server);
}

void gate::run() {
  while (!stop_) {
    if (cut_) {
      while (!pairs_.empty()) drop(0);
      cut_ = false;
    }
    relay();
  }
}

void gate::relay() {
  std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
  for (const auto& [client, server] : pairs_) {
    waiting.push_back({client, POLLIN, 0});
    waiting.push_back({server, POLLIN, 0});
  }
  if (poll(waiting.data(), waiting.size(), 20) <= 0) return;
  for (std::size_t i = pairs_.size(); i > 0; --i) {
    const auto [client, server] = pairs_[i - 1];
    const bool lost = (waiting[2 * i - 1].revents != 0 && !pass_on(client, server)) ||
                      (waiting[2 * i].revents != 0 && !pass_on(server, client));
    if (lost) drop(i - 1);
  }
  if (waiting[0].revents != 0) admit();
}

}  // namespace e2e
