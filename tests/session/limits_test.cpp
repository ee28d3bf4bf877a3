// Each limit of a session that a client can reach: it is told what and why, and the session goes on.
#include "proxy/session/limits.hpp"

#include <chrono>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"
#include "protocol/writer.hpp"
#include "tests/session/model_server.hpp"
#include "tests/session/stage.hpp"

namespace {

namespace frontend = protocol::frontend;
namespace limits = proxy::session::limits;

constexpr std::string_view sync{"S\0\0\0\4", 5};
constexpr std::string_view guarded = "UPDATE wallets SET balance = balance - 1, owner = $1 WHERE id = 1";

std::string query(std::string_view sql) {
  std::string message;
  EXPECT_TRUE(frontend::encode_query(sql, message));
  return message;
}

std::string parse(std::string_view name, std::string_view sql) {
  std::string message;
  EXPECT_TRUE(frontend::encode_parse(name, sql, {}, message));
  return message;
}

std::string bind_to(std::string_view portal, std::string_view statement, std::string_view value) {
  std::string message;
  const std::optional<std::string_view> values[] = {value};
  EXPECT_TRUE(frontend::encode_bind(portal, statement, {}, values, {}, message));
  return message;
}

std::string execute(std::string_view portal) {
  std::string message;
  EXPECT_TRUE(frontend::encode_execute(portal, 0, message));
  return message;
}

class session_limits : public testing::Test {
 protected:
  session_limits() : who_(true) {
    connect();
    who_.happens("connected");
    who_.done = {};
    who_.server_sends(std::string_view("R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15));
    who_.done = {};
  }
  void connect() {
    who_.client_sends(std::string_view("\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0", 32));
    who_.done.to_server.clear();
  }

  /// Lets the server answer everything; the errors that the client was told.
  std::vector<std::string> errors() {
    while (!who_.done.to_server.empty()) {
      server_.receive(std::exchange(who_.done.to_server, {}));
      who_.server_sends(server_.take_output());
    }
    std::vector<std::string> told;
    const protocol::whole_limits none;
    protocol::framer frames(none);
    frames.feed(who_.done.to_client);
    for (auto piece = frames.next(); piece.kind == protocol::piece_kind::whole; piece = frames.next()) {
      if (piece.frame.tag != 'E') continue;
      const protocol::error_fields fields(piece.frame.body);
      told.push_back(std::string(fields.get('C').value_or("")) + " " +
                     std::string(fields.get('M').value_or("")) + " / " +
                     std::string(fields.get('H').value_or("")));
    }
    who_.done.to_client.clear();
    EXPECT_FALSE(who_.done.close_reason) << *who_.done.close_reason;
    return told;
  }
  void expect_alive() {
    who_.client_sends(query("SELECT 1"));
    EXPECT_TRUE(errors().empty());
    EXPECT_EQ(server_.ran().back(), "SELECT 1");
  }

  /// What a connection does as long as the session has more to send.
  void make_room() {
    while (who_.session.stalled()) {
      proxy::session::outbox more;
      who_.session.on_room(more);
      who_.done.add(more);
      who_.session.settle();
    }
  }

  stage::actor who_;
  stage::model_server server_;
};

TEST_F(session_limits, prepared_statements) {
  for (std::size_t i = 0; i < limits::prepared_statements; ++i) {
    who_.client_sends(parse("s" + std::to_string(i), guarded));
    if (i % 1000 != 0) continue;
    who_.client_sends(sync);
    EXPECT_TRUE(errors().empty());
  }
  who_.client_sends(parse("more", guarded) + std::string(sync));
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0],
            "53400 too many prepared statements or portals in one session / Close some: pgteller remembers "
            "20000 in one session.");
  who_.client_sends(std::string("C\0\0\0\x08Ss1\0", 9) + std::string(sync));
  EXPECT_TRUE(errors().empty());
  who_.client_sends(parse("more", guarded) + bind_to("", "more", "x") + execute("") + std::string(sync));
  EXPECT_TRUE(errors().empty());
  expect_alive();
}

TEST_F(session_limits, portals) {
  who_.client_sends(query("BEGIN") + parse("s", guarded));
  for (std::size_t i = 0; i < limits::portals; ++i) {
    who_.client_sends(bind_to("p" + std::to_string(i), "s", "x"));
    if (i % 1000 == 0) {
      EXPECT_TRUE(errors().empty());
    }
  }
  who_.client_sends(bind_to("more", "s", "x") + std::string(sync));
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("53400 too many prepared statements or portals")) << told[0];
  who_.client_sends(query("ROLLBACK"));
  EXPECT_TRUE(errors().empty());
  expect_alive();
}

