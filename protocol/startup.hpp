// Owns the packets that open a connection and have no tag: StartupMessage, SSLRequest, GSSENCRequest,
// CancelRequest. It refuses to know what is answered, and which parameters mean anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace protocol {

/// Largest packet in bytes, length word included; PostgreSQL's MAX_STARTUP_PACKET_LENGTH counts the rest.
inline constexpr std::size_t max_startup_size = 10000 + 4;

/// Cancel keys: 4 bytes in protocol 3.0, up to 256 since 3.2.
inline constexpr std::size_t min_cancel_key_size = 4;
inline constexpr std::size_t max_cancel_key_size = 256;

enum class startup_kind : std::uint8_t {
  need_more,        // the packet is not complete yet
  startup_message,  // a version and, if major is 3, parameters
  ssl_request,      // asks for TLS
  gssenc_request,   // asks for GSSAPI encryption
  cancel_request,   // process id and key of the session to cancel
  broken,           // no such packet; see reason
};

using startup_parameter = std::pair<std::string_view, std::string_view>;

/// A decoded packet; views into the bytes given. Bytes after `wire` are not looked at: after an SSLRequest
/// there must be none (CVE-2021-23214), which is for the caller to check.
struct startup_packet {
  startup_kind kind = startup_kind::need_more;
  std::string_view wire;
  std::uint16_t major = 0;  // of a startup_message; other majors than 3 are not decoded further
  std::uint16_t minor = 0;
  std::vector<startup_parameter> parameters;  // in the order sent, duplicates kept, `_pq_.` options included
  std::uint32_t process_id = 0;               // of a cancel_request
  std::string_view key;                       // of a cancel_request
  std::string_view reason;                    // why broken; static text

  /// A parameter's value; of duplicates the last, which is the one PostgreSQL uses.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

/// Reads the packet at the front of all bytes received so far. Call again with more bytes on need_more; at
/// most max_startup_size bytes are ever asked for, and an impossible length is refused as soon as it is
/// there.
[[nodiscard]] startup_packet read_startup(std::string_view bytes);

/// Appends a StartupMessage. False, and nothing appended, if a name is empty, a string has a zero byte, or
/// the packet would exceed max_startup_size.
[[nodiscard]] bool encode_startup_message(std::uint16_t major, std::uint16_t minor,
                                          std::span<const startup_parameter> parameters, std::string& out);

/// Appends a CancelRequest. False, and nothing appended, if the key's size is not possible.
[[nodiscard]] bool encode_cancel_request(std::uint32_t process_id, std::string_view key, std::string& out);

/// The complete packets of the two requests that carry nothing.
inline constexpr std::string_view ssl_request_packet{"\0\0\0\x08\x04\xd2\x16\x2f", 8};
inline constexpr std::string_view gssenc_request_packet{"\0\0\0\x08\x04\xd2\x16\x30", 8};

}  // namespace protocol
