// What of a statement stays the same from run to run: a fingerprint of its text without the constants in it.
// Looks at tokens only; knows nothing of what the statement does.
#pragma once

#include <cstdint>

#include "rules/clauses.hpp"

namespace rules {

/// 64-bit FNV-1a over the tokens of one statement. Strings, numbers (with their sign) and parameters count as
/// the same constant, lists of constants in IN (…) and ARRAY[…] as one, unquoted words regardless of case.
/// Never 0.
[[nodiscard]] std::uint64_t shape_of(const token_text& text, token_range statement) noexcept;

/// The highest k of all $k in the statement; 0 without parameters. Beyond 65535 PostgreSQL refuses it.
[[nodiscard]] std::uint16_t highest_parameter(const token_text& text, token_range statement) noexcept;

}  // namespace rules
