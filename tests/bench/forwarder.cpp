// The floor that tests/bench/run measures proxies against: two sockets a client, edge-triggered epoll, one
// read and one write for what comes, no look at it. Nothing of it is part of pgteller.
//
//   forwarder PORT SERVER-HOST SERVER-PORT THREADS
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace {

struct side {
  int socket = -1;
  side* other = nullptr;
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "forwarder: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

sockaddr_in at(const char* host, const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  if (::inet_pton(AF_INET, host, &address.sin_addr) != 1) fail(host);
  return address;
}

int listen_at(const char* port) {
  const sockaddr_in address = at("127.0.0.1", port);
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(made, 1000) != 0) fail("listen");
  return made;
}

void watch(int epoll, side& one) {
  const int on = 1;
  ::setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event what{};
  what.events = EPOLLIN | EPOLLET;
  what.data.ptr = &one;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, one.socket, &what) != 0) fail("epoll_ctl");
}

// Whoever ends takes the other with it; only the two words of memory are left to the end of the process,
// since another event of the same turn may point to them.
void carry(side& from, std::vector<char>& buffer) {
  if (from.socket < 0) return;
  const ssize_t size = ::recv(from.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size > 0 &&
      ::send(from.other->socket, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size) {
    return;
  }
  for (side* const each : {&from, from.other}) ::close(std::exchange(each->socket, -1));
}

void run(int epoll) {
  std::vector<char> buffer(64U << 10U);
  std::array<epoll_event, 128> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      carry(*static_cast<side*>(events[static_cast<std::size_t>(i)].data.ptr), buffer);
    }
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::fputs("usage: forwarder PORT SERVER-HOST SERVER-PORT THREADS\n", stderr);
    return 2;
  }
  const int listening = listen_at(words[1]);
  const sockaddr_in server = at(words[2], words[3]);
  std::vector<int> epolls(static_cast<std::size_t>(std::atoi(words[4])));
  for (int& each : epolls) {
    each = ::epoll_create1(0);
    std::thread(run, each).detach();
  }
  for (std::size_t next = 0;; ++next) {
    auto* const client = new side{::accept(listening, nullptr, nullptr)};
    auto* const other = new side{::socket(AF_INET, SOCK_STREAM, 0), client};
    client->other = other;
    if (::connect(other->socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
      fail("connect");
    watch(epolls[next % epolls.size()], *client);
    watch(epolls[next % epolls.size()], *other);
  }
}
