#include "protocol/framer.hpp"

#include <algorithm>
#include <utility>

namespace protocol {

piece framer::next_slow() {
  if (broken()) return {piece_kind::broken, {}, 0};
  if (carry_at_ < carry_.size()) return next_carried();
  return streaming_ > 0 ? stream(fed_) : cut(fed_);
}

piece framer::next_carried() {
  if (streaming_ == 0) complete_carry();
  std::string_view from = carried();
  const piece taken = streaming_ > 0 ? stream(from) : cut(from);
  if (taken.kind == piece_kind::broken) return taken;  // the carry is gone
  const std::size_t used = carried().size() - from.size();
  carry_at_ += used;
  if (used > 0) carry_viewed_ = true;
  return taken;
}

std::string_view framer::carried() const noexcept {
  return std::string_view(carry_.data(), carry_.size()).substr(carry_at_);
}

std::string framer::peek(std::size_t most) const {
  std::string bytes(carried().substr(0, most));
  bytes.append(fed_.substr(0, most - bytes.size()));
  return bytes;
}

/// Moves just the bytes that the first carried message lacks from the feed, so that the rest needs no copy.
void framer::complete_carry() {
  std::size_t have = carry_.size() - carry_at_;
  if (have < header_size) {
    grow_carry(std::min(header_size - have, fed_.size()));
    have = carry_.size() - carry_at_;
    if (have < header_size) return;
  }
  const char* header = carry_.data() + carry_at_;
  const std::uint32_t body = load_u32(header + 1) - 4;
  const std::uint32_t limit = limits_->of(*header);
  if (body > max_body_size || have >= body + header_size) return;
  const std::size_t missing = body + header_size - have;
  const bool hold = limit == 0 ? missing <= fed_.size() : body <= limit;
  if (hold) grow_carry(std::min(missing, fed_.size()));
}

void framer::grow_carry(std::size_t count) {
  if (count == 0) return;
  if (carry_viewed_) {
    // Moving the vector keeps its buffer, so the views stay. What is copied is less than one message, and the
    // new carry has no views, so that this happens once between two settles.
    spent_ = std::move(carry_);
    carry_.assign(spent_.begin() + static_cast<std::ptrdiff_t>(carry_at_), spent_.end());
    carry_at_ = 0;
    carry_viewed_ = false;
  }
  carry_.insert(carry_.end(), fed_.begin(), fed_.begin() + count);
  fed_.remove_prefix(count);
}

piece framer::cut(std::string_view& from) {
  if (from.size() < header_size) return {};
  const std::uint32_t length = load_u32(from.data() + 1);
  if (length < 4) return fail("message length below 4");
  const std::uint32_t body = length - 4;
  if (body > max_body_size) return fail("message length above 1 GiB");
  const char tag = from[0];
  const std::uint32_t limit = limits_->of(tag);
  const bool complete = from.size() >= body + header_size;
  const bool small = limit == 0 ? complete : body <= limit;
  if (small) return complete ? take_whole(from, body) : piece{};
  // A large message ends with a tail also if it is all there; then its head is the header alone.
  const std::string_view wire = from.substr(0, complete ? header_size : from.size());
  from.remove_prefix(wire.size());
  streaming_tag_ = tag;
  streaming_size_ = body;
  streaming_ = body - static_cast<std::uint32_t>(wire.size() - header_size);
  return {piece_kind::head, {tag, wire.substr(header_size), wire}, body};
}

piece framer::stream(std::string_view& from) {
  if (from.empty()) return {};
  const std::string_view bytes = from.substr(0, std::min<std::size_t>(streaming_, from.size()));
  from.remove_prefix(bytes.size());
  streaming_ -= static_cast<std::uint32_t>(bytes.size());
  return {
      streaming_ == 0 ? piece_kind::tail : piece_kind::part, {streaming_tag_, bytes, bytes}, streaming_size_};
}

piece framer::fail(std::string_view reason) {
  broken_reason_ = reason;
  fed_ = {};
  // Pieces taken before may still point into the carry; it is freed by settle().
  carry_at_ = carry_.size();
  return {piece_kind::broken, {}, 0};
}

void framer::settle_slow() {
  spent_ = {};
  carry_viewed_ = false;
  if (carry_at_ == carry_.size()) {
    if (fed_.empty()) {
      if (carry_.capacity() > 0) carry_ = {};
    } else {
      carry_ = std::vector<char>(fed_.begin(), fed_.end());
    }
    carry_at_ = 0;
    fed_ = {};
    return;
  }
  // Moved to the front only when at least as much was taken as is left: linear over the life of the bytes.
  if (carry_at_ >= carry_.size() - carry_at_) {
    carry_ = std::vector<char>(carry_.begin() + static_cast<std::ptrdiff_t>(carry_at_), carry_.end());
    carry_at_ = 0;
  }
  carry_.insert(carry_.end(), fed_.begin(), fed_.end());
  fed_ = {};
}

}  // namespace protocol
