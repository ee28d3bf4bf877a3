#include "proxy/session/raw_requests.hpp"

#include <algorithm>
#include <cstring>

#include "protocol/frame.hpp"

namespace proxy::session {

void raw_requests::feed(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (body_ > 0) {
      const std::size_t some = std::min(body_, bytes.size());
      body_ -= some;
      bytes.remove_prefix(some);
      continue;
    }
    const std::size_t some = std::min(sizeof(header_) - part_, bytes.size());
    std::memcpy(header_ + part_, bytes.data(), some);
    part_ = static_cast<std::uint8_t>(part_ + some);
    bytes.remove_prefix(some);
    if (part_ == sizeof(header_)) on_header();
  }
}

void raw_requests::on_header() noexcept {
  namespace tag = protocol::frontend_tag;
  part_ = 0;
  std::size_t length = 0;
  for (std::size_t i = 1; i < sizeof(header_); ++i) {
    length = length << 8U | static_cast<unsigned char>(header_[i]);
  }
  // The length counts itself. A shorter one the server refuses, and that is the end of the connection.
  constexpr std::size_t own = 4;
  body_ = length > own ? length - own : 0;
  terminated_ = header_[0] == tag::terminate;
  switch (header_[0]) {
    case tag::sync:
    case tag::query:
    case tag::function_call:
      ++owed_;
      open_ = false;
      return;
    case tag::parse:
    case tag::bind:
    case tag::describe:
    case tag::execute:
    case tag::close:
      open_ = true;
      return;
    default:
      return;
  }
}

void raw_requests::answered() noexcept {
  if (doubted_) {
    owed_ = 0;
  } else if (owed_ > 0) {
    --owed_;
  }
  doubted_ = false;
}

}  // namespace proxy::session
