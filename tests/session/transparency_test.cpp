// With no rule concerned, and for statements that no rule names, bytes in are bytes out, whatever they are.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/backend.hpp"
#include "protocol/frontend.hpp"
#include "protocol/startup.hpp"
#include "tests/session/stage.hpp"

namespace {

void log_in(stage::actor& who) {
  std::string startup;
  const protocol::startup_parameter user{"user", "app"};
  ASSERT_TRUE(protocol::encode_startup_message(3, 0, {&user, 1}, startup));
  who.client_sends(startup);
  who.happens("connected");
  std::string ready;
  ASSERT_TRUE(
      protocol::backend::encode_authentication(protocol::backend::authentication_kind::ok, "", ready));
  ASSERT_TRUE(protocol::backend::encode_ready_for_query(protocol::backend::transaction_status::idle, ready));
  who.server_sends(ready);
  who.done = {};
}

/// A client's stream of messages that touch nothing guarded.
rc::Gen<std::string> client_stream() {
  return rc::gen::map(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 7)),
                      [](const std::vector<int>& kinds) {
                        std::string bytes;
                        namespace frontend = protocol::frontend;
                        for (const int kind : kinds) {
                          bool built = true;
                          if (kind == 0) built = frontend::encode_query("SELECT 1", bytes);
                          if (kind == 1) built = frontend::encode_parse("s", "SELECT $1", {}, bytes);
                          if (kind == 2) built = frontend::encode_bind("", "s", {}, {}, {}, bytes);
                          if (kind == 3) built = frontend::encode_execute("", 0, bytes);
                          if (kind == 4) bytes.append(frontend::sync_frame);
                          if (kind == 5)
                            built = frontend::encode_describe(frontend::target_kind::statement, "s", bytes);
                          if (kind == 6)
                            built = frontend::encode_close(frontend::target_kind::portal, "p", bytes);
                          RC_ASSERT(built);
                        }
                        return bytes;
                      });
}

void feed_in_pieces(stage::actor& who, const std::string& bytes, bool client, const std::vector<int>& sizes) {
  std::size_t at = 0;
  for (std::size_t i = 0; at < bytes.size(); ++i) {
    const auto wanted = sizes.empty() ? bytes.size() : static_cast<std::size_t>(sizes[i % sizes.size()]);
    const std::string_view piece = std::string_view(bytes).substr(at, wanted);
    client ? who.client_sends(piece) : who.server_sends(piece);
    at += piece.size();
  }
}

RC_GTEST_PROP(transparency, client_bytes_pass_unchanged, (bool guarded)) {
  stage::actor who(guarded);
  log_in(who);
  const std::string bytes = *client_stream();
  const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 40));
  feed_in_pieces(who, bytes, true, sizes);
  RC_ASSERT(who.done.to_server == bytes);
  RC_ASSERT(!who.done.close_reason.has_value());
}

RC_GTEST_PROP(transparency, server_bytes_pass_unchanged, (bool guarded)) {
  stage::actor who(guarded);
  log_in(who);
  std::string query;
  RC_ASSERT(protocol::frontend::encode_query("SELECT 1", query));
  who.client_sends(query);
  std::string bytes;
  const int rows = *rc::gen::inRange(0, 20);
  const auto size = *rc::gen::inRange<std::size_t>(0, 3000);
  const std::string value(size, 'x');
  const std::optional<std::string_view> values[] = {value, std::nullopt};
  bool built = true;
  for (int i = 0; i < rows; ++i) built = built && protocol::backend::encode_data_row(values, bytes);
  built = built && protocol::backend::encode_parameter_status("TimeZone", "UTC", bytes) &&
          protocol::backend::encode_command_complete("SELECT", bytes) &&
          protocol::backend::encode_ready_for_query(protocol::backend::transaction_status::idle, bytes);
  RC_ASSERT(built);
  const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 5000));
  feed_in_pieces(who, bytes, false, sizes);
  RC_ASSERT(who.done.to_client == bytes);
}

RC_GTEST_PROP(transparency, random_bytes_never_crash_a_session,
              (bool guarded, const std::string& client, const std::string& server)) {
  stage::actor who(guarded);
  log_in(who);
  who.client_sends(client);
  who.server_sends(server);
  who.client_sends(server);
}

}  // namespace
