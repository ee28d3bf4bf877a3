#include "proxy/session/hidden_messages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;

}  // namespace

bool send_hidden(std::string_view sql, const parameter_list& parameters, bool left_over, reply_ledger& ledger,
                 outbox& out, note kept) {
  std::vector<std::uint32_t> types;
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string_view>> values;
  for (const bound_value& each : parameters.values) {
    types.push_back(each.type);
    formats.push_back(each.format);
    values.push_back(each.bytes ? std::optional<std::string_view>(*each.bytes) : std::nullopt);
  }
  std::string frames;
  bool built = true;
  if (left_over) built = frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  built = built && frontend::encode_parse(hidden_name, sql, types, frames) &&
          frontend::encode_bind(hidden_name, hidden_name, formats, values, {}, frames) &&
          frontend::encode_execute(hidden_name, 0, frames) &&
          frontend::encode_close(frontend::target_kind::portal, hidden_name, frames) &&
          frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  if (!built) return false;
  out.to_server.append(frames);
  const auto expect = [&](request kind, note beside = note::none) {
    // Not recorded only while the server skips, and then nothing comes back for it either.
    static_cast<void>(ledger.expect({.what = kind, .hidden = true, .kept = beside}));
  };
  if (left_over) expect(request::close);
  expect(request::parse);
  expect(request::bind);
  expect(request::execute, kept);
  expect(request::close);
  expect(request::close);
  return true;
}

bool send_hidden_describe(std::string_view portal, note kept, reply_ledger& ledger, outbox& out) {
  std::string frame;
  if (!frontend::encode_describe(frontend::target_kind::portal, portal, frame)) return false;
  if (!ledger.expect({.what = request::describe_portal, .hidden = true, .kept = kept})) return false;
  out.to_server.append(frame);
  return true;
}

}  // namespace proxy::session
