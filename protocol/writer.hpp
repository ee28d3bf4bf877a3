// Owns the building of frames at the end of a string: numbers, strings, and the length written in afterwards.
// It refuses to know messages, to truncate anything, and to leave half a frame behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/frame.hpp"

namespace protocol {

/// Appends frames to a string. The first refusal sticks: end() then takes the frame back and returns false.
/// Refused are a body above the limit, a zero byte in a c-string, and a count above 65535.
class writer {
 public:
  explicit writer(std::string& out, std::uint32_t max_body = max_body_size) noexcept
      : out_(out), max_body_(max_body), start_(out.size()), body_(out.size()) {}

  /// Opens a frame. One at a time; each needs its end().
  void begin(char tag);
  /// Opens a startup packet, which has no tag.
  void begin_untagged();
  /// Writes the length in and closes the frame; false if anything in it was refused, and then it is gone.
  [[nodiscard]] bool end();

  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void i16(std::int16_t value) { u16(static_cast<std::uint16_t>(value)); }
  void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
  void bytes(std::string_view value);
  void c_string(std::string_view value);
  /// Int32 length and bytes, or -1 for NULL.
  void value(std::optional<std::string_view> value);
  /// The Int16 in front of a list; PostgreSQL reads it unsigned.
  void count(std::size_t items);

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// For a caller that finds a value it may not write.
  void fail() noexcept { ok_ = false; }

 private:
  [[nodiscard]] bool fits(std::size_t size) noexcept;

  std::string& out_;
  std::uint32_t max_body_;
  std::size_t start_;  // where the open frame begins
  std::size_t body_;   // where its body begins; the length word is the four bytes before
  bool ok_ = true;
};

}  // namespace protocol
