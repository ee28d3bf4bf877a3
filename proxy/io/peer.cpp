#include "proxy/io/peer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace proxy::io {
namespace {

bool blocked() {
  return errno == EAGAIN || errno == EWOULDBLOCK;  // EINTR is for calls that sleep
}

error_code last_error() {
  return {errno, boost::system::system_category()};
}

/// No delay and keep-alive, where the socket is TCP. Failures do not matter.
void tune(int socket) {
  const int on = 1;
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
}

/// Both, with one system call. -1: see errno.
ssize_t send_both(int socket, std::string_view first, std::string_view second) {
  if (first.empty()) return ::send(socket, second.data(), second.size(), MSG_NOSIGNAL);
  if (second.empty()) return ::send(socket, first.data(), first.size(), MSG_NOSIGNAL);
  std::array<iovec, 2> parts{iovec{const_cast<char*>(first.data()), first.size()},
                             iovec{const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

peer::peer(int socket) : socket_(socket) {
  static_cast<void>(::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK));
  tune(socket);
}

peer::peer(peer&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      ready_(std::move(other.ready_)),
      tls_(std::move(other.tls_)),
      pending_(std::move(other.pending_)),
      pending_at_(std::exchange(other.pending_at_, 0)) {}

void peer::watch(event_loop& loop, std::function<void()> changed) {
  if (ready_) return ready_->on_change(std::move(changed));
  ready_ = loop.watch(socket_, std::move(changed));
}

bool peer::readable() const noexcept {
  if (!ready_) return false;
  if (ready_->readable()) return true;
  return tls_ && (tls_->has_more() || (tls_->read_wants_write() && ready_->has_room()));
}

/// TLS may have to read before it can write.
bool peer::has_room() const noexcept {
  return pending() > 0 && (ready_->has_room() || tls_);
}

void peer::accept_tls(const ops::tls_context& context, bool direct) {
  tls_ = std::make_unique<tls_stream>(tls_stream::accepting(context, socket_, direct));
}

void peer::connect_tls(const ops::tls_context& context, const std::string& host, bool verify_host) {
  tls_ = std::make_unique<tls_stream>(tls_stream::connecting(context, socket_, host, verify_host));
}

handshake_state peer::handshake() {
  const handshake_state state = tls_->handshake();
  ready_->want_room(state == handshake_state::wants_write);
  return state;
}

std::optional<char> peer::peek() const {
  char first = 0;
  if (::recv(socket_, &first, 1, MSG_PEEK) != 1) return std::nullopt;
  return first;
}

transfer peer::read_plain(std::span<char> into) const {
  transfer result;
  const ssize_t got = ::recv(socket_, into.data(), into.size(), 0);
  if (got > 0) {
    result.bytes = static_cast<std::size_t>(got);
    result.bottom = result.bytes < into.size();
  } else if (got == 0) {
    result.ended = true;
  } else if (blocked()) {
    result.blocked = result.bottom = true;
  } else {
    result.error = last_error();
  }
  return result;
}

transfer peer::read(std::span<char> into) {
  const transfer got = tls_ ? tls_->read(into) : read_plain(into);
  if (got.bottom) ready_->at_bottom(got.blocked || tls_);
  if (tls_ && tls_->read_wants_write()) ready_->want_room(true);
  return got;
}

void peer::keep(std::string_view bytes) {
  if (bytes.empty()) return;
  if (pending() == 0) ready_->want_room(true);
  pending_.append(bytes);
}

error_code peer::write_tls(const session::channel& bytes) {
  for (const std::string_view part : {bytes.owned(), bytes.borrowed()}) {
    error_code error;
    const std::size_t done = pending() == 0 ? tls_->write(part, error) : 0;
    if (error) return error;
    keep(part.substr(done));
  }
  return {};
}

error_code peer::write(const session::channel& bytes) {
  if (tls_) return write_tls(bytes);
  std::array<std::string_view, 2> parts{bytes.owned(), bytes.borrowed()};
  if (pending() == 0) {
    const ssize_t sent = send_both(socket_, parts[0], parts[1]);
    if (sent < 0 && !blocked()) return last_error();
    std::size_t written = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    for (std::string_view& part : parts) {
      const std::size_t done = std::min(written, part.size());
      part.remove_prefix(done);
      written -= done;
    }
  }
  for (const std::string_view part : parts) keep(part);
  return {};
}

/// A part of them, or none if nothing is taken now.
std::size_t peer::send(std::string_view bytes, error_code& error) {
  if (tls_) return tls_->write(bytes, error);
  const ssize_t done = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (done >= 0) return static_cast<std::size_t>(done);
  if (!blocked()) error = last_error();
  return 0;
}

error_code peer::flush() {
  while (pending() > 0) {
    error_code error;
    const std::size_t done = send(std::string_view(pending_).substr(pending_at_), error);
    if (error || done == 0) {
      ready_->want_room(!error);
      return error;
    }
    pending_at_ += done;
  }
  pending_ = {};  // an idle connection keeps no memory
  pending_at_ = 0;
  ready_->want_room(false);
  return {};
}

void peer::end_sending() {
  if (tls_) tls_->end_sending();
  static_cast<void>(::shutdown(socket_, SHUT_WR));
}

void peer::close() noexcept {
  if (socket_ < 0) return;
  if (tls_ && pending() == 0) tls_->end_sending();
  ready_.reset();
  ::close(std::exchange(socket_, -1));
}

std::string address_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "local";
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return "local";
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host.data(), host.size(), port.data(),
                    port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "local";
  }
  return std::string(host.data()) + ":" + port.data();
}

}  // namespace proxy::io
