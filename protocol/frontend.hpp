// Owns the layout of the client's messages: a view and a decoder, and an encoder, for each.
// It refuses to know when a message may be sent; decoders take the body, encoders append a whole frame.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/frame.hpp"
#include "protocol/lists.hpp"

// All decoders give nullopt if the body is not exactly such a message, trailing bytes included; views point
// into the body. All encoders append one frame, or append nothing and return false: a zero byte in a string,
// more than 65535 list items, a body above max_body_size.
namespace protocol::frontend {

/// The messages that have no body, complete.
inline constexpr std::string_view sync_frame{"S\0\0\0\4", 5};
inline constexpr std::string_view flush_frame{"H\0\0\0\4", 5};
inline constexpr std::string_view terminate_frame{"X\0\0\0\4", 5};
inline constexpr std::string_view copy_done_frame{"c\0\0\0\4", 5};

/// What Describe and Close name.
enum class target_kind : char {
  statement = 'S',  // a prepared statement
  portal = 'P',     // a portal
};

struct parse_view {
  std::string_view statement;  // name; empty is the unnamed statement
  std::string_view sql;
  u32_list types;  // type OIDs of the first parameters; 0 leaves one to the server
};

struct bind_view {
  std::string_view portal;
  std::string_view statement;
  i16_list formats;
  value_list values;
  i16_list result_formats;

  /// Format code (0 text, 1 binary) of parameter `index`, counted from 0.
  [[nodiscard]] std::int16_t format(std::size_t index) const noexcept { return format_of(formats, index); }
  /// Value of parameter `index`, which must be below values.size(); nullopt is NULL. Walks there.
  [[nodiscard]] std::optional<std::string_view> value(std::size_t index) const noexcept {
    return values[index];
  }
};

struct target_view {  // Describe, Close
  target_kind kind = target_kind::statement;
  std::string_view name;
};

struct execute_view {
  std::string_view portal;
  std::int32_t max_rows = 0;  // 0: all
};

struct function_call_view {
  std::uint32_t function = 0;  // OID
  i16_list formats;
  value_list values;
  std::int16_t result_format = 0;
};

struct sasl_initial_view {
  std::string_view mechanism;
  std::optional<std::string_view> response;
};

/// The SQL of a Query.
[[nodiscard]] std::optional<std::string_view> decode_query(std::string_view body) noexcept;
[[nodiscard]] std::optional<parse_view> decode_parse(std::string_view body) noexcept;
[[nodiscard]] std::optional<bind_view> decode_bind(std::string_view body) noexcept;
[[nodiscard]] std::optional<target_view> decode_describe(std::string_view body) noexcept;
[[nodiscard]] std::optional<target_view> decode_close(std::string_view body) noexcept;
[[nodiscard]] std::optional<execute_view> decode_execute(std::string_view body) noexcept;
[[nodiscard]] std::optional<function_call_view> decode_function_call(std::string_view body) noexcept;
/// The reason in a CopyFail.
[[nodiscard]] std::optional<std::string_view> decode_copy_fail(std::string_view body) noexcept;
/// The password in a PasswordMessage.
[[nodiscard]] std::optional<std::string_view> decode_password(std::string_view body) noexcept;
[[nodiscard]] std::optional<sasl_initial_view> decode_sasl_initial(std::string_view body) noexcept;

[[nodiscard]] bool encode_query(std::string_view sql, std::string& out);
[[nodiscard]] bool encode_parse(std::string_view statement, std::string_view sql,
                                std::span<const std::uint32_t> types, std::string& out);
[[nodiscard]] bool encode_bind(std::string_view portal, std::string_view statement,
                               std::span<const std::int16_t> formats,
                               std::span<const std::optional<std::string_view>> values,
                               std::span<const std::int16_t> result_formats, std::string& out);
[[nodiscard]] bool encode_describe(target_kind kind, std::string_view name, std::string& out);
[[nodiscard]] bool encode_close(target_kind kind, std::string_view name, std::string& out);
[[nodiscard]] bool encode_execute(std::string_view portal, std::int32_t max_rows, std::string& out);
[[nodiscard]] bool encode_function_call(std::uint32_t function, std::span<const std::int16_t> formats,
                                        std::span<const std::optional<std::string_view>> values,
                                        std::int16_t result_format, std::string& out);
[[nodiscard]] bool encode_copy_data(std::string_view data, std::string& out);
[[nodiscard]] bool encode_copy_fail(std::string_view reason, std::string& out);
[[nodiscard]] bool encode_password(std::string_view password, std::string& out);
[[nodiscard]] bool encode_sasl_initial(std::string_view mechanism, std::optional<std::string_view> response,
                                       std::string& out);
[[nodiscard]] bool encode_sasl_response(std::string_view data, std::string& out);

}  // namespace protocol::frontend
