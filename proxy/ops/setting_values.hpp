// The small languages inside configuration strings: durations, exact decimals, SQL names.
// Knows nothing of TOML, of files, or of which key a value stands under.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace proxy::ops {

/// A value, or what is wrong with the text and what to write instead.
template <class T>
struct parsed {
  std::optional<T> value;
  std::string problem;  // empty where there is a value
};

/// "500ms", "5s", "1m", or "0". Whole numbers only; at most 24 hours.
[[nodiscard]] parsed<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text of the same form: "500ms", "5s", "1m", "0".
[[nodiscard]] std::string to_text(std::chrono::milliseconds);

/// Digits, with an optional sign and fraction; no exponent. The result has no plus sign and no leading zeros;
/// the fraction stays as written. At most 200 characters.
[[nodiscard]] parsed<std::string> parse_decimal(std::string_view text);

/// Exact comparison of two results of parse_decimal(), whatever their length.
[[nodiscard]] std::strong_ordering compare_decimals(std::string_view left, std::string_view right) noexcept;

/// A table as the catalog stores it. An empty schema means any.
struct relation_name {
  std::string schema;
  std::string table;

  friend bool operator==(const relation_name&, const relation_name&) = default;
};

/// `[schema.]table`, each part plain or in double quotes. Plain parts are folded to lower case as PostgreSQL
/// does (ASCII letters only); a part is at most 63 bytes, PostgreSQL's NAMEDATALEN - 1.
[[nodiscard]] parsed<relation_name> parse_relation_name(std::string_view text);

/// One name under the same rules.
[[nodiscard]] parsed<std::string> parse_name(std::string_view text);

/// The name as SQL writes it: quoted unless it would read back the same without quotes. Keywords are not
/// considered, so the result is for people and for this file's own parsers.
[[nodiscard]] std::string display_name(std::string_view name);

}  // namespace proxy::ops
