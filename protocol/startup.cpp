#include "protocol/startup.hpp"

#include <utility>

#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace protocol {

namespace {

// "The cancel request code. The value is chosen to contain 1234 in the most significant 16 bits, and 5678 in
// the least significant 16 bits. (To avoid confusion, this code must not be the same as any protocol version
// number.)"
constexpr std::uint16_t request_major = 1234;
constexpr std::uint16_t cancel_minor = 5678;
constexpr std::uint16_t ssl_minor = 5679;
constexpr std::uint16_t gssenc_minor = 5680;

startup_packet broken(std::string_view reason) {
  startup_packet packet;
  packet.kind = startup_kind::broken;
  packet.reason = reason;
  return packet;
}

startup_packet read_request(startup_packet packet, reader& in) {
  switch (packet.minor) {
    case ssl_minor:
      packet.kind = startup_kind::ssl_request;
      break;
    case gssenc_minor:
      packet.kind = startup_kind::gssenc_request;
      break;
    case cancel_minor:
      packet.kind = startup_kind::cancel_request;
      packet.process_id = in.u32();
      packet.key = in.rest();
      if (packet.key.size() < min_cancel_key_size || packet.key.size() > max_cancel_key_size) {
        return broken("cancel request with a key of impossible length");
      }
      break;
    default:
      return packet;  // a version nobody speaks; the caller refuses it
  }
  if (!in.complete()) return broken("encryption request of wrong length");
  return packet;
}

startup_packet read_parameters(startup_packet packet, reader& in) {
  while (true) {
    const std::string_view name = in.c_string();
    if (!in.ok()) return broken("startup packet without a terminator");
    if (name.empty()) break;
    const std::string_view value = in.c_string();
    if (!in.ok()) return broken("startup parameter without a value");
    packet.parameters.emplace_back(name, value);
  }
  if (!in.at_end()) return broken("startup packet with bytes after its terminator");
  return packet;
}

}  // namespace

std::optional<std::string_view> startup_packet::parameter(std::string_view name) const noexcept {
  for (auto at = parameters.rbegin(); at != parameters.rend(); ++at) {
    if (at->first == name) return at->second;
  }
  return std::nullopt;
}

startup_packet read_startup(std::string_view bytes) {
  if (bytes.size() < 4) return {};
  const std::uint32_t length = load_u32(bytes.data());
  if (length < 8) return broken("startup packet length below 8");
  if (length > max_startup_size) return broken("startup packet length above 10,000");
  if (bytes.size() < length) return {};

  startup_packet packet;
  packet.kind = startup_kind::startup_message;
  packet.wire = bytes.substr(0, length);
  reader in(packet.wire.substr(4));
  packet.major = in.u16();
  packet.minor = in.u16();
  if (packet.major == request_major) return read_request(std::move(packet), in);
  if (packet.major != 3) return packet;
  return read_parameters(std::move(packet), in);
}

bool encode_startup_message(std::uint16_t major, std::uint16_t minor,
                            std::span<const startup_parameter> parameters, std::string& out) {
  writer to(out, max_startup_size - 4);
  to.begin_untagged();
  to.u16(major);
  to.u16(minor);
  for (const auto& [name, value] : parameters) {
    if (name.empty()) to.fail();
    to.c_string(name);
    to.c_string(value);
  }
  to.u8(0);
  return to.end();
}

bool encode_cancel_request(std::uint32_t process_id, std::string_view key, std::string& out) {
  if (key.size() < min_cancel_key_size || key.size() > max_cancel_key_size) return false;
  writer to(out);
  to.begin_untagged();
  to.u16(request_major);
  to.u16(cancel_minor);
  to.u32(process_id);
  to.bytes(key);
  return to.end();
}

}  // namespace protocol
