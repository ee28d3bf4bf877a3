#include "tests/e2e/gate.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/tcp.h>
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

void leave(int socket, bool reset) {
  const linger at_once{1, 0};
  if (reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket);
}

std::size_t index(side of) {
  return static_cast<std::size_t>(of);
}

}  // namespace

gate::gate(int to) : target_(to == 0 ? cluster::port() : to) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  void* address = &at;
  bind(listener_, static_cast<sockaddr*>(address), size);
  listen(listener_, 64);
  getsockname(listener_, static_cast<sockaddr*>(address), &size);
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { run(); });
}

gate::~gate() {
  stop_ = true;
  thread_.join();
  for (pair& each : pairs_) drop(each, true);
  ::close(listener_);
}

void gate::cut() {
  cut_ = true;
  while (cut_) pause_briefly();
}

void gate::watch() {
  const bool there = eventually([this] {
    const std::lock_guard lock(mutex_);
    return !pairs_.empty();
  });
  const std::lock_guard lock(mutex_);
  if (!there || pairs_.empty()) throw std::runtime_error("nothing passes the gate");
  ended_.reset();
  for (pair& each : pairs_) each.watched = false;
  pair& newest = pairs_.back();
  newest.watched = true;
  newest.struck = false;
  newest.armed.reset();
  for (direction& way : newest.ways) way.relayed.clear();
}

void gate::arm(const fault& what) {
  watch();
  const std::lock_guard lock(mutex_);
  for (pair& each : pairs_) {
    if (each.watched) each.armed = what;
  }
}

std::string gate::relayed(side from) {
  const std::lock_guard lock(mutex_);
  for (const pair& each : pairs_) {
    if (each.watched) return each.ways[index(from)].relayed;
  }
  return ended_ ? ended_->ways[index(from)].relayed : "";
}

void gate::drop_watched() {
  {
    const std::lock_guard lock(mutex_);
    for (pair& each : pairs_) each.dropped = each.dropped || each.watched;
  }
  const bool done = eventually([this] {
    const std::lock_guard lock(mutex_);
    return std::none_of(pairs_.begin(), pairs_.end(), [](const pair& each) { return each.dropped; });
  });
  if (!done) throw std::runtime_error("the gate does not drop its connection");
}

bool gate::struck() {
  const std::lock_guard lock(mutex_);
  const bool silent =
      std::any_of(pairs_.begin(), pairs_.end(), [](const pair& each) { return each.watched && each.struck; });
  return silent || (ended_ && ended_->struck);
}

void gate::drop(pair& which, bool reset) {
  for (const direction& way : which.ways) leave(way.from, reset);
}

void gate::admit() {
  const int client = accept(listener_, nullptr, nullptr);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(target_);
  const void* address = &to;
  if (connect(server, static_cast<const sockaddr*>(address), sizeof to) != 0) {
    leave(client, true);
    leave(server, true);
    return;
  }
  const int on = 1;
  for (const int each : {client, server}) setsockopt(each, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::lock_guard lock(mutex_);
  pairs_.push_back({.ways = {direction{client, server}, direction{server, client}}});
}

void gate::run() {
  while (!stop_) {
    if (cut_) {
      const std::lock_guard lock(mutex_);
      for (pair& each : pairs_) drop(each, true);
      pairs_.clear();
      cut_ = false;
    }
    drop_marked();
    relay();
  }
}

void gate::drop_marked() {
  const std::lock_guard lock(mutex_);
  for (auto each = pairs_.begin(); each != pairs_.end();) {
    if (!each->dropped) {
      ++each;
      continue;
    }
    drop(*each, true);
    each = pairs_.erase(each);
  }
}

/// How many bytes may pass before the fault; true if it comes to pass now.
bool gate::strikes(pair& of, side from, std::size_t& most) {
  if (!of.armed || of.armed->of != from) return false;
  const std::size_t left = of.armed->at - of.ways[index(from)].relayed.size();
  most = std::min(most, left);
  char next = 0;
  of.struck = left == 0 && recv(of.ways[index(from)].from, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  return of.struck;
}

/// False: the connection has ended.
bool gate::pass_on(pair& of, side from) const {
  direction& way = of.ways[index(from)];
  char buffer[relayed_at_once];
  const std::size_t piece = piece_;
  std::size_t most = piece == 0 ? sizeof buffer : piece;
  if (strikes(of, from, most)) {
    if (of.armed->what != fault::type::silence) return false;
    of.silent = true;
    return true;
  }
  const ssize_t got = recv(way.from, buffer, std::max<std::size_t>(most, 1), 0);
  if (got <= 0) return false;
  for (ssize_t at = 0; at < got;) {
    const ssize_t sent = ::send(way.to, buffer + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent;
  }
  if (of.watched) way.relayed.append(buffer, static_cast<std::size_t>(got));
  return true;
}

void gate::relay() {
  std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
  for (const pair& each : pairs_) {
    for (const direction& way : each.ways) waiting.push_back({each.silent ? -1 : way.from, POLLIN, 0});
  }
  if (poll(waiting.data(), waiting.size(), 5) <= 0) return;
  {
    const std::lock_guard lock(mutex_);
    std::size_t at = 1;
    for (auto each = pairs_.begin(); each != pairs_.end(); at += 2) {
      const bool lost = (waiting[at].revents != 0 && !pass_on(*each, side::client)) ||
                        (waiting[at + 1].revents != 0 && !each->silent && !pass_on(*each, side::server));
      if (!lost) {
        ++each;
        continue;
      }
      drop(*each, each->struck && each->armed->what == fault::type::reset);
      if (each->watched) ended_ = std::move(*each);
      each = pairs_.erase(each);
    }
  }
  if (waiting[0].revents != 0) admit();
}

}  // namespace e2e
