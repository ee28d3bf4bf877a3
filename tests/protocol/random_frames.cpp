#include "tests/protocol/random_frames.hpp"

#include <rapidcheck.h>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"

namespace protocol::test {

namespace {

template <class T>
std::vector<T> any_numbers() {
  return *rc::gen::arbitrary<std::vector<T>>();
}

template <class T>
T any() {
  return *rc::gen::arbitrary<T>();
}

std::vector<std::string> any_names() {
  std::vector<std::string> names(*rc::gen::inRange(0, 4));
  for (std::string& name : names) name = "x" + any_text();
  return names;
}

frontend::target_kind any_target() {
  return *rc::gen::element(frontend::target_kind::statement, frontend::target_kind::portal);
}

bool append_frontend(std::string& out) {
  switch (*rc::gen::inRange(0, 15)) {
    case 0:
      return frontend::encode_query(any_text(), out);
    case 1:
      return frontend::encode_parse(any_text(), any_text(), any_numbers<std::uint32_t>(), out);
    case 2:
      return frontend::encode_bind(any_text(), any_text(), any_numbers<std::int16_t>(), views(any_values()),
                                   any_numbers<std::int16_t>(), out);
    case 3:
      return frontend::encode_describe(any_target(), any_text(), out);
    case 4:
      return frontend::encode_close(any_target(), any_text(), out);
    case 5:
      return frontend::encode_execute(any_text(), any<std::int32_t>(), out);
    case 6:
      return frontend::encode_function_call(any<std::uint32_t>(), any_numbers<std::int16_t>(),
                                            views(any_values()), any<std::int16_t>(), out);
    case 7:
      return frontend::encode_copy_data(any_bytes(), out);
    case 8:
      return frontend::encode_copy_fail(any_text(), out);
    case 9:
      return frontend::encode_password(any_text(), out);
    case 10: {
      const auto response = *rc::gen::maybe(rc::gen::exec(any_bytes));
      return frontend::encode_sasl_initial(
          "SCRAM-SHA-256", response ? std::optional<std::string_view>(*response) : std::nullopt, out);
    }
    case 11:
      return frontend::encode_sasl_response(any_bytes(), out);
    case 12:
      out += frontend::sync_frame;
      return true;
    case 13:
      out += frontend::flush_frame;
      return true;
    default:
      out += *rc::gen::element(frontend::terminate_frame, frontend::copy_done_frame);
      return true;
  }
}

bool append_row_description(std::string& out) {
  const std::vector<std::string> names = any_names();
  std::vector<backend::field> fields;
  for (const std::string& name : names) {
    const bool usual = any<bool>();
    fields.push_back({name, usual ? 0 : any<std::uint32_t>(), any<std::int16_t>(),
                      usual ? 25 : any<std::uint32_t>(), usual ? std::int16_t{-1} : any<std::int16_t>(),
                      usual ? -1 : any<std::int32_t>(), any<std::int16_t>()});
  }
  return backend::encode_row_description(fields, out);
}

bool append_error(std::string& out) {
  const std::vector<std::string> values = any_names();
  std::vector<error_field> fields;
  for (const std::string& value : values) {
    fields.push_back(
        {*rc::gen::oneOf(rc::gen::element('S', 'V', 'C', 'M', 'Z', '9'), rc::gen::nonZero<char>()), value});
  }
  const char tag = *rc::gen::element(backend_tag::error_response, backend_tag::notice_response);
  return encode_error_fields(tag, fields, out);
}

bool append_negotiate(std::string& out) {
  const std::vector<std::string> owned = any_names();
  const std::vector<std::string_view> options(owned.begin(), owned.end());
  return backend::encode_negotiate_protocol_version(any<std::uint32_t>(), options, out);
}

bool append_authentication(std::string& out) {
  using kind = backend::authentication_kind;
  if (any<bool>()) {
    const std::vector<std::string> owned = any_names();
    const std::vector<std::string_view> mechanisms(owned.begin(), owned.end());
    return backend::encode_authentication_sasl(mechanisms, out);
  }
  const kind one = *rc::gen::element(kind::ok, kind::cleartext_password, kind::md5_password, kind::sasl,
                                     kind::sasl_continue, kind::sasl_final, static_cast<kind>(7));
  return backend::encode_authentication(one, any<bool>() ? std::string() : any_bytes(), out);
}

bool append_backend(std::string& out) {
  using status = backend::transaction_status;
  switch (*rc::gen::inRange(0, 16)) {
    case 0:
      return append_authentication(out);
    case 1: {
      std::string key = any_bytes() + "1234";
      return backend::encode_backend_key_data(any<std::uint32_t>(), key, out);
    }
    case 2:
      return backend::encode_parameter_status(any_text(), any_text(), out);
    case 3:
      return backend::encode_ready_for_query(
          *rc::gen::element(status::idle, status::in_block, status::failed), out);
    case 4:
      return append_row_description(out);
    case 5:
      return backend::encode_data_row(views(any_values()), out);
    case 6:
      return backend::encode_command_complete(any_text(), out);
    case 7:
      return backend::encode_parameter_description(any_numbers<std::uint32_t>(), out);
    case 8:
      return backend::encode_copy_response(*rc::gen::element('G', 'H', 'W'), any<std::uint8_t>(),
                                           any_numbers<std::int16_t>(), out);
    case 9:
      return backend::encode_copy_data(any_bytes(), out);
    case 10: {
      const auto value = *rc::gen::maybe(rc::gen::exec(any_bytes));
      return backend::encode_function_call_response(
          value ? std::optional<std::string_view>(*value) : std::nullopt, out);
    }
    case 11:
      return append_negotiate(out);
    case 12:
      return backend::encode_notification(any<std::uint32_t>(), any_text(), any_text(), out);
    case 13:
    case 14:
      return append_error(out);
    default:
      out += *rc::gen::element(backend::bind_complete_frame, backend::close_complete_frame,
                               backend::copy_done_frame, backend::empty_query_response_frame,
                               backend::no_data_frame, backend::parse_complete_frame,
                               backend::portal_suspended_frame);
      return true;
  }
}

}  // namespace

std::string any_text() {
  return *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::nonZero<char>(), rc::gen::element('"', '\\', '\'', ' ', '\n', 'x', '=', '[')));
}

std::string any_bytes() {
  return *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::element('\0', '\xff', '"', 'n')));
}

std::vector<std::optional<std::string>> any_values() {
  std::vector<std::optional<std::string>> values(*rc::gen::inRange(0, 6));
  for (auto& value : values) {
    if (any<bool>()) value = any_bytes();
  }
  return values;
}

std::vector<std::optional<std::string_view>> views(const std::vector<std::optional<std::string>>& values) {
  return {values.begin(), values.end()};
}

std::string any_frame(direction from) {
  std::string out;
  const bool made = from == direction::from_client ? append_frontend(out) : append_backend(out);
  RC_ASSERT(made);
  return out;
}

frame_view as_frame(std::string_view wire) {
  return {wire[0], wire.substr(header_size), wire};
}

}  // namespace protocol::test
