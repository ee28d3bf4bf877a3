#include "tests/e2e/wire.hpp"

#include <functional>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/trace.hpp"
#include "tests/e2e/child.hpp"

namespace e2e {

wire::wire(const std::string& host, int port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &to.sin_addr);
  const void* address = &to;
  if (connect(socket_, static_cast<const sockaddr*>(address), sizeof to) != 0) {
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

wire::~wire() {
  if (socket_ >= 0) ::close(socket_);
}

void wire::send(std::string_view bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::size_t size = piece == 0 ? bytes.size() : std::min(piece, bytes.size());
    const ssize_t sent = ::send(socket_, bytes.data(), size, MSG_NOSIGNAL);
    if (sent < 0) return;  // the peer is gone: reading tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void wire::end_sending() {
  shutdown(socket_, SHUT_WR);
}

void wire::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

bool wire::fill() {
  if (closed_) return false;
  if (at_ > (1U << 20U)) {
    got_.erase(0, at_);
    at_ = 0;
  }
  pollfd waiting{socket_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0) return false;
  const std::size_t had = got_.size();
  constexpr std::size_t more = 256U << 10U;
  got_.resize(had + more);
  const ssize_t received = recv(socket_, got_.data() + had, more, 0);
  got_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
  closed_ = received <= 0;
  return received > 0;
}

bool wire::start(const std::string& database, const std::string& more_options) {
  std::string body = u32(196608) + "user" + '\0' + "postgres" + '\0' + "database" + '\0' + database + '\0';
  body += more_options + '\0';
  send(u32(static_cast<std::uint32_t>(body.size() + 4)) + body);
  greeting_ = messages(1);
  return !greeting_.empty() && greeting_.back()[0] == 'Z';
}

std::string wire::message() {
  for (;;) {
    const std::size_t have = got_.size() - at_;
    if (have >= 5) {
      std::size_t size = 0;
      for (std::size_t i = 1; i <= 4; ++i) size = size << 8U | static_cast<unsigned char>(got_[at_ + i]);
      if (have >= size + 1) {
        at_ += size + 1;
        return got_.substr(at_ - size - 1, size + 1);
      }
    }
    if (!fill()) return {};
  }
}

std::vector<std::string> wire::messages(int count, std::string_view stop) {
  std::vector<std::string> all;
  for (std::string next = message(); !next.empty(); next = message()) {
    all.push_back(next);
    if (next[0] == 'Z' && --count == 0) break;
    if (stop.find(next[0]) != std::string_view::npos) break;
  }
  return all;
}

std::string wire::bytes() {
  if (at_ == got_.size() && !fill()) return {};
  std::string some = got_.substr(at_);
  got_.clear();
  at_ = 0;
  return some;
}

std::string wire::read_to_end() {
  while (fill()) {
  }
  return got_.substr(at_);
}

std::string u32(std::uint32_t number) {
  return u16(number >> 16U) + u16(number & 0xffffU);
}

std::string u16(std::uint32_t number) {
  return {static_cast<char>(number >> 8U & 0xffU), static_cast<char>(number & 0xffU)};
}

std::string frame(char tag, std::string_view body) {
  return tag + u32(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

std::string query(std::string_view sql) {
  return frame('Q', std::string(sql) + '\0');
}

std::string parse(std::string_view name, std::string_view sql) {
  return frame('P', std::string(name) + '\0' + std::string(sql) + '\0' + u16(0));
}

std::string bind(std::string_view portal, std::string_view statement, const std::vector<std::string>& values,
                 int format) {
  std::string body = std::string(portal) + '\0' + std::string(statement) + '\0';
  body += u16(1) + u16(static_cast<std::uint32_t>(format)) + u16(static_cast<std::uint32_t>(values.size()));
  for (const std::string& each : values) body += u32(static_cast<std::uint32_t>(each.size())) + each;
  return frame('B', body + u16(0));
}

std::string describe(char kind, std::string_view name) {
  return frame('D', kind + std::string(name) + '\0');
}

std::string close(char kind, std::string_view name) {
  return frame('C', kind + std::string(name) + '\0');
}

std::string execute(std::string_view portal, std::uint32_t rows) {
  return frame('E', std::string(portal) + '\0' + u32(rows));
}

std::string sync() {
  return frame('S', "");
}

std::string flush() {
  return frame('H', "");
}

std::string shown(const std::string& message) {
  if (message.size() > 2000) {
    return std::string(1, message[0]) + " of " + std::to_string(message.size()) + " bytes, hash " +
           std::to_string(std::hash<std::string>{}(message));
  }
  const std::string_view all = message;
  return protocol::to_text({all[0], all.substr(5), all}, protocol::direction::from_server);
}

std::string error_field(const std::string& message, char code) {
  if (message.empty() || message[0] != 'E') return {};
  for (std::size_t at = 5; at < message.size() && message[at] != 0;) {
    const std::size_t end = message.find('\0', at);
    if (end == std::string::npos) return {};
    if (message[at] == code) return message.substr(at + 1, end - at - 1);
    at = end + 1;
  }
  return {};
}

}  // namespace e2e
