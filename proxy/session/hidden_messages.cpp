#include "proxy/session/hidden_messages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;

/// Messages of one hidden statement and what each makes owed.
class hidden_writer {
 public:
  explicit hidden_writer(const parameter_list& parameters) : parameters_{parameters} {}

  void parse(std::string_view name, std::string_view sql, note kept = note::none) {
    std::vector<std::uint32_t> types;
    for (const bound_value& each : parameters_.values) types.push_back(each.type);
    add(frontend::encode_parse(name, sql, types, frames_), request::parse, kept);
  }

  /// Bind, Execute and Close of the portal.
  void run(std::string_view name, note kept) {
    std::vector<std::int16_t> formats;
    std::vector<std::optional<std::string_view>> values;
    for (const bound_value& each : parameters_.values) {
      formats.push_back(each.format);
      values.push_back(each.bytes ? std::optional<std::string_view>(*each.bytes) : std::nullopt);
    }
    add(frontend::encode_bind(hidden_name, name, formats, values, {}, frames_), request::bind);
    add(frontend::encode_execute(hidden_name, 0, frames_), request::execute, kept);
    add(frontend::encode_close(frontend::target_kind::portal, hidden_name, frames_), request::close);
  }

  void close(std::string_view name, note kept = note::none) {
    add(frontend::encode_close(frontend::target_kind::statement, name, frames_), request::close, kept);
  }

  /// All or nothing.
  [[nodiscard]] bool send(reply_ledger& ledger, outbox& out) const {
    if (!good_) return false;
    out.to_server.append(frames_);
    // Not recorded only while the server skips, and then nothing comes back for it either.
    for (const owed& each : owes_) static_cast<void>(ledger.expect(each));
    return true;
  }

 private:
  void add(bool built, request what, note kept = note::none) {
    good_ = good_ && built;
    owes_.push_back({.what = what, .hidden = true, .kept = kept});
  }

  const parameter_list& parameters_;
  std::string frames_;
  std::vector<owed> owes_;
  bool good_ = true;
};

}  // namespace

bool send_hidden(std::string_view sql, const parameter_list& parameters, bool left_over, reply_ledger& ledger,
                 outbox& out, note kept) {
  hidden_writer made{parameters};
  if (left_over) made.close(hidden_name);
  made.parse(hidden_name, sql);
  made.run(hidden_name, kept);
  made.close(hidden_name);
  return made.send(ledger, out);
}

bool prepare_hidden(std::string_view name, std::string_view sql, const parameter_list& parameters,
                    reply_ledger& ledger, outbox& out) {
  hidden_writer made{parameters};
  made.parse(name, sql, note::prelude_name);
  return made.send(ledger, out);
}

bool run_prepared(std::string_view name, const parameter_list& parameters, reply_ledger& ledger,
                  outbox& out) {
  hidden_writer made{parameters};
  made.run(name, note::hidden_run);
  return made.send(ledger, out);
}

void close_hidden(const std::vector<std::string>& names, reply_ledger& ledger, outbox& out) {
  const parameter_list none;
  hidden_writer made{none};
  for (const std::string& name : names) made.close(name, note::prelude_name);
  static_cast<void>(made.send(ledger, out));
}

bool send_hidden_describe(std::string_view portal, note kept, reply_ledger& ledger, outbox& out) {
  std::string frame;
  if (!frontend::encode_describe(frontend::target_kind::portal, portal, frame)) return false;
  if (!ledger.expect({.what = request::describe_portal, .hidden = true, .kept = kept})) return false;
  out.to_server.append(frame);
  return true;
}

}  // namespace proxy::session
