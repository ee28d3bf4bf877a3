#include <string>
#include <type_traits>
#include <utility>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"
#include "protocol/trace.hpp"
#include "protocol/trace_quote.hpp"

namespace protocol {

namespace {

using trace::append_quoted;

/// Builds a line; every field begins with the space that separates it from what is before.
class line {
 public:
  explicit line(std::string_view name) : text_(name) {}

  line& word(std::string_view value) {
    text_ += ' ';
    text_ += value;
    return *this;
  }
  line& string(std::string_view value) {
    text_ += ' ';
    append_quoted(value, text_);
    return *this;
  }
  line& value(const std::optional<std::string_view>& value) {
    text_ += ' ';
    trace::append_value(value, text_);
    return *this;
  }
  line& number(std::int64_t value) { return word(std::to_string(value)); }
  line& tag(char value) {
    text_ += ' ';
    trace::append_tag(value, text_);
    return *this;
  }

  /// A list in brackets, left out if it is empty.
  template <class List>
  line& list(std::string_view label, const List& items) {
    if (items.empty()) return *this;
    word(label);
    if (label.empty()) text_.pop_back();
    std::string_view before = label.empty() ? " [" : "[";
    for (const auto& item : items) {
      text_ += before;
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(item)>>) {
        text_ += std::to_string(item);
      } else {
        trace::append_value(item, text_);
      }
      before = " ";
    }
    text_ += ']';
    return *this;
  }
  line& attribute(std::string_view label, std::int64_t value, std::int64_t usual) {
    if (value != usual) word(label).text_ += std::to_string(value);
    return *this;
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string malformed(const frame_view& frame) {
  return line("Malformed").tag(frame.tag).string(frame.body).take();
}

std::string bodiless(std::string_view name, const frame_view& frame) {
  return frame.body.empty() ? std::string(name) : malformed(frame);
}

std::string one_string(std::string_view name, const frame_view& frame) {
  // Every message of one string has the same layout.
  const auto text = frontend::decode_query(frame.body);
  return text ? line(name).string(*text).take() : malformed(frame);
}

std::string parse_text(const frame_view& frame) {
  const auto parse = frontend::decode_parse(frame.body);
  if (!parse) return malformed(frame);
  return line("Parse").string(parse->statement).string(parse->sql).list("", parse->types).take();
}

std::string bind_text(const frame_view& frame) {
  const auto bind = frontend::decode_bind(frame.body);
  if (!bind) return malformed(frame);
  return line("Bind")
      .string(bind->portal)
      .string(bind->statement)
      .list("formats=", bind->formats)
      .list("params=", bind->values)
      .list("results=", bind->result_formats)
      .take();
}

std::string target_text(std::string_view name, const frame_view& frame) {
  const auto target = frontend::decode_describe(frame.body);
  if (!target) return malformed(frame);
  return line(name).word(std::string(1, static_cast<char>(target->kind))).string(target->name).take();
}

std::string execute_text(const frame_view& frame) {
  const auto execute = frontend::decode_execute(frame.body);
  if (!execute) return malformed(frame);
  return line("Execute").string(execute->portal).attribute("", execute->max_rows, 0).take();
}

std::string function_call_text(const frame_view& frame) {
  const auto call = frontend::decode_function_call(frame.body);
  if (!call) return malformed(frame);
  return line("FunctionCall")
      .number(call->function)
      .list("formats=", call->formats)
      .list("params=", call->values)
      .attribute("result=", call->result_format, 0)
      .take();
}

std::string password_text(const frame_view& frame) {
  if (const auto password = frontend::decode_password(frame.body)) {
    return line("PasswordMessage").string(*password).take();
  }
  const auto initial = frontend::decode_sasl_initial(frame.body);
  if (initial && initial->mechanism.starts_with("SCRAM-")) {
    return line("SASLInitialResponse").string(initial->mechanism).value(initial->response).take();
  }
  return line("SASLResponse").string(frame.body).take();
}

std::string frontend_text(std::string_view name, const frame_view& frame) {
  switch (frame.tag) {
    case frontend_tag::bind:
      return bind_text(frame);
    case frontend_tag::close:
    case frontend_tag::describe:
      return target_text(name, frame);
    case frontend_tag::copy_data:
      return line(name).string(frame.body).take();
    case frontend_tag::copy_fail:
    case frontend_tag::query:
      return one_string(name, frame);
    case frontend_tag::execute:
      return execute_text(frame);
    case frontend_tag::function_call:
      return function_call_text(frame);
    case frontend_tag::parse:
      return parse_text(frame);
    case frontend_tag::password:
      return password_text(frame);
    default:
      return bodiless(name, frame);
  }
}

std::string authentication_text(const frame_view& frame) {
  const auto view = backend::decode_authentication(frame.body);
  if (!view) return malformed(frame);
  using kind = backend::authentication_kind;
  const std::string_view payload = view->payload;
  switch (view->kind) {
    case kind::ok:
      if (payload.empty()) return "AuthenticationOk";
      break;
    case kind::cleartext_password:
      if (payload.empty()) return "AuthenticationCleartextPassword";
      break;
    case kind::md5_password:
      return line("AuthenticationMD5Password").string(payload).take();
    case kind::sasl:
      if (const auto mechanisms = view->mechanisms()) {
        line text("AuthenticationSASL");
        for (const std::string_view mechanism : *mechanisms) text.string(mechanism);
        return text.take();
      }
      break;
    case kind::sasl_continue:
      return line("AuthenticationSASLContinue").string(payload).take();
    case kind::sasl_final:
      return line("AuthenticationSASLFinal").string(payload).take();
  }
  return line("Authentication").number(static_cast<std::uint32_t>(view->kind)).string(payload).take();
}

std::string row_description_text(const frame_view& frame) {
  const auto fields = backend::decode_row_description(frame.body);
  if (!fields) return malformed(frame);
  line text("RowDescription");
  for (const backend::field& field : *fields) {
    text.string(field.name)
        .attribute("table=", field.table, 0)
        .attribute("column=", field.column, 0)
        .attribute("type=", field.type, 25)
        .attribute("size=", field.type_size, -1)
        .attribute("modifier=", field.type_modifier, -1)
        .attribute("format=", field.format, 0);
  }
  return text.take();
}

std::string data_row_text(const frame_view& frame) {
  const auto values = backend::decode_data_row(frame.body);
  if (!values) return malformed(frame);
  line text("DataRow");
  for (const auto& value : *values) text.value(value);
  return text.take();
}

bool is_plain_code(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string error_text(std::string_view name, const frame_view& frame) {
  const error_fields fields(frame.body);
  if (!fields.ok()) return malformed(frame);
  std::string text(name);
  for (const error_field& one : fields) {
    if (!is_plain_code(one.code)) return malformed(frame);
    text += ' ';
    text += one.code;
    text += '=';
    append_quoted(one.value, text);
  }
  return text;
}

std::string key_data_text(const frame_view& frame) {
  const auto view = backend::decode_backend_key_data(frame.body);
  return view ? line("BackendKeyData").number(view->process_id).string(view->key).take() : malformed(frame);
}

std::string parameter_status_text(const frame_view& frame) {
  const auto view = backend::decode_parameter_status(frame.body);
  return view ? line("ParameterStatus").string(view->name).string(view->value).take() : malformed(frame);
}

std::string copy_response_text(std::string_view name, const frame_view& frame) {
  const auto view = backend::decode_copy_response(frame.body);
  return view ? line(name).number(view->format).list("", view->column_formats).take() : malformed(frame);
}

std::string version_text(const frame_view& frame) {
  const auto view = backend::decode_negotiate_protocol_version(frame.body);
  if (!view) return malformed(frame);
  line text("NegotiateProtocolVersion");
  text.number(view->newest);
  for (const std::string_view option : view->unknown_options) text.string(option);
  return text.take();
}

std::string notification_text(const frame_view& frame) {
  const auto view = backend::decode_notification(frame.body);
  if (!view) return malformed(frame);
  return line("NotificationResponse")
      .number(view->process_id)
      .string(view->channel)
      .string(view->payload)
      .take();
}

std::string backend_text(std::string_view name, const frame_view& frame) {
  switch (frame.tag) {
    case backend_tag::authentication:
      return authentication_text(frame);
    case backend_tag::backend_key_data:
      return key_data_text(frame);
    case backend_tag::command_complete:
      return one_string(name, frame);
    case backend_tag::copy_both_response:
    case backend_tag::copy_in_response:
    case backend_tag::copy_out_response:
      return copy_response_text(name, frame);
    case backend_tag::copy_data:
      return line(name).string(frame.body).take();
    case backend_tag::data_row:
      return data_row_text(frame);
    case backend_tag::error_response:
    case backend_tag::notice_response:
      return error_text(name, frame);
    case backend_tag::function_call_response: {
      const auto value = backend::decode_function_call_response(frame.body);
      return value ? line(name).value(*value).take() : malformed(frame);
    }
    case backend_tag::negotiate_protocol_version:
      return version_text(frame);
    case backend_tag::notification_response:
      return notification_text(frame);
    case backend_tag::parameter_description: {
      const auto types = backend::decode_parameter_description(frame.body);
      return types ? line(name).list("", *types).take() : malformed(frame);
    }
    case backend_tag::parameter_status:
      return parameter_status_text(frame);
    case backend_tag::ready_for_query: {
      const auto status = backend::decode_ready_for_query(frame.body);
      return status ? line(name).word(frame.body).take() : malformed(frame);
    }
    case backend_tag::row_description:
      return row_description_text(frame);
    default:
      return bodiless(name, frame);
  }
}

}  // namespace

std::string to_text(const frame_view& frame, direction from) {
  const std::string_view name = message_name(frame.tag, from);
  if (name.empty()) return line("Unknown").tag(frame.tag).string(frame.body).take();
  return from == direction::from_client ? frontend_text(name, frame) : backend_text(name, frame);
}

}  // namespace protocol
