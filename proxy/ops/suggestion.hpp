// Spelling help for people: which known word was probably meant, and a written word made safe to show.
// Knows nothing of where the words come from.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace proxy::ops {

/// The word of `known` that is so near to `word` that it was probably meant, or empty. Words above 64 bytes
/// have no neighbours: the comparison is quadratic.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// "; did you mean X?", or empty.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

/// The text in double quotes, control characters replaced, cut after 60 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace proxy::ops
