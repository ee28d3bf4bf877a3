// Owns what every message of protocol 3 has in common: tag, length, body, and the names of the tags.
// It refuses to know what a body means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace protocol {

/// Tag and length word: the bytes in front of every body.
inline constexpr std::size_t header_size = 5;

/// The largest body, in bytes. PostgreSQL builds messages in memory of at most MaxAllocSize (0x3fffffff)
/// bytes, whichever the type; its own smaller limits per type are left for it to enforce.
inline constexpr std::uint32_t max_body_size = 0x3fffffff;

/// Borrowed bytes of one message. `wire` is what forwarding appends: tag, length and body.
struct frame_view {
  char tag = 0;
  std::string_view body;
  std::string_view wire;
};

/// Who sent a message; the same tag means different messages by direction.
enum class direction : std::uint8_t {
  from_client,  // a frontend message
  from_server,  // a backend message
};

namespace frontend_tag {
inline constexpr char bind = 'B';
inline constexpr char close = 'C';
inline constexpr char copy_data = 'd';
inline constexpr char copy_done = 'c';
inline constexpr char copy_fail = 'f';
inline constexpr char describe = 'D';
inline constexpr char execute = 'E';
inline constexpr char flush = 'H';
inline constexpr char function_call = 'F';
inline constexpr char parse = 'P';
inline constexpr char password = 'p';  // also SASLInitialResponse, SASLResponse and GSSResponse
inline constexpr char query = 'Q';
inline constexpr char sync = 'S';
inline constexpr char terminate = 'X';
}  // namespace frontend_tag

namespace backend_tag {
inline constexpr char authentication = 'R';
inline constexpr char backend_key_data = 'K';
inline constexpr char bind_complete = '2';
inline constexpr char close_complete = '3';
inline constexpr char command_complete = 'C';
inline constexpr char copy_both_response = 'W';
inline constexpr char copy_data = 'd';
inline constexpr char copy_done = 'c';
inline constexpr char copy_in_response = 'G';
inline constexpr char copy_out_response = 'H';
inline constexpr char data_row = 'D';
inline constexpr char empty_query_response = 'I';
inline constexpr char error_response = 'E';
inline constexpr char function_call_response = 'V';
inline constexpr char negotiate_protocol_version = 'v';
inline constexpr char no_data = 'n';
inline constexpr char notice_response = 'N';
inline constexpr char notification_response = 'A';
inline constexpr char parameter_description = 't';
inline constexpr char parameter_status = 'S';
inline constexpr char parse_complete = '1';
inline constexpr char portal_suspended = 's';
inline constexpr char ready_for_query = 'Z';
inline constexpr char row_description = 'T';
}  // namespace backend_tag

/// The manual's name of a message, e.g. "Parse"; empty if the tag is unknown in that direction. The tag 'p'
/// is "PasswordMessage", whatever it carries.
[[nodiscard]] std::string_view message_name(char tag, direction from) noexcept;

}  // namespace protocol
