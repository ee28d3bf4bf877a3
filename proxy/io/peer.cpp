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

peer::transfer peer::read(std::span<char> into) {
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

error_code peer::write(const session::channel& bytes) {
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

error_code peer::flush() {
  while (pending() > 0) {
    error_code error;
    const auto left = asio::buffer(pending_.data() + pending_at_, pending());
    pending_at_ += socket_.write_some(left, error);
    if (error == asio::error::would_block || error == asio::error::try_again) return {};
    if (error) return error;
  }
  pending_ = {};  // an idle connection keeps no memory
  pending_at_ = 0;
  return {};
}

void peer::end_sending() {
  error_code ignored;
  socket_.shutdown(stream_socket::shutdown_send, ignored);
}

void peer::close() noexcept {
  error_code ignored;
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
