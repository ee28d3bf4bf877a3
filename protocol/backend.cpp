#include "protocol/backend.hpp"

#include "protocol/reader.hpp"
#include "protocol/startup.hpp"
#include "protocol/writer.hpp"

namespace protocol::backend {

namespace {

bool cancel_key_size_possible(std::string_view key) noexcept {
  return key.size() >= min_cancel_key_size && key.size() <= max_cancel_key_size;
}

}  // namespace

std::optional<string_list> authentication_view::mechanisms() const noexcept {
  // Strings up to an empty one; each string is one more item.
  std::size_t count = 0;
  reader probe(payload);
  while (!probe.c_string().empty()) ++count;
  if (!probe.complete()) return std::nullopt;
  reader in(payload);
  return string_list::read(in, count);
}

field field_item::read(reader& in) noexcept {
  field made;
  made.name = in.c_string();
  made.table = in.u32();
  made.column = in.i16();
  made.type = in.u32();
  made.type_size = in.i16();
  made.type_modifier = in.i32();
  made.format = in.i16();
  return made;
}

std::optional<authentication_view> decode_authentication(std::string_view body) noexcept {
  reader in(body);
  authentication_view view;
  view.kind = static_cast<authentication_kind>(in.u32());
  view.payload = in.rest();
  if (!in.complete()) return std::nullopt;
  return view;
}

std::optional<key_data_view> decode_backend_key_data(std::string_view body) noexcept {
  reader in(body);
  key_data_view view;
  view.process_id = in.u32();
  view.key = in.rest();
  if (!in.complete() || !cancel_key_size_possible(view.key)) return std::nullopt;
  return view;
}

std::optional<parameter_status_view> decode_parameter_status(std::string_view body) noexcept {
  reader in(body);
  parameter_status_view view;
  view.name = in.c_string();
  view.value = in.c_string();
  if (!in.complete()) return std::nullopt;
  return view;
}

std::optional<transaction_status> decode_ready_for_query(std::string_view body) noexcept {
  if (body.size() != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E')) return std::nullopt;
  return static_cast<transaction_status>(body[0]);
}

std::optional<field_list> decode_row_description(std::string_view body) noexcept {
  reader in(body);
  const field_list fields = field_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return fields;
}

std::optional<value_list> decode_data_row(std::string_view body) noexcept {
  reader in(body);
  const value_list values = value_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return values;
}

std::optional<std::string_view> decode_command_complete(std::string_view body) noexcept {
  reader in(body);
  const std::string_view command_tag = in.c_string();
  if (!in.complete()) return std::nullopt;
  return command_tag;
}

std::optional<u32_list> decode_parameter_description(std::string_view body) noexcept {
  reader in(body);
  const u32_list types = u32_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return types;
}

std::optional<copy_view> decode_copy_response(std::string_view body) noexcept {
  reader in(body);
  copy_view view;
  view.format = in.u8();
  view.column_formats = i16_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return view;
}

std::optional<std::optional<std::string_view>> decode_function_call_response(std::string_view body) noexcept {
  reader in(body);
  const std::optional<std::string_view> value = in.value();
  if (!in.complete()) return std::nullopt;
  return std::make_optional(value);
}

std::optional<version_view> decode_negotiate_protocol_version(std::string_view body) noexcept {
  reader in(body);
  version_view view;
  view.newest = in.u32();
  const std::uint32_t count = in.u32();
  view.unknown_options = string_list::read(in, count);
  if (!in.complete()) return std::nullopt;
  return view;
}

std::optional<notification_view> decode_notification(std::string_view body) noexcept {
  reader in(body);
  notification_view view;
  view.process_id = in.u32();
  view.channel = in.c_string();
  view.payload = in.c_string();
  if (!in.complete()) return std::nullopt;
  return view;
}

bool encode_authentication(authentication_kind kind, std::string_view payload, std::string& out) {
  writer to(out);
  to.begin(backend_tag::authentication);
  to.u32(static_cast<std::uint32_t>(kind));
  to.bytes(payload);
  return to.end();
}

bool encode_authentication_sasl(std::span<const std::string_view> mechanisms, std::string& out) {
  writer to(out);
  to.begin(backend_tag::authentication);
  to.u32(static_cast<std::uint32_t>(authentication_kind::sasl));
  for (const std::string_view mechanism : mechanisms) {
    if (mechanism.empty()) to.fail();
    to.c_string(mechanism);
  }
  to.u8(0);
  return to.end();
}

bool encode_backend_key_data(std::uint32_t process_id, std::string_view key, std::string& out) {
  writer to(out);
  to.begin(backend_tag::backend_key_data);
  if (!cancel_key_size_possible(key)) to.fail();
  to.u32(process_id);
  to.bytes(key);
  return to.end();
}

bool encode_parameter_status(std::string_view name, std::string_view value, std::string& out) {
  writer to(out);
  to.begin(backend_tag::parameter_status);
  to.c_string(name);
  to.c_string(value);
  return to.end();
}

bool encode_ready_for_query(transaction_status status, std::string& out) {
  writer to(out);
  to.begin(backend_tag::ready_for_query);
  to.u8(static_cast<std::uint8_t>(status));
  return to.end();
}

bool encode_row_description(std::span<const field> fields, std::string& out) {
  writer to(out);
  to.begin(backend_tag::row_description);
  to.count(fields.size());
  for (const field& one : fields) {
    to.c_string(one.name);
    to.u32(one.table);
    to.i16(one.column);
    to.u32(one.type);
    to.i16(one.type_size);
    to.i32(one.type_modifier);
    to.i16(one.format);
  }
  return to.end();
}

bool encode_data_row(std::span<const std::optional<std::string_view>> values, std::string& out) {
  writer to(out);
  to.begin(backend_tag::data_row);
  to.count(values.size());
  for (const auto& value : values) to.value(value);
  return to.end();
}

bool encode_command_complete(std::string_view command_tag, std::string& out) {
  writer to(out);
  to.begin(backend_tag::command_complete);
  to.c_string(command_tag);
  return to.end();
}

bool encode_parameter_description(std::span<const std::uint32_t> types, std::string& out) {
  writer to(out);
  to.begin(backend_tag::parameter_description);
  to.count(types.size());
  for (const std::uint32_t type : types) to.u32(type);
  return to.end();
}

bool encode_copy_response(char tag, std::uint8_t format, std::span<const std::int16_t> column_formats,
                          std::string& out) {
  writer to(out);
  to.begin(tag);
  to.u8(format);
  to.count(column_formats.size());
  for (const std::int16_t one : column_formats) to.i16(one);
  return to.end();
}

bool encode_copy_data(std::string_view data, std::string& out) {
  writer to(out);
  to.begin(backend_tag::copy_data);
  to.bytes(data);
  return to.end();
}

bool encode_function_call_response(std::optional<std::string_view> value, std::string& out) {
  writer to(out);
  to.begin(backend_tag::function_call_response);
  to.value(value);
  return to.end();
}

bool encode_negotiate_protocol_version(std::uint32_t newest,
                                       std::span<const std::string_view> unknown_options, std::string& out) {
  writer to(out);
  to.begin(backend_tag::negotiate_protocol_version);
  to.u32(newest);
  to.u32(static_cast<std::uint32_t>(unknown_options.size()));
  for (const std::string_view option : unknown_options) to.c_string(option);
  return to.end();
}

bool encode_notification(std::uint32_t process_id, std::string_view channel, std::string_view payload,
                         std::string& out) {
  writer to(out);
  to.begin(backend_tag::notification_response);
  to.u32(process_id);
  to.c_string(channel);
  to.c_string(payload);
  return to.end();
}

}  // namespace protocol::backend
