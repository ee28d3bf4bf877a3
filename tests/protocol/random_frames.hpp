// Owns random messages for property tests: frames of every kind that decode, and bytes that may not.
// It refuses to know what is asserted about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame.hpp"

namespace protocol::test {

/// Without zero bytes.
[[nodiscard]] std::string any_text();
/// With all bytes.
[[nodiscard]] std::string any_bytes();
[[nodiscard]] std::vector<std::optional<std::string>> any_values();
[[nodiscard]] std::vector<std::optional<std::string_view>> views(
    const std::vector<std::optional<std::string>>& values);

/// A valid frame of any kind of that direction.
[[nodiscard]] std::string any_frame(direction from);

/// The view of a buffer that is one frame.
[[nodiscard]] frame_view as_frame(std::string_view wire);

}  // namespace protocol::test
