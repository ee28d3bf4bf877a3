// Owns the cutting of a byte stream into messages, at any chunking, whole where they are small and streamed
// where large. It refuses to know startup packets (they have no tag), which tags exist, and what a body
// means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame.hpp"
#include "protocol/reader.hpp"

namespace protocol {

enum class piece_kind : std::uint8_t {
  need_more,  // nothing to take until more bytes are fed
  whole,      // a complete message
  head,       // the first piece of a streamed message: header and maybe some of the body
  part,       // a further piece of it: body bytes only
  tail,       // its last piece, never empty
  broken,     // the stream is no protocol; see broken_reason(). It stays so
};

/// One step of the stream. For head, part and tail `frame.wire` holds the bytes that are there, and
/// `frame.body` those of them that belong to the body; `body_size` is the declared size of the whole body.
struct piece {
  piece_kind kind = piece_kind::need_more;
  frame_view frame;
  std::uint32_t body_size = 0;
};

/// By tag, the largest body in bytes that is delivered whole and held in memory until it is. Larger ones are
/// streamed, however they arrive. 0: never held back; what is there is delivered at once, whole if it is
/// complete.
struct whole_limits {
  std::array<std::uint32_t, 256> bytes{};

  [[nodiscard]] constexpr std::uint32_t of(char tag) const noexcept {
    return bytes[static_cast<unsigned char>(tag)];
  }
  constexpr void set(char tag, std::uint32_t limit) noexcept {
    bytes[static_cast<unsigned char>(tag)] = limit;
  }
};

/// Feed, take pieces with next() until need_more (or stop earlier), settle; again. Time is linear in the
/// bytes, also one byte at a time. Memory is at most what one feed left untaken and one message within its
/// limit.
class framer {
 public:
  /// Keeps a pointer; the limits must outlive the framer or be replaced.
  explicit framer(const whole_limits& limits) noexcept : limits_(&limits) {}
  /// Applies from the next message on, and to one that is being held.
  void set_limits(const whole_limits& limits) noexcept { limits_ = &limits; }

  /// Borrows the bytes until settle(). Settles first if the caller has not. A broken stream takes no more.
  void feed(std::string_view bytes) {
    if (!fed_.empty() || !carry_.empty()) settle();
    if (!broken()) fed_ = bytes;
  }

  /// The next piece. Its views are valid until settle() or feed().
  [[nodiscard]] piece next() {
    if (carry_at_ == carry_.size() && streaming_ == 0 && fed_.size() >= header_size) {
      // A length below 4 wraps around to a body far above the limit.
      const std::uint32_t body = load_u32(fed_.data() + 1) - 4;
      if (body <= max_body_size && body + header_size <= fed_.size()) {
        const std::uint32_t limit = limits_->of(fed_[0]);
        if (limit == 0 || body <= limit) return take_whole(fed_, body);
      }
    }
    return next_slow();
  }

  /// Ends the borrowing: what was not taken moves to own memory; with nothing left, no memory is kept.
  void settle() {
    if (!fed_.empty() || carry_.capacity() > 0 || spent_.capacity() > 0) settle_slow();
  }

  /// Bytes fed and not taken yet, wherever they are kept.
  [[nodiscard]] std::size_t held() const noexcept { return carry_.size() - carry_at_ + fed_.size(); }
  /// A copy of the first `most` of them at most: what the next pieces will be made of.
  [[nodiscard]] std::string peek(std::size_t most) const;
  /// Whether the last piece taken was a head or part, so that its message goes on.
  [[nodiscard]] bool inside_message() const noexcept { return streaming_ != 0; }
  [[nodiscard]] bool broken() const noexcept { return !broken_reason_.empty(); }
  /// Empty unless broken; static text.
  [[nodiscard]] std::string_view broken_reason() const noexcept { return broken_reason_; }

 private:
  static piece take_whole(std::string_view& from, std::uint32_t body) noexcept {
    const std::string_view wire = from.substr(0, body + header_size);
    from.remove_prefix(wire.size());
    return {piece_kind::whole, {wire[0], wire.substr(header_size), wire}, body};
  }

  void settle_slow();
  piece next_slow();
  piece next_carried();
  piece cut(std::string_view& from);
  piece stream(std::string_view& from);
  piece fail(std::string_view reason);
  [[nodiscard]] std::string_view carried() const noexcept;
  void complete_carry();
  void grow_carry(std::size_t count);

  const whole_limits* limits_;
  std::string_view fed_;     // borrowed, not taken yet; follows what is carried
  std::vector<char> carry_;  // own bytes from earlier feeds
  std::size_t carry_at_ = 0;
  std::vector<char> spent_;    // an earlier carry that pieces still point into
  bool carry_viewed_ = false;  // pieces point into carry_, so it must not move
  char streaming_tag_ = 0;
  std::uint32_t streaming_ = 0;  // body bytes still to come of the message being streamed
  std::uint32_t streaming_size_ = 0;
  std::string_view broken_reason_;
};

}  // namespace protocol
