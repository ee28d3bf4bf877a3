// Values as they travel: bytes with a type and a format, and SQL expressions over them. Converts a few common
// types between binary and text; refuses to know what a value is for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frontend.hpp"
#include "rules/plan.hpp"

namespace proxy::session {

/// One value where a message carries it.
struct value_view {
  std::uint32_t type = 0;                 // OID; 0: left to the server
  std::int16_t format = 0;                // 0 text, 1 binary
  std::optional<std::string_view> bytes;  // none: NULL

  friend bool operator==(const value_view&, const value_view&) = default;
};

/// The same, kept.
struct bound_value {
  std::uint32_t type = 0;            // OID; 0: left to the server
  std::int16_t format = 0;           // 0 text, 1 binary
  std::optional<std::string> bytes;  // none: NULL

  operator value_view() const noexcept {  // NOLINT(google-explicit-constructor): as std::string's
    return {type, format, bytes ? std::optional<std::string_view>(*bytes) : std::nullopt};
  }
  friend bool operator==(const bound_value&, const bound_value&) = default;
};

/// What the view sees, to be kept.
[[nodiscard]] bound_value kept(const value_view& value);

/// An SQL expression in pieces: text, and values between them.
struct sql_value {
  struct piece {
    std::string text;                  // comes before `value`
    std::optional<bound_value> value;  // none: text only
    friend bool operator==(const piece&, const piece&) = default;
  };
  std::vector<piece> pieces;

  friend bool operator==(const sql_value&, const sql_value&) = default;
};

/// The value as PostgreSQL's text, where its type is one of smallint, integer, bigint, oid, numeric, real,
/// double precision, boolean, text, varchar, bpchar, name, unknown, uuid or it is text already. Nothing for
/// other types in binary, NULL, and bytes that are no such value. Real and double precision: shortest text
/// that reads back the same.
[[nodiscard]] std::optional<std::string> text_of(const value_view& value);

/// Who spelled a value: the server spells a value of any type in one way, a client as it likes.
enum class speaker : std::uint8_t { client, server };

/// Text by which rows are told apart inside the proxy: like text_of, and in one form where a type has several
/// spellings (integers, numeric, boolean, uuid, bpchar), also where a client's parameter says the key ("007",
/// " 7", "+7" are 7). The value's own type may be 0 or differ from `key_type`, the key column's: a binary
/// integer of another width counts. Nothing if it cannot be told; PostgreSQL then compares. Key columns of
/// other types (dates, enums, domains, real) are told from the server's own values only.
[[nodiscard]] std::optional<std::string> canonical(const value_view& value, std::uint32_t key_type,
                                                   speaker said_by = speaker::client);

/// `CAST(value AS type)`.
[[nodiscard]] sql_value cast(bound_value value, std::string_view type);

/// The value in what cast(value, type) has made, untouched since; else null.
[[nodiscard]] const bound_value* cast_value(const sql_value& made, std::string_view type) noexcept;

/// Both are NULL, or have the same bytes in one format and type, or the same text.
[[nodiscard]] bool same_value(const value_view& one, const value_view& other);

/// The client's expression with the values of its Bind in the places of its parameters (`bind` null: it has
/// none) and `previous` in the place of the column. `types` are those of the client's statement, as far as
/// known. Nothing if a parameter is missing or `previous` is needed and not there.
[[nodiscard]] std::optional<sql_value> evaluate(const rules::sql_expression& expression,
                                                const protocol::frontend::bind_view* bind,
                                                const std::vector<std::uint32_t>& types,
                                                const sql_value* previous);

/// Where the parameters of a hidden statement are collected: types, formats, values, in the order of $1,
/// $2...
struct parameter_list {
  std::vector<bound_value> values;
};

/// SQL text of `value` with its values as parameters appended to `into`.
[[nodiscard]] std::string with_parameters(const sql_value& value, parameter_list& into);

/// SQL text of `value` with its values as constants: numbers and strings quoted so that
/// standard_conforming_strings does not matter, each cast to its type where that is one of those of text_of,
/// else of no type yet. Nothing if a value's type cannot be written as text.
[[nodiscard]] std::optional<std::string> with_constants(const sql_value& value);

}  // namespace proxy::session