TEST_F(session_limits, kept_parameters) {
  const std::string large(15U << 20U, 'x');
  who_.client_sends(query("BEGIN") + parse("s", guarded) + std::string(sync));
  for (const char* portal : {"a", "b", "c", "d"}) who_.client_sends(bind_to(portal, "s", large));
  EXPECT_TRUE(errors().empty());
  who_.client_sends(bind_to("e", "s", large) + execute("e") + std::string(sync));
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0],
            "53400 prepared statements and bound parameters take too much memory in one session / Close "
            "some: pgteller keeps 64 MiB for one session.");
  // What has been executed, or has ended with its transaction, does not count.
  who_.client_sends(query("ROLLBACK"));
  for (int i = 0; i < 8; ++i) who_.client_sends(bind_to("", "s", large) + execute(""));
  who_.client_sends(sync);
  EXPECT_TRUE(errors().empty());
  expect_alive();
}

TEST_F(session_limits, kept_statements) {
  const std::string large = std::string(guarded) + " AND owner <> '" + std::string(15U << 20U, 'x') + "'";
  for (const char* name : {"a", "b", "c", "d", "e"}) who_.client_sends(parse(name, large));
  who_.client_sends(sync);
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("53400 prepared statements and bound parameters")) << told[0];
  expect_alive();
}

TEST_F(session_limits, statements_too_large_to_be_looked_at) {
  const std::string large = "UPDATE wallets SET owner = '" + std::string(limits::analysed_message_bytes, 'x');
  who_.client_sends(query(large + "'") + query("SELECT 2"));
  auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], "42501 statement is too long to be analysed / A rule has on_opaque = \"reject\".");
  EXPECT_EQ(server_.ran().back(), "SELECT 2");
  who_.client_sends(parse("", large + "'") + bind_to("", "", "x") + execute("") + std::string(sync));
  told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("42501")) << told[0];
  expect_alive();
}

TEST_F(session_limits, parameters_too_large_to_guard) {
  const std::string large(limits::analysed_message_bytes, 'x');
  who_.client_sends(parse("s", guarded) + bind_to("", "s", large) + execute("") + std::string(sync));
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], "54000 parameters are too large to guard the statement / ");
  EXPECT_TRUE(server_.ran().empty());
  expect_alive();
}

TEST_F(session_limits, parameters_too_large_to_wait_for_the_unnamed_statement) {
  who_.session.keep_statements(2);
  const std::string read = parse("", "SELECT $1") + std::string(sync);
  for (int i = 0; i < 2; ++i) {
    who_.client_sends(read);
    EXPECT_TRUE(errors().empty());
  }
  const std::string large = bind_to("", "", std::string(limits::analysed_message_bytes, 'x'));
  who_.client_sends(read + large.substr(0, 100));
  who_.client_sends(large.substr(100) + execute("") + std::string(sync));
  const auto told = errors();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], "54000 parameters are too large while it is not known which statement they are for / ");
  who_.client_sends(read);
  EXPECT_TRUE(errors().empty());
  who_.client_sends(large.substr(0, 100));
  who_.client_sends(large.substr(100) + execute("") + std::string(sync));
  EXPECT_EQ(errors(), std::vector<std::string>{});
  expect_alive();
}

std::string error(char tag, std::string_view severity, std::size_t message_bytes) {
  const std::string body = "V" + std::string(severity) + std::string("\0C22P02\0M", 9) +
                           std::string(message_bytes, 'x') + std::string("\0P5\0\0", 5);
  std::string message;
  protocol::writer to(message);
  to.begin(tag);
  to.bytes(body);
  EXPECT_TRUE(to.end());
  return message;
}

/// Whatever is told in other words, hidden, or passed on: the client is sent whole messages.
TEST_F(session_limits, errors_and_notices_larger_than_what_is_held) {
  constexpr std::size_t large = 20'000'000;
  constexpr std::string_view ready{"Z\0\0\0\5I", 6};
  constexpr std::string_view done{"C\0\0\0\rSELECT 1\0", 14};
  const std::string write = "UPDATE wallets SET balance = balance - 1 WHERE id = 1";
  const std::string cases[] = {
      error('E', "ERROR", large),                                            // the hidden statement's
      std::string(done) + error('E', "ERROR", large),                        // the client's, of the string
      error('N', "WARNING", large) + std::string(done) + std::string(done),  // while the hidden one runs
      error('N', "NOTICE", large) + std::string(done) + std::string(done),   // not told
  };
  for (const std::string& answer : cases) {
    who_.client_sends(query(write));
    who_.done = {};
    const std::string all = answer + std::string(ready);
    for (std::size_t at = 0; at < all.size(); at += 65536) who_.server_sends(all.substr(at, 65536));
    ASSERT_FALSE(who_.done.close_reason) << *who_.done.close_reason;
    const protocol::whole_limits none;
    protocol::framer frames(none);
    frames.feed(who_.done.to_client);
    std::string tags;
    for (auto piece = frames.next(); piece.kind == protocol::piece_kind::whole; piece = frames.next())
      tags += piece.frame.tag;
    EXPECT_EQ(frames.held(), 0U);
    const bool fails = answer.find("ERROR") != std::string::npos;
    EXPECT_EQ(tags, fails ? "EZ" : answer.find("WARNING") != std::string::npos ? "NCZ" : "CZ");
    who_.done = {};
  }
}

