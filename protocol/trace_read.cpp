#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"
#include "protocol/trace.hpp"
#include "protocol/trace_quote.hpp"
#include "protocol/writer.hpp"

namespace protocol {

namespace {

using trace::cursor;

/// What a reader of one message does: takes the fields from the cursor and appends the frame. The cursor may
/// have failed by then; the caller throws the frame away.
using read_message = bool (*)(cursor& in, std::string& out);

struct known_message {
  std::string_view name;
  read_message read;
};

std::vector<std::optional<std::string_view>> views(const std::vector<std::optional<std::string>>& owned) {
  return {owned.begin(), owned.end()};
}

std::vector<std::optional<std::string>> bracketed_values(cursor& in) {
  std::vector<std::optional<std::string>> all;
  in.expect("[");
  while (in.ok() && !in.accept("]")) all.push_back(in.value());
  return all;
}

std::vector<std::string> strings_to_end(cursor& in) {
  std::vector<std::string> all;
  while (in.ok() && !in.at_end()) all.push_back(in.quoted());
  return all;
}

bool append_frame(char tag, std::string_view body, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.bytes(body);
  return to.end();
}

/// The messages without a body and those of one plain string differ in the tag only.
template <char tag>
bool read_bodiless(cursor&, std::string& out) {
  return append_frame(tag, {}, out);
}
template <char tag>
bool read_raw(cursor& in, std::string& out) {
  return append_frame(tag, in.quoted(), out);
}
template <char tag>
bool read_string(cursor& in, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.c_string(in.quoted());
  return to.end();
}
template <char tag>
bool read_two_strings(cursor& in, std::string& out) {
  writer to(out);
  to.begin(tag);
  to.c_string(in.quoted());
  to.c_string(in.quoted());
  return to.end();
}

bool read_parse(cursor& in, std::string& out) {
  const std::string statement = in.quoted();
  const std::string sql = in.quoted();
  return frontend::encode_parse(statement, sql, in.numbers_if_any<std::uint32_t>(), out);
}

bool read_bind(cursor& in, std::string& out) {
  const std::string portal = in.quoted();
  const std::string statement = in.quoted();
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string>> values;
  std::vector<std::int16_t> results;
  if (in.accept("formats=")) formats = in.numbers<std::int16_t>();
  if (in.accept("params=")) values = bracketed_values(in);
  if (in.accept("results=")) results = in.numbers<std::int16_t>();
  return frontend::encode_bind(portal, statement, formats, views(values), results, out);
}

template <char tag>
bool read_target(cursor& in, std::string& out) {
  const std::string_view kind = in.word();
  if (kind != "S" && kind != "P") return false;
  writer to(out);
  to.begin(tag);
  to.u8(static_cast<std::uint8_t>(kind[0]));
  to.c_string(in.quoted());
  return to.end();
}

bool read_execute(cursor& in, std::string& out) {
  const std::string portal = in.quoted();
  const std::int32_t max_rows = in.at_end() ? 0 : in.number<std::int32_t>();
  return frontend::encode_execute(portal, max_rows, out);
}

bool read_function_call(cursor& in, std::string& out) {
  const auto function = in.number<std::uint32_t>();
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string>> values;
  if (in.accept("formats=")) formats = in.numbers<std::int16_t>();
  if (in.accept("params=")) values = bracketed_values(in);
  const std::int16_t result = in.accept("result=") ? in.number<std::int16_t>() : std::int16_t{0};
  return frontend::encode_function_call(function, formats, views(values), result, out);
}

bool read_sasl_initial(cursor& in, std::string& out) {
  const std::string mechanism = in.quoted();
  const std::optional<std::string> response = in.value();
  return frontend::encode_sasl_initial(mechanism, response, out);
}

template <backend::authentication_kind kind>
bool read_authentication(cursor& in, std::string& out) {
  return backend::encode_authentication(kind, in.at_end() ? std::string() : in.quoted(), out);
}

bool read_any_authentication(cursor& in, std::string& out) {
  const auto kind = in.number<std::uint32_t>();
  return backend::encode_authentication(static_cast<backend::authentication_kind>(kind), in.quoted(), out);
}

bool read_authentication_sasl(cursor& in, std::string& out) {
  const std::vector<std::string> owned = strings_to_end(in);
  const std::vector<std::string_view> mechanisms(owned.begin(), owned.end());
  return backend::encode_authentication_sasl(mechanisms, out);
}

bool read_key_data(cursor& in, std::string& out) {
  const auto process_id = in.number<std::uint32_t>();
  return backend::encode_backend_key_data(process_id, in.quoted(), out);
}

bool read_ready_for_query(cursor& in, std::string& out) {
  const std::string_view status = in.word();
  return backend::decode_ready_for_query(status) && append_frame(backend_tag::ready_for_query, status, out);
}

bool read_row_description(cursor& in, std::string& out) {
  std::vector<std::string> names;
  std::vector<backend::field> fields;
  while (in.ok() && !in.at_end()) {
    names.push_back(in.quoted());
    backend::field field;
    field.type = 25;
    field.type_size = -1;
    field.type_modifier = -1;
    while (in.ok() && !in.at_end() && !in.next_is('"')) {
      const std::string_view label = in.word();
      in.expect("=");
      if (label == "table") {
        field.table = in.number<std::uint32_t>();
      } else if (label == "column") {
        field.column = in.number<std::int16_t>();
      } else if (label == "type") {
        field.type = in.number<std::uint32_t>();
      } else if (label == "size") {
        field.type_size = in.number<std::int16_t>();
      } else if (label == "modifier") {
        field.type_modifier = in.number<std::int32_t>();
      } else if (label == "format") {
        field.format = in.number<std::int16_t>();
      } else {
        in.fail();
      }
    }
    fields.push_back(field);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) fields[i].name = names[i];
  return backend::encode_row_description(fields, out);
}

bool read_data_row(cursor& in, std::string& out) {
  std::vector<std::optional<std::string>> values;
  while (in.ok() && !in.at_end()) values.push_back(in.value());
  return backend::encode_data_row(views(values), out);
}

bool read_parameter_description(cursor& in, std::string& out) {
  return backend::encode_parameter_description(in.numbers_if_any<std::uint32_t>(), out);
}

template <char tag>
bool read_copy_response(cursor& in, std::string& out) {
  const auto format = in.number<std::uint8_t>();
  return backend::encode_copy_response(tag, format, in.numbers_if_any<std::int16_t>(), out);
}

bool read_function_call_response(cursor& in, std::string& out) {
  return backend::encode_function_call_response(in.value(), out);
}

bool read_version(cursor& in, std::string& out) {
  const auto newest = in.number<std::uint32_t>();
  const std::vector<std::string> owned = strings_to_end(in);
  const std::vector<std::string_view> options(owned.begin(), owned.end());
  return backend::encode_negotiate_protocol_version(newest, options, out);
}

bool read_notification(cursor& in, std::string& out) {
  const auto process_id = in.number<std::uint32_t>();
  const std::string channel = in.quoted();
  return backend::encode_notification(process_id, channel, in.quoted(), out);
}

template <char tag>
bool read_error(cursor& in, std::string& out) {
  writer to(out);
  to.begin(tag);
  while (in.ok() && !in.at_end()) {
    const std::string_view code = in.word();
    if (code.size() != 1) in.fail();
    in.expect("=");
    to.u8(code.empty() ? 0 : static_cast<std::uint8_t>(code[0]));
    to.c_string(in.quoted());
  }
  to.u8(0);
  return to.end();
}

bool read_tagged(cursor& in, std::string& out) {
  const char tag = in.tag();
  return append_frame(tag, in.quoted(), out);
}

bool read_bytes(cursor& in, std::string& out) {
  out += in.quoted();
  return true;
}

constexpr known_message frontend_messages[] = {
    {"Bind", read_bind},
    {"Close", read_target<frontend_tag::close>},
    {"CopyData", read_raw<frontend_tag::copy_data>},
    {"CopyDone", read_bodiless<frontend_tag::copy_done>},
    {"CopyFail", read_string<frontend_tag::copy_fail>},
    {"Describe", read_target<frontend_tag::describe>},
    {"Execute", read_execute},
    {"Flush", read_bodiless<frontend_tag::flush>},
    {"FunctionCall", read_function_call},
    {"Parse", read_parse},
    {"PasswordMessage", read_string<frontend_tag::password>},
    {"Query", read_string<frontend_tag::query>},
    {"SASLInitialResponse", read_sasl_initial},
    {"SASLResponse", read_raw<frontend_tag::password>},
    {"Sync", read_bodiless<frontend_tag::sync>},
    {"Terminate", read_bodiless<frontend_tag::terminate>},
};

using authentication = backend::authentication_kind;

constexpr known_message backend_messages[] = {
    {"Authentication", read_any_authentication},
    {"AuthenticationCleartextPassword", read_authentication<authentication::cleartext_password>},
    {"AuthenticationMD5Password", read_authentication<authentication::md5_password>},
    {"AuthenticationOk", read_authentication<authentication::ok>},
    {"AuthenticationSASL", read_authentication_sasl},
    {"AuthenticationSASLContinue", read_authentication<authentication::sasl_continue>},
    {"AuthenticationSASLFinal", read_authentication<authentication::sasl_final>},
    {"BackendKeyData", read_key_data},
    {"BindComplete", read_bodiless<backend_tag::bind_complete>},
    {"CloseComplete", read_bodiless<backend_tag::close_complete>},
    {"CommandComplete", read_string<backend_tag::command_complete>},
    {"CopyBothResponse", read_copy_response<backend_tag::copy_both_response>},
    {"CopyData", read_raw<backend_tag::copy_data>},
    {"CopyDone", read_bodiless<backend_tag::copy_done>},
    {"CopyInResponse", read_copy_response<backend_tag::copy_in_response>},
    {"CopyOutResponse", read_copy_response<backend_tag::copy_out_response>},
    {"DataRow", read_data_row},
    {"EmptyQueryResponse", read_bodiless<backend_tag::empty_query_response>},
    {"ErrorResponse", read_error<backend_tag::error_response>},
    {"FunctionCallResponse", read_function_call_response},
    {"NegotiateProtocolVersion", read_version},
    {"NoData", read_bodiless<backend_tag::no_data>},
    {"NoticeResponse", read_error<backend_tag::notice_response>},
    {"NotificationResponse", read_notification},
    {"ParameterDescription", read_parameter_description},
    {"ParameterStatus", read_two_strings<backend_tag::parameter_status>},
    {"ParseComplete", read_bodiless<backend_tag::parse_complete>},
    {"PortalSuspended", read_bodiless<backend_tag::portal_suspended>},
    {"ReadyForQuery", read_ready_for_query},
    {"RowDescription", read_row_description},
};

constexpr known_message any_messages[] = {
    {"Bytes", read_bytes},
    {"Malformed", read_tagged},
    {"Unknown", read_tagged},
};

}  // namespace

std::optional<std::string> from_text(std::string_view line, direction from) {
  cursor in(line);
  const std::string_view name = in.word();
  const auto read_from = [&](auto& messages) -> std::optional<std::string> {
    for (const known_message& message : messages) {
      if (message.name != name) continue;
      std::string out;
      if (!message.read(in, out) || !in.complete()) return std::nullopt;
      return out;
    }
    return std::nullopt;
  };
  const auto known =
      from == direction::from_client ? read_from(frontend_messages) : read_from(backend_messages);
  return known ? known : read_from(any_messages);
}

}  // namespace protocol
