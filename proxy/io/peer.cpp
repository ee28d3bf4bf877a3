#include "proxy/io/peer.hpp"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace proxy::io {

namespace asio = boost::asio;

peer::peer(stream_socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  tune(socket_);
}

void peer::accept_tls(const ops::tls_context& context, bool direct) {
  tls_ = std::make_unique<tls_stream>(tls_stream::accepting(context, socket_.native_handle(), direct));
}

void peer::connect_tls(const ops::tls_context& context, const std::string& host, bool verify_host) {
  tls_ = std::make_unique<tls_stream>(
      tls_stream::connecting(context, socket_.native_handle(), host, verify_host));
}

bool peer::begins_with_tls() {
  constexpr char handshake_record = 0x16;
  char first = 0;
  error_code error;
  const std::size_t got = socket_.receive(asio::buffer(&first, 1), asio::socket_base::message_peek, error);
  return !error && got == 1 && first == handshake_record;
}

transfer peer::read(std::span<char> into) {
  if (tls_) return tls_->read(into);
  transfer result;
  result.bytes = socket_.read_some(asio::buffer(into.data(), into.size()), result.error);
  if (result.error == asio::error::would_block || result.error == asio::error::try_again) {
    result.blocked = true;
    result.error = {};
  } else if (result.error == asio::error::eof) {
    result.ended = true;
    result.error = {};
  }
  return result;
}

error_code peer::write_tls(const session::channel& bytes) {
  for (const std::string_view part : {bytes.owned(), bytes.borrowed()}) {
    error_code error;
    const std::size_t done = pending() == 0 ? tls_->write(part, error) : 0;
    if (error) return error;
    pending_.append(part.substr(done));
  }
  return {};
}

error_code peer::write(const session::channel& bytes) {
  if (tls_) return write_tls(bytes);
  std::array<std::string_view, 2> parts{bytes.owned(), bytes.borrowed()};
  if (pending() == 0) {
    const std::array<asio::const_buffer, 2> gather{asio::buffer(parts[0]), asio::buffer(parts[1])};
    error_code error;
    std::size_t written = socket_.write_some(gather, error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) return error;
    for (std::string_view& part : parts) {
      const std::size_t done = std::min(written, part.size());
      part.remove_prefix(done);
      written -= done;
    }
  }
  for (const std::string_view part : parts) pending_.append(part);
  return {};
}

/// A part of them, or none if nothing is taken now.
std::size_t peer::send(std::string_view bytes, error_code& error) {
  if (tls_) return tls_->write(bytes, error);
  const std::size_t done = socket_.write_some(asio::buffer(bytes), error);
  if (error == asio::error::would_block || error == asio::error::try_again) error = {};
  return error ? 0 : done;
}

error_code peer::flush() {
  while (pending() > 0) {
    error_code error;
    const std::size_t done = send(std::string_view(pending_).substr(pending_at_), error);
    if (error || done == 0) return error;
    pending_at_ += done;
  }
  pending_ = {};  // an idle connection keeps no memory
  pending_at_ = 0;
  return {};
}

void peer::end_sending() {
  error_code ignored;
  if (tls_) tls_->end_sending();
  socket_.shutdown(stream_socket::shutdown_send, ignored);
}

void peer::close() noexcept {
  error_code ignored;
  if (tls_ && pending() == 0 && socket_.is_open()) tls_->end_sending();
  socket_.close(ignored);
}

void tune(stream_socket& socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

std::string address_of(const stream_socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  const int family = error ? AF_UNSPEC : endpoint.protocol().family();
  if (family != AF_INET && family != AF_INET6) return "local";
  asio::ip::tcp::endpoint tcp;
  tcp.resize(endpoint.size());
  std::copy_n(reinterpret_cast<const char*>(endpoint.data()), endpoint.size(),
              reinterpret_cast<char*>(tcp.data()));
  return tcp.address().to_string() + ":" + std::to_string(tcp.port());
}

}  // namespace proxy::io
