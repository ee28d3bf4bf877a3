// Numbers as PostgreSQL writes them: the binary form of numeric, shortest floats, and one decimal form for
// every spelling. Knows no types' OIDs and no SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxy::session {

/// numeric_send's bytes as numeric_out writes them: "-12.50", "NaN", "Infinity". At most 147,456 characters.
/// Nothing if numeric_recv would refuse them.
[[nodiscard]] std::optional<std::string> numeric_text(std::string_view bytes);

/// As float4out and float8out write it with extra_float_digits = 1 (the default), save that a neighbour's
/// edge may be taken where it is shorter, above 2^53 only.
[[nodiscard]] std::string shortest(float number);
[[nodiscard]] std::string shortest(double number);

/// A number as numeric_in reads it (spaces, sign, exponent), without sign of plus, leading zeros, trailing
/// zeros of the fraction and exponent: "-12.5", "0", "NaN", "-Infinity". Nothing if it is none, or its
/// exponent is beyond ±1000.
[[nodiscard]] std::optional<std::string> decimal_form(std::string_view text);

/// All of `text` as a decimal integer.
[[nodiscard]] std::optional<std::int64_t> int64_in(std::string_view text);

/// Without white space around it, as isspace has it in PostgreSQL's input functions.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace proxy::session
