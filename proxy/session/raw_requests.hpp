// Which requests a client has sent that no ReadyForQuery has answered, where its bytes pass without being cut
// into messages: no rule concerns it. Looks at tags and lengths only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxy::session {

class raw_requests {
 public:
  /// Bytes of the client's, in order; the first begin a message.
  void feed(std::string_view bytes) noexcept;
  /// The server has sent ReadyForQuery.
  void answered() noexcept;
  /// The server has sent CopyInResponse: a Sync sent meanwhile is ignored, other messages may be consumed.
  /// The next ReadyForQuery is taken to answer everything.
  void copy_in() noexcept { doubted_ = true; }

  /// Something is owed, or has been sent that no Sync follows yet. True for good where an error made the
  /// server skip a Query in the middle of a batch.
  [[nodiscard]] bool busy() const noexcept { return owed_ > 0 || open_ || part_ > 0 || body_ > 0; }
  /// Terminate is the last whole message.
  [[nodiscard]] bool terminated() const noexcept { return terminated_; }

 private:
  void on_header() noexcept;

  std::size_t owed_ = 0;   // ReadyForQuery messages
  std::size_t body_ = 0;   // bytes to come of the message
  char header_[5] = {};    // tag and length, as far as they have come
  std::uint8_t part_ = 0;  // bytes of the header that have come
  bool open_ = false;      // a batch without its Sync
  bool doubted_ = false;
  bool terminated_ = false;
};

}  // namespace proxy::session
