#include "protocol/frontend.hpp"

#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace protocol::frontend {

namespace {

std::optional<std::string_view> decode_one_string(std::string_view body) noexcept {
  reader in(body);
  const std::string_view text = in.c_string();
  if (!in.complete()) return std::nullopt;
  return text;
}

bool encode_one_string(char tag, std::string_view text, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.c_string(text);
  return to.end();
}

bool encode_raw(char tag, std::string_view bytes, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.bytes(bytes);
  return to.end();
}

std::optional<target_view> decode_target(std::string_view body) noexcept {
  reader in(body);
  const char kind = static_cast<char>(in.u8());
  target_view target;
  target.kind = static_cast<target_kind>(kind);
  target.name = in.c_string();
  if (!in.complete() || (kind != 'S' && kind != 'P')) return std::nullopt;
  return target;
}

bool encode_target(char tag, target_kind kind, std::string_view name, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.u8(static_cast<std::uint8_t>(kind));
  to.c_string(name);
  return to.end();
}

void write_formats(writer& to, std::span<const std::int16_t> formats) {
  to.count(formats.size());
  for (const std::int16_t format : formats) to.i16(format);
}

void write_values(writer& to, std::span<const std::optional<std::string_view>> values) {
  to.count(values.size());
  for (const auto& value : values) to.value(value);
}

}  // namespace

std::optional<std::string_view> decode_query(std::string_view body) noexcept {
  return decode_one_string(body);
}

std::optional<parse_view> decode_parse(std::string_view body) noexcept {
  reader in(body);
  parse_view parse;
  parse.statement = in.c_string();
  parse.sql = in.c_string();
  parse.types = u32_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return parse;
}

std::optional<bind_view> decode_bind(std::string_view body) noexcept {
  reader in(body);
  bind_view bind;
  bind.portal = in.c_string();
  bind.statement = in.c_string();
  bind.formats = i16_list::read_counted(in);
  bind.values = value_list::read_counted(in);
  bind.result_formats = i16_list::read_counted(in);
  if (!in.complete()) return std::nullopt;
  return bind;
}

std::optional<target_view> decode_describe(std::string_view body) noexcept {
  return decode_target(body);
}
std::optional<target_view> decode_close(std::string_view body) noexcept {
  return decode_target(body);
}

std::optional<execute_view> decode_execute(std::string_view body) noexcept {
  reader in(body);
  execute_view execute;
  execute.portal = in.c_string();
  execute.max_rows = in.i32();
  if (!in.complete()) return std::nullopt;
  return execute;
}

std::optional<function_call_view> decode_function_call(std::string_view body) noexcept {
  reader in(body);
  function_call_view call;
  call.function = in.u32();
  call.formats = i16_list::read_counted(in);
  call.values = value_list::read_counted(in);
  call.result_format = in.i16();
  if (!in.complete()) return std::nullopt;
  return call;
}

std::optional<std::string_view> decode_copy_fail(std::string_view body) noexcept {
  return decode_one_string(body);
}

std::optional<std::string_view> decode_password(std::string_view body) noexcept {
  return decode_one_string(body);
}

std::optional<sasl_initial_view> decode_sasl_initial(std::string_view body) noexcept {
  reader in(body);
  sasl_initial_view initial;
  initial.mechanism = in.c_string();
  initial.response = in.value();
  if (!in.complete()) return std::nullopt;
  return initial;
}

bool encode_query(std::string_view sql, std::string& out) {
  return encode_one_string(frontend_tag::query, sql, out);
}

bool encode_parse(std::string_view statement, std::string_view sql, std::span<const std::uint32_t> types,
                  std::string& out) {
  writer to(out);
  to.begin(frontend_tag::parse);
  to.c_string(statement);
  to.c_string(sql);
  to.count(types.size());
  for (const std::uint32_t type : types) to.u32(type);
  return to.end();
}

bool encode_bind(std::string_view portal, std::string_view statement, std::span<const std::int16_t> formats,
                 std::span<const std::optional<std::string_view>> values,
                 std::span<const std::int16_t> result_formats, std::string& out) {
  writer to(out);
  to.begin(frontend_tag::bind);
  to.c_string(portal);
  to.c_string(statement);
  write_formats(to, formats);
  write_values(to, values);
  write_formats(to, result_formats);
  return to.end();
}

bool encode_describe(target_kind kind, std::string_view name, std::string& out) {
  return encode_target(frontend_tag::describe, kind, name, out);
}

bool encode_close(target_kind kind, std::string_view name, std::string& out) {
  return encode_target(frontend_tag::close, kind, name, out);
}

bool encode_execute(std::string_view portal, std::int32_t max_rows, std::string& out) {
  writer to(out);
  to.begin(frontend_tag::execute);
  to.c_string(portal);
  to.i32(max_rows);
  return to.end();
}

bool encode_function_call(std::uint32_t function, std::span<const std::int16_t> formats,
                          std::span<const std::optional<std::string_view>> values, std::int16_t result_format,
                          std::string& out) {
  writer to(out);
  to.begin(frontend_tag::function_call);
  to.u32(function);
  write_formats(to, formats);
  write_values(to, values);
  to.i16(result_format);
  return to.end();
}

bool encode_copy_data(std::string_view data, std::string& out) {
  return encode_raw(frontend_tag::copy_data, data, out);
}

bool encode_copy_fail(std::string_view reason, std::string& out) {
  return encode_one_string(frontend_tag::copy_fail, reason, out);
}

bool encode_password(std::string_view password, std::string& out) {
  return encode_one_string(frontend_tag::password, password, out);
}

bool encode_sasl_initial(std::string_view mechanism, std::optional<std::string_view> response,
                         std::string& out) {
  writer to(out);
  to.begin(frontend_tag::password);
  to.c_string(mechanism);
  to.value(response);
  return to.end();
}

bool encode_sasl_response(std::string_view data, std::string& out) {
  return encode_raw(frontend_tag::password, data, out);
}

}  // namespace protocol::frontend
