#include "protocol/writer.hpp"

namespace protocol {

namespace {

void append_u32(std::string& out, std::uint32_t value) {
  const char word[4] = {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                        static_cast<char>(value >> 8), static_cast<char>(value)};
  out.append(word, sizeof word);
}

}  // namespace

void writer::begin(char tag) {
  start_ = out_.size();
  out_.push_back(tag);
  append_u32(out_, 0);
  body_ = out_.size();
}

void writer::begin_untagged() {
  start_ = out_.size();
  append_u32(out_, 0);
  body_ = out_.size();
}

bool writer::end() {
  if (!ok_) {
    out_.resize(start_);
    return false;
  }
  // fits() kept the body within max_body_, so the sum is far from wrapping.
  const std::uint32_t length = static_cast<std::uint32_t>(out_.size() - body_) + 4;
  for (std::size_t i = 0; i < 4; ++i) out_[body_ - 4 + i] = static_cast<char>(length >> (24 - 8 * i));
  return true;
}

bool writer::fits(std::size_t size) noexcept {
  const std::size_t used = out_.size() - body_;
  if (ok_ && size > max_body_ - used) ok_ = false;
  return ok_;
}

void writer::u8(std::uint8_t value) {
  if (fits(1)) out_.push_back(static_cast<char>(value));
}

void writer::u16(std::uint16_t value) {
  if (!fits(2)) return;
  out_.push_back(static_cast<char>(value >> 8));
  out_.push_back(static_cast<char>(value));
}

void writer::u32(std::uint32_t value) {
  if (fits(4)) append_u32(out_, value);
}

void writer::bytes(std::string_view value) {
  if (fits(value.size())) out_.append(value);
}

void writer::c_string(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) fail();
  if (!fits(value.size() + 1)) return;
  out_.append(value);
  out_.push_back('\0');
}

void writer::value(std::optional<std::string_view> value) {
  if (!value) {
    i32(-1);
    return;
  }
  if (!fits(value->size())) return;
  u32(static_cast<std::uint32_t>(value->size()));
  bytes(*value);
}

void writer::count(std::size_t items) {
  if (items > UINT16_MAX) fail();
  u16(static_cast<std::uint16_t>(items));
}

}  // namespace protocol
