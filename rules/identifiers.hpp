// PostgreSQL's rules for names: how one is folded and truncated, and when it must be quoted.
// Knows nothing of what a name refers to.
#pragma once

#include <string>
#include <string_view>

namespace rules {

/// Names are stored in at most 63 bytes (NAMEDATALEN - 1).
inline constexpr std::size_t longest_name = 63;

/// `name` as it can stand in SQL text: quoted unless it is a plain lower-case word that no keyword takes.
[[nodiscard]] std::string quoted_name(std::string_view name);

/// `name` cut to what PostgreSQL stores, never inside a UTF-8 character.
[[nodiscard]] std::string_view stored_name(std::string_view name) noexcept;

/// `text` as a string constant; E'…' where it has a backslash, so that standard_conforming_strings does not
/// matter.
[[nodiscard]] std::string quoted_literal(std::string_view text);

}  // namespace rules
