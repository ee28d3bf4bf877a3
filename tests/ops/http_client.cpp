#include "tests/ops/http_client.hpp"

#include <array>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace proxy::ops {

http_client::http_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

http_client::~http_client() {
  ::close(socket_);
}

bool http_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool http_client::read_some(std::chrono::milliseconds patience, std::string& into) {
  pollfd watched{socket_, POLLIN, 0};
  if (patience.count() <= 0 || ::poll(&watched, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 4096> room{};
  const auto size = ::recv(socket_, room.data(), room.size(), 0);
  closed_ = size <= 0;
  if (size > 0) into.append(room.data(), static_cast<std::size_t>(size));
  return size > 0;
}

std::string http_client::read_all(std::chrono::milliseconds patience) {
  return read_until(std::string_view("\0never", 6), patience);
}

std::string http_client::read_until(std::string_view text, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string all;
  while (all.find(text) == std::string::npos) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (!read_some(left, all)) break;
  }
  return all;
}

std::string http_exchange(std::uint16_t port, std::string_view bytes) {
  http_client client(port);
  EXPECT_TRUE(client.send(bytes));
  return client.read_all();
}

}  // namespace proxy::ops
