// Owns the layout of the server's messages: a view and a decoder, and an encoder, for each except errors and
// notices. It refuses to know when a message may come; decoders take the body, encoders append a whole frame.
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
// more than 65535 list items, a body above max_body_size. ErrorResponse and NoticeResponse are in
// error_fields.hpp.
namespace protocol::backend {

/// The messages that have no body, complete.
inline constexpr std::string_view bind_complete_frame{"2\0\0\0\4", 5};
inline constexpr std::string_view close_complete_frame{"3\0\0\0\4", 5};
inline constexpr std::string_view copy_done_frame{"c\0\0\0\4", 5};
inline constexpr std::string_view empty_query_response_frame{"I\0\0\0\4", 5};
inline constexpr std::string_view no_data_frame{"n\0\0\0\4", 5};
inline constexpr std::string_view parse_complete_frame{"1\0\0\0\4", 5};
inline constexpr std::string_view portal_suspended_frame{"s\0\0\0\4", 5};

/// The kinds of Authentication message, by the manual's numbers; others exist and pass.
enum class authentication_kind : std::uint32_t {
  ok = 0,                  // authentication succeeded
  cleartext_password = 3,  // asks for a password
  md5_password = 5,        // asks for a hash; payload: 4 bytes of salt
  sasl = 10,               // payload: list of mechanisms
  sasl_continue = 11,      // payload: challenge
  sasl_final = 12,         // payload: outcome
};

/// Transaction status in ReadyForQuery.
enum class transaction_status : char {
  idle = 'I',      // no transaction block
  in_block = 'T',  // in a transaction block
  failed = 'E',    // in a failed block: only its end is accepted
};

struct authentication_view {
  authentication_kind kind = authentication_kind::ok;
  std::string_view payload;

  /// The mechanisms of kind sasl; nullopt if the payload is no such list.
  [[nodiscard]] std::optional<string_list> mechanisms() const noexcept;
};

struct key_data_view {
  std::uint32_t process_id = 0;
  std::string_view key;  // 4 to 256 bytes
};

struct parameter_status_view {
  std::string_view name;
  std::string_view value;
};

struct field {
  std::string_view name;
  std::uint32_t table = 0;  // OID of the table the column stands in, or 0
  std::int16_t column = 0;  // its attribute number there, or 0
  std::uint32_t type = 0;   // OID
  std::int16_t type_size = 0;
  std::int32_t type_modifier = 0;
  std::int16_t format = 0;  // 0 text, 1 binary

  bool operator==(const field&) const = default;
};
struct field_item {
  using type = field;
  static field read(reader& in) noexcept;
};
using field_list = list<field_item>;

struct copy_view {  // CopyInResponse, CopyOutResponse, CopyBothResponse
  std::uint8_t format = 0;
  i16_list column_formats;
};

struct version_view {        // NegotiateProtocolVersion
  std::uint32_t newest = 0;  // as sent; PostgreSQL sends the whole version, 0x00030000 for 3.0
  string_list unknown_options;
};

struct notification_view {
  std::uint32_t process_id = 0;
  std::string_view channel;
  std::string_view payload;
};

[[nodiscard]] std::optional<authentication_view> decode_authentication(std::string_view body) noexcept;
[[nodiscard]] std::optional<key_data_view> decode_backend_key_data(std::string_view body) noexcept;
[[nodiscard]] std::optional<parameter_status_view> decode_parameter_status(std::string_view body) noexcept;
/// The status; nullopt if it is none of the three letters.
[[nodiscard]] std::optional<transaction_status> decode_ready_for_query(std::string_view body) noexcept;
[[nodiscard]] std::optional<field_list> decode_row_description(std::string_view body) noexcept;
[[nodiscard]] std::optional<value_list> decode_data_row(std::string_view body) noexcept;
/// The command tag, e.g. "UPDATE 1".
[[nodiscard]] std::optional<std::string_view> decode_command_complete(std::string_view body) noexcept;
/// The type OIDs of a ParameterDescription.
[[nodiscard]] std::optional<u32_list> decode_parameter_description(std::string_view body) noexcept;
[[nodiscard]] std::optional<copy_view> decode_copy_response(std::string_view body) noexcept;
/// The outer optional is the decoding, the inner one NULL.
[[nodiscard]] std::optional<std::optional<std::string_view>> decode_function_call_response(
    std::string_view body) noexcept;
[[nodiscard]] std::optional<version_view> decode_negotiate_protocol_version(std::string_view body) noexcept;
[[nodiscard]] std::optional<notification_view> decode_notification(std::string_view body) noexcept;

[[nodiscard]] bool encode_authentication(authentication_kind kind, std::string_view payload,
                                         std::string& out);
[[nodiscard]] bool encode_authentication_sasl(std::span<const std::string_view> mechanisms, std::string& out);
[[nodiscard]] bool encode_backend_key_data(std::uint32_t process_id, std::string_view key, std::string& out);
[[nodiscard]] bool encode_parameter_status(std::string_view name, std::string_view value, std::string& out);
[[nodiscard]] bool encode_ready_for_query(transaction_status status, std::string& out);
[[nodiscard]] bool encode_row_description(std::span<const field> fields, std::string& out);
[[nodiscard]] bool encode_data_row(std::span<const std::optional<std::string_view>> values, std::string& out);
[[nodiscard]] bool encode_command_complete(std::string_view command_tag, std::string& out);
[[nodiscard]] bool encode_parameter_description(std::span<const std::uint32_t> types, std::string& out);
/// `tag` is one of backend_tag::copy_in_response, copy_out_response, copy_both_response.
[[nodiscard]] bool encode_copy_response(char tag, std::uint8_t format,
                                        std::span<const std::int16_t> column_formats, std::string& out);
[[nodiscard]] bool encode_copy_data(std::string_view data, std::string& out);
[[nodiscard]] bool encode_function_call_response(std::optional<std::string_view> value, std::string& out);
[[nodiscard]] bool encode_negotiate_protocol_version(std::uint32_t newest,
                                                     std::span<const std::string_view> unknown_options,
                                                     std::string& out);
[[nodiscard]] bool encode_notification(std::uint32_t process_id, std::string_view channel,
                                       std::string_view payload, std::string& out);

}  // namespace protocol::backend
