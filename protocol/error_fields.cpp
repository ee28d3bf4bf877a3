#include "protocol/error_fields.hpp"

#include <algorithm>
#include <bitset>

#include "protocol/writer.hpp"

namespace protocol {

namespace {

auto find(std::span<const error_field> fields, char code) noexcept {
  return std::find_if(fields.begin(), fields.end(),
                      [code](const error_field& one) { return one.code == code; });
}

void write_field(writer& to, char code, std::string_view value) {
  if (code == 0) to.fail();
  to.u8(static_cast<std::uint8_t>(code));
  to.c_string(value);
}

bool encode_message(char tag, const error_message& from, std::string& out) {
  writer to(out);
  to.begin(tag);
  write_field(to, error_code::severity, from.severity);
  write_field(to, error_code::severity_plain, from.severity);
  write_field(to, error_code::sqlstate, from.sqlstate);
  write_field(to, error_code::message, from.message);
  const error_field rest[] = {
      {error_code::detail, from.detail},
      {error_code::hint, from.hint},
      {error_code::position, from.position},
      {error_code::internal_position, from.internal_position},
      {error_code::internal_query, from.internal_query},
      {error_code::where, from.where},
      {error_code::schema, from.schema},
      {error_code::table, from.table},
      {error_code::column, from.column},
      {error_code::data_type, from.data_type},
      {error_code::constraint, from.constraint},
      {error_code::file, from.file},
      {error_code::line, from.line},
      {error_code::routine, from.routine},
  };
  for (const error_field& one : rest) {
    if (!one.value.empty()) write_field(to, one.code, one.value);
  }
  to.u8(0);
  return to.end();
}

}  // namespace

void error_fields::iterator::step() noexcept {
  now_ = {};
  if (left_.empty()) {
    cut_off_ = true;
    return;
  }
  const char code = left_[0];
  left_.remove_prefix(1);
  if (code == 0) return;
  const std::size_t end = left_.find('\0');
  now_ = {code, left_.substr(0, end)};
  if (end == std::string_view::npos) {
    cut_off_ = true;
    left_ = {};
  } else {
    left_.remove_prefix(end + 1);
  }
}

std::optional<std::string_view> error_fields::get(char code) const noexcept {
  for (const error_field& one : *this) {
    if (one.code == code) return one.value;
  }
  return std::nullopt;
}

bool error_fields::ok() const noexcept {
  iterator at = begin();
  while (at != end()) ++at;
  return !at.cut_off_ && at.left_.empty();
}

bool encode_error(const error_message& error, std::string& out) {
  return encode_message(backend_tag::error_response, error, out);
}

bool encode_notice(const error_message& notice, std::string& out) {
  return encode_message(backend_tag::notice_response, notice, out);
}

bool encode_error_fields(char tag, std::span<const error_field> fields, std::string& out) {
  writer to(out);
  to.begin(tag);
  for (const error_field& one : fields) write_field(to, one.code, one.value);
  to.u8(0);
  return to.end();
}

bool rewrite_error(char tag, std::string_view body, std::string_view drop,
                   std::span<const error_field> replace, std::string& out) {
  writer to(out);
  to.begin(tag);
  std::bitset<256> done;  // replaced codes that are written
  const auto put = [&](const error_field& with) {
    const auto index = static_cast<unsigned char>(with.code);
    if (!done.test(index)) write_field(to, with.code, with.value);
    done.set(index);
  };
  for (const error_field& one : error_fields(body)) {
    const auto with = find(replace, one.code);
    if (with != replace.end()) {
      put(*with);
    } else if (drop.find(one.code) == std::string_view::npos) {
      write_field(to, one.code, one.value);
    }
  }
  for (const error_field& with : replace) put(with);
  to.u8(0);
  return to.end();
}

}  // namespace protocol
