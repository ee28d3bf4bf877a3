// Owns a bounded cursor over borrowed bytes, with big-endian numbers, counted bytes and zero-terminated
// strings. It refuses to know messages; its first error sticks and every later read gives nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

/// The big-endian number at `at`, which must have that many bytes.
[[nodiscard]] constexpr std::uint16_t load_u16(const char* at) noexcept {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(at[0]) << 8) |
                                    static_cast<unsigned char>(at[1]));
}
[[nodiscard]] constexpr std::uint32_t load_u32(const char* at) noexcept {
  return (static_cast<std::uint32_t>(load_u16(at)) << 16) | load_u16(at + 2);
}

/// Reads from front to back. After a failure ok() is false and all reads give 0 or empty.
class reader {
 public:
  constexpr reader() noexcept = default;
  explicit constexpr reader(std::string_view bytes) noexcept : left_(bytes) {}

  [[nodiscard]] constexpr std::uint8_t u8() noexcept {
    const char* at = take(1);
    return at ? static_cast<std::uint8_t>(*at) : std::uint8_t{0};
  }
  [[nodiscard]] constexpr std::uint16_t u16() noexcept {
    const char* at = take(2);
    return at ? load_u16(at) : std::uint16_t{0};
  }
  [[nodiscard]] constexpr std::uint32_t u32() noexcept {
    const char* at = take(4);
    return at ? load_u32(at) : 0;
  }
  [[nodiscard]] constexpr std::int16_t i16() noexcept { return static_cast<std::int16_t>(u16()); }
  [[nodiscard]] constexpr std::int32_t i32() noexcept { return static_cast<std::int32_t>(u32()); }

  [[nodiscard]] constexpr std::string_view bytes(std::size_t count) noexcept {
    const char* at = take(count);
    return at ? std::string_view(at, count) : std::string_view{};
  }

  /// Up to the next zero byte, which is consumed and not returned. Fails if there is none.
  [[nodiscard]] constexpr std::string_view c_string() noexcept {
    const std::size_t end = left_.find('\0');
    if (end == std::string_view::npos) {
      fail();
      return {};
    }
    const std::string_view text = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return text;
  }

  /// A value as Bind and DataRow carry it: Int32 length, -1 for NULL, then the bytes. Other negatives fail.
  [[nodiscard]] constexpr std::optional<std::string_view> value() noexcept {
    const std::int32_t size = i32();
    if (size == -1) return std::nullopt;
    if (size < 0) {
      fail();
      return std::nullopt;
    }
    return bytes(static_cast<std::size_t>(size));
  }

  /// Everything not read yet; consumes it.
  [[nodiscard]] constexpr std::string_view rest() noexcept {
    const std::string_view all = left_;
    left_ = {};
    return all;
  }

  /// What is left, without consuming it.
  [[nodiscard]] constexpr std::string_view left() const noexcept { return left_; }
  [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
  [[nodiscard]] constexpr bool at_end() const noexcept { return left_.empty(); }

  /// Read to the end and without an error: what a complete decoder asks last.
  [[nodiscard]] constexpr bool complete() const noexcept { return ok_ && left_.empty(); }

  /// For a caller that found the value it read to be invalid.
  constexpr void fail() noexcept {
    ok_ = false;
    left_ = {};
  }

 private:
  constexpr const char* take(std::size_t count) noexcept {
    if (!ok_ || count > left_.size()) {
      fail();
      return nullptr;
    }
    const char* at = left_.data();
    left_.remove_prefix(count);
    return at;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace protocol
