#include "proxy/session/raw_requests.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "protocol/frame.hpp"

namespace proxy::session {
namespace {

namespace tag = protocol::frontend_tag;

std::optional<request> request_of(char which, char kind) {
  switch (which) {
    case tag::query:
      return request::query;
    case tag::function_call:
      return request::function_call;
    case tag::parse:
      return request::parse;
    case tag::bind:
      return request::bind;
    case tag::describe:
      return kind == 'S' ? request::describe_statement : request::describe_portal;
    case tag::execute:
      return request::execute;
    case tag::close:
      return request::close;
    case tag::sync:
      return request::sync;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::size_t raw_requests::looked_at() const noexcept {
  return head_[0] == tag::describe ? head_.size() : protocol::header_size;
}

void raw_requests::feed(std::string_view bytes, reply_ledger& ledger) {
  while (!bytes.empty()) {
    if (body_ > 0) {
      const std::size_t some = std::min(body_, bytes.size());
      body_ -= some;
      bytes.remove_prefix(some);
      continue;
    }
    if (part_ == 0) head_[0] = bytes[0];  // it tells how much is looked at
    const std::size_t some = std::min(looked_at() - part_, bytes.size());
    std::memcpy(head_.data() + part_, bytes.data(), some);
    part_ += some;
    bytes.remove_prefix(some);
    if (part_ == looked_at()) begin_message(ledger);
  }
}

void raw_requests::begin_message(reply_ledger& ledger) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < protocol::header_size; ++i) {
    length = length << 8U | static_cast<unsigned char>(head_[i]);
  }
  // The length counts itself. A shorter one the server refuses, and that is the end of the connection.
  const std::size_t seen = part_ - 1;
  body_ = length > seen ? length - seen : 0;
  part_ = 0;
  terminated_ = head_[0] == tag::terminate;
  if (head_[0] == tag::copy_done || head_[0] == tag::copy_fail) ledger.copy_ended();
  const auto what = request_of(head_[0], head_[5]);
  if (!what) return;
  if (*what == request::execute || *what == request::query || *what == request::function_call)
    ledger.commits_next();
  static_cast<void>(ledger.expect({.what = *what}));
}

}  // namespace proxy::session
