// What one text does to the meaning of others: whether it may run from a statement that was prepared before,
// and whether others still may behind it. Knows words, no grammar; what it does not know counts as a change.
#pragma once

#include <cstdint>
#include <string_view>

namespace proxy::session {

enum class repetition : std::uint8_t {
  repeats,  // one statement, prepared once it does the same as parsed anew
  passes,   // not worth keeping, or read otherwise each time; leaves the others as they were
  changes,  // may change how texts are read, what names in them mean, or free prepared statements
};

/// Linear, allocates nothing. `standard_strings`: standard_conforming_strings is on.
[[nodiscard]] repetition repetition_of(std::string_view sql, bool standard_strings) noexcept;

/// Whether it is `changes`; quicker where one look tells that it is not.
[[nodiscard]] bool changes_meanings(std::string_view sql, bool standard_strings) noexcept;

}  // namespace proxy::session
