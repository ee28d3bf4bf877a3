// Money as a whole number of cents, and its text as PostgreSQL's numeric(12,2) writes it.
// Knows nothing of accounts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace race {

using cents = std::int64_t;

/// "-3.25" for -325.
[[nodiscard]] std::string to_text(cents amount);

/// "12,345.00": for people.
[[nodiscard]] std::string to_grouped_text(cents amount);

/// -325 for "-3.25", 300 for "3". Text that is no decimal number gives what could be read of it.
[[nodiscard]] cents to_cents(std::string_view text);

}  // namespace race
