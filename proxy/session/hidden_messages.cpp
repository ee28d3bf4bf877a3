#include "proxy/session/hidden_messages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;

struct bound_parameters {
  std::vector<std::uint32_t> types;
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string_view>> values;
};

/// Parameters keep their bytes, formats and types: nothing is converted.
std::optional<bound_parameters> pick(const hidden_statement& what) {
  bound_parameters picked;
  for (const std::uint16_t number : what.parameters) {
    const std::size_t index = number - 1U;
    if (what.bind == nullptr || number == 0 || index >= what.bind->values.size()) return std::nullopt;
    picked.types.push_back(index < what.client_types.size() ? what.client_types[index] : 0);
    picked.formats.push_back(what.bind->format(index));
    picked.values.push_back(what.bind->value(index));
  }
  return picked;
}

}  // namespace

bool send_hidden(const hidden_statement& what, bool left_over, reply_ledger& ledger, outbox& out) {
  const auto bound = pick(what);
  if (!bound) return false;
  std::string frames;
  bool built = true;
  if (left_over) built = frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  built = built && frontend::encode_parse(hidden_name, what.sql, bound->types, frames) &&
          frontend::encode_bind(hidden_name, hidden_name, bound->formats, bound->values, {}, frames) &&
          frontend::encode_execute(hidden_name, 0, frames) &&
          frontend::encode_close(frontend::target_kind::portal, hidden_name, frames) &&
          frontend::encode_close(frontend::target_kind::statement, hidden_name, frames);
  if (!built) return false;
  out.to_server.append(frames);
  const auto expect = [&](request kind, note kept = note::none) {
    // Not recorded only while the server skips, and then nothing comes back for it either.
    static_cast<void>(ledger.expect({.what = kind, .hidden = true, .kept = kept}));
  };
  if (left_over) expect(request::close);
  expect(request::parse);
  expect(request::bind);
  expect(request::execute, note::hidden_run);
  expect(request::close);
  expect(request::close);
  return true;
}

}  // namespace proxy::session
