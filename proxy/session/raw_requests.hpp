// The requests in a client's bytes that pass without being cut into messages, since no rule concerns it.
// Looks at tags and lengths only.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "proxy/session/reply_ledger.hpp"

namespace proxy::session {

class raw_requests {
 public:
  /// Bytes of the client's, in order; the first begin a message. Each request is expected to be answered, and
  /// may commit.
  void feed(std::string_view bytes, reply_ledger& ledger);

  /// More of a message is to come.
  [[nodiscard]] bool inside_message() const noexcept { return part_ > 0 || body_ > 0; }
  /// Terminate is the last whole message.
  [[nodiscard]] bool terminated() const noexcept { return terminated_; }

 private:
  [[nodiscard]] std::size_t looked_at() const noexcept;
  void begin_message(reply_ledger& ledger);

  // Tag, length, and of a Describe whether it is of a statement.
  std::array<char, 6> head_{};
  std::size_t part_ = 0;  // bytes of it that have come
  std::size_t body_ = 0;  // bytes to come behind it
  bool terminated_ = false;
};

}  // namespace proxy::session
