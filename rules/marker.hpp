// The text by which a prelude's failed check is known in PostgreSQL's error message, written and read here
// alone. Knows nothing of SQLSTATEs or of who gets to see the error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rules {

/// Checks that are not one of prelude::checks.
inline constexpr std::uint16_t changed_row = 60000;  // a guarded column differs from what was read
inline constexpr std::uint16_t gone_row = 60001;     // the row that was read is not there any more
inline constexpr std::uint16_t unread_row = 60002;  // on_blind_write = "reject", and the row is not on record
inline constexpr std::uint16_t duplicate_key = 60003;  // [[once]]: the key is already there

/// What a check raised: `pgteller/<rule>/<check>/<key>/<old value>/`.
struct raised {
  std::uint16_t rule = 0;            // index into rule_book::rules()
  std::uint16_t check = 0;           // index into prelude::checks, or one of the above
  std::string key;                   // the row's key as text, columns joined by ","
  std::optional<std::string> value;  // the guarded column before the write; only where values may be logged

  friend bool operator==(const raised&, const raised&) = default;
};

/// Finds the marker in an error's primary message, whatever language and quotes surround it.
/// Nothing if there is none or it is damaged.
[[nodiscard]] std::optional<raised> parse_marker(std::string_view error_message);

/// An SQL expression of type text: the marker for check `check`. `key` and `value` are SQL expressions of
/// type text, not null; `value` may be empty. In a key `/` is written as `!1` and `!` as `!0`.
[[nodiscard]] std::string marker_sql(std::uint16_t rule, std::size_t check, std::string_view key,
                                     std::string_view value);

}  // namespace rules
