#include "protocol/trace.hpp"
#include "protocol/trace_quote.hpp"

namespace protocol {

namespace {

using trace::cursor;

bool is_plain_name(std::string_view name) {
  cursor in(name);
  return !name.empty() && name[0] != ' ' && in.word() == name;
}

std::optional<std::string> read_startup_message(cursor& in) {
  // "3.0" is one word for the cursor.
  cursor version(in.word());
  const auto major = version.number<std::uint16_t>();
  version.expect(".");
  const auto minor = version.number<std::uint16_t>();
  if (!version.complete()) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> owned;
  while (in.ok() && !in.at_end()) {
    std::string name = in.next_is('"') ? in.quoted() : std::string(in.word());
    in.expect("=");
    owned.emplace_back(std::move(name), in.quoted());
  }
  const std::vector<startup_parameter> parameters(owned.begin(), owned.end());
  std::string out;
  if (!in.ok() || !encode_startup_message(major, minor, parameters, out)) return std::nullopt;
  return out;
}

std::optional<std::string> read_cancel_request(cursor& in) {
  const auto process_id = in.number<std::uint32_t>();
  const std::string key = in.quoted();
  std::string out;
  if (!encode_cancel_request(process_id, key, out)) return std::nullopt;
  return out;
}

}  // namespace

std::string startup_to_text(const startup_packet& packet) {
  switch (packet.kind) {
    case startup_kind::need_more:
      return "Broken incomplete";
    case startup_kind::broken:
      return "Broken " + std::string(packet.reason);
    case startup_kind::ssl_request:
      return "SSLRequest";
    case startup_kind::gssenc_request:
      return "GSSENCRequest";
    case startup_kind::cancel_request: {
      std::string text = "CancelRequest " + std::to_string(packet.process_id) + ' ';
      trace::append_quoted(packet.key, text);
      return text;
    }
    case startup_kind::startup_message:
      break;
  }
  if (packet.major != 3) {
    std::string text = "Bytes ";
    trace::append_quoted(packet.wire, text);
    return text;
  }
  std::string text = "StartupMessage " + std::to_string(packet.major) + '.' + std::to_string(packet.minor);
  for (const auto& [name, value] : packet.parameters) {
    text += ' ';
    if (is_plain_name(name)) {
      text += name;
    } else {
      trace::append_quoted(name, text);
    }
    text += '=';
    trace::append_quoted(value, text);
  }
  return text;
}

std::optional<std::string> startup_from_text(std::string_view line) {
  cursor in(line);
  const std::string_view name = in.word();
  std::optional<std::string> out;
  if (name == "StartupMessage") out = read_startup_message(in);
  if (name == "CancelRequest") out = read_cancel_request(in);
  if (name == "SSLRequest") out = std::string(ssl_request_packet);
  if (name == "GSSENCRequest") out = std::string(gssenc_request_packet);
  if (name == "Bytes") out = in.quoted();
  if (!in.complete()) return std::nullopt;
  return out;
}

}  // namespace protocol