/// A short Execute may stand for a long hidden statement; what one read of a socket makes must stay bounded.
TEST_F(session_limits, what_short_messages_stand_for) {
  constexpr std::size_t text_bytes = 500'000;
  const std::string text = std::string(guarded) + " AND owner <> '" + std::string(text_bytes, 'x') + "'";
  who_.client_sends(parse("s", text) + std::string(sync));
  EXPECT_TRUE(errors().empty());
  std::string pairs;
  for (int i = 0; i < 200; ++i) pairs += bind_to("", "s", "x") + execute("");
  proxy::session::outbox out;
  who_.session.on_client_bytes(pairs, out);
  EXPECT_LT(out.to_server.size(), limits::outgoing_bytes + 4 * text_bytes);
  EXPECT_TRUE(who_.session.stalled());
  who_.done.add(out);
  who_.session.settle();
  EXPECT_TRUE(who_.session.wants_client_bytes());
  make_room();
  who_.client_sends(sync);
  EXPECT_TRUE(errors().empty());
  EXPECT_EQ(server_.hidden_run(), 200U);
  EXPECT_EQ(server_.ran().size(), 200U);
}

TEST_F(session_limits, owed_replies_stop_the_reading) {
  const std::string both = bind_to("", "", "x") + execute("");
  std::string many;
  for (std::size_t i = 0; i <= limits::owed_replies / 2; ++i) many += both;
  who_.client_sends(query("SELECT 1"));
  who_.client_sends(many + std::string(limits::inbox_bytes, '\0'));
  EXPECT_FALSE(who_.session.wants_client_bytes());
}

/// The unnamed portal, bound anew by each message of a long pipeline, is one.
TEST_F(session_limits, a_portal_bound_again_in_a_pipeline_counts_once) {
  std::string many = parse("s", guarded);
  for (std::size_t i = 0; i <= limits::portals; ++i) many += bind_to("", "s", "x");
  who_.client_sends(many + std::string(sync));
  make_room();
  EXPECT_TRUE(errors().empty());
  expect_alive();
}

/// As libpq_pipeline does it: the client waits for replies, and for nothing else.
TEST_F(session_limits, what_waited_for_owed_replies_is_sent_when_they_come) {
  constexpr std::string_view flush{"H\0\0\0\4", 5};
  std::string many;
  for (std::size_t i = 0; i < limits::owed_replies / 2; ++i) many += bind_to("", "", "x") + execute("");
  who_.client_sends(many + std::string(flush));
  make_room();
  EXPECT_FALSE(who_.done.to_server.ends_with(flush));
  who_.server_sends(std::string_view("2\0\0\0\4", 5));
  EXPECT_TRUE(who_.done.to_server.ends_with(flush));
}

/// CopyDone owes nothing: any number of them behind a request that is not answered yet does not stop a Sync.
TEST_F(session_limits, late_copy_messages_owe_nothing) {
  std::string late = parse("", "SELECT 1");
  for (std::size_t i = 0; i <= limits::owed_replies; ++i) late += std::string_view("c\0\0\0\4", 5);
  who_.client_sends(late + std::string(sync));
  EXPECT_TRUE(who_.done.to_server.ends_with(sync));
  EXPECT_TRUE(errors().empty());
  expect_alive();
}

TEST(startup_limits, a_client_is_not_read_without_end_while_its_server_is_connected) {
  stage::actor who(true);
  who.client_sends(std::string_view("\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0", 32));
  EXPECT_TRUE(who.session.wants_client_bytes());
  who.client_sends(std::string(limits::inbox_bytes, 'Q'));
  EXPECT_FALSE(who.session.wants_client_bytes());
}

/// Looking a name up must not take longer for every change that is in flight.
TEST_F(session_limits, names_in_flight_are_found_at_once) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "s" + std::to_string(i);
    many += parse(name, "BEGIN") + bind_to(name, name, "x");
  }
  const auto began = std::chrono::steady_clock::now();
  who_.client_sends(many);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
}

}  // namespace
