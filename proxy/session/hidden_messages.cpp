#include "proxy/session/hidden_messages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;

void expect(request kind, reply_ledger& ledger, note beside = note::none) {
  // Not recorded only while the server skips, and then nothing comes back for it either.
  static_cast<void>(ledger.expect({.what = kind, .hidden = true, .kept = beside}));
}

/// Bind, Execute, and Close of the portal.
bool encode_run(std::string_view statement, const parameter_list& parameters, std::string& frames) {
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string_view>> values;
  for (const bound_value& each : parameters.values) {
    formats.push_back(each.format);
    values.push_back(each.bytes ? std::optional<std::string_view>(*each.bytes) : std::nullopt);
  }
  return frontend::encode_bind(hidden_name, statement, formats, values, {}, frames) &&
         frontend::encode_execute(hidden_name, 0, frames) &&
         frontend::encode_close(frontend::target_kind::portal, hidden_name, frames);
}

void expect_run(note kept, reply_ledger& ledger) {
  expect(request::bind, ledger);
  expect(request::execute, ledger, kept);
  expect(request::close, ledger);
}

}  // namespace

bool send_hidden(std::string_view sql, const parameter_list& parameters, bool left_over, reply_ledger& ledger,
                 outbox& out, note kept) {
  std::vector<std::uint32_t> types;
  for (const bound_value& each : parameters.values) types.push_back(each.type);
  std::string frames;
  bool built = true;
  if (left_over) built = frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  built = built && frontend::encode_parse(hidden_name, sql, types, frames) &&
          encode_run(hidden_name, parameters, frames) &&
          frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  if (!built) return false;
  out.to_server.append(frames);
  if (left_over) expect(request::close, ledger);
  expect(request::parse, ledger);
  expect_run(kept, ledger);
  expect(request::close, ledger);
  return true;
}

bool send_hidden_run(std::string_view statement, const parameter_list& parameters, reply_ledger& ledger,
                     outbox& out) {
  std::string frames;
  if (!encode_run(statement, parameters, frames)) return false;
  out.to_server.append(frames);
  expect_run(note::hidden_run, ledger);
  return true;
}

std::string parse_text(std::string_view sql, const parameter_list& parameters) {
  std::string frame;
  std::vector<std::uint32_t> types;
  for (const bound_value& each : parameters.values) types.push_back(each.type);
  if (!frontend::encode_parse({}, sql, types, frame)) return {};
  return frame.substr(protocol::header_size + 1);
}

bool send_hidden_describe(std::string_view portal, note kept, reply_ledger& ledger, outbox& out) {
  std::string frame;
  if (!frontend::encode_describe(frontend::target_kind::portal, portal, frame)) return false;
  if (!ledger.expect({.what = request::describe_portal, .hidden = true, .kept = kept})) return false;
  out.to_server.append(frame);
  return true;
}

}  // namespace proxy::session
