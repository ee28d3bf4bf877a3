// Turns C++ text into text of the same shape that holds code only, so that checks are not misled by words in
// comments and literals. Refuses to know what the code means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace house {

/// The text with comments, literals and preprocessor lines blanked; every line break stays where it was.
/// A string literal keeps its quotes. An unterminated literal or comment blanks the rest.
[[nodiscard]] std::string code_only(std::string_view text);

/// The lines of a text, without their line breaks.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace house
