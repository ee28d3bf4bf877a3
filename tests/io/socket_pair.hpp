// Two connected sockets, one of them for a peer, the other for the test. Refuses to know what is said over
// them.
#pragma once

#include <string>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "proxy/io/peer.hpp"

namespace io_test {

class socket_pair {
 public:
  socket_pair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) != 0) ends_[0] = ends_[1] = -1;
  }
  ~socket_pair() {
    hang_up();
    if (ends_[0] >= 0) ::close(ends_[0]);
  }
  socket_pair(const socket_pair&) = delete;
  socket_pair& operator=(const socket_pair&) = delete;

  /// Once: who takes it closes it.
  [[nodiscard]] int take() { return std::exchange(ends_[0], -1); }

  [[nodiscard]] bool say(const std::string& bytes) const {
    return ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// What has arrived, up to `most` bytes.
  [[nodiscard]] std::string hear(std::size_t most) const {
    std::string bytes(most, '\0');
    const ssize_t got = ::recv(ends_[1], bytes.data(), most, MSG_DONTWAIT);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }
  void end_sending() const { ::shutdown(ends_[1], SHUT_WR); }
  void hang_up() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }

 private:
  int ends_[2];
};

}  // namespace io_test
