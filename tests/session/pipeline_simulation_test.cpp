// A client that pipelines at random, guarded statements among the others, talks to a model of PostgreSQL
// directly and through a session. It must hear the same, message by message, however the bytes are cut and
// whoever is faster.
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"
#include "protocol/trace.hpp"
#include "tests/session/model_server.hpp"
#include "tests/session/stage.hpp"

namespace {

namespace frontend = protocol::frontend;

constexpr const char* statements[] = {
    "SELECT 1",
    "SELECT balance FROM wallets WHERE id = 1",
    "UPDATE wallets SET balance = balance - 10 WHERE id = 1",
    "UPDATE wallets SET balance = balance - 1000 WHERE id = 1",
    "UPDATE wallets SET balance = 5 WHERE id = 1",
    "UPDATE orders SET division = 1",
    "SELECT nosuch",
    "SELECT nosuch FROM wallets",
    "DELETE FROM wallets WHERE id = 2",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
};
constexpr const char* strings[] = {
    "BEGIN; SELECT balance FROM wallets WHERE id = 1",
    "SELECT balance FROM wallets WHERE id = 1; UPDATE wallets SET balance = 7 WHERE id = 1; SELECT 2",
    "SELECT 1; UPDATE wallets SET balance = balance - 1000 WHERE id = 1; SELECT 2",
    "UPDATE wallets SET balance = 7 WHERE id = 1; COMMIT",
    "",
};

class schedule {
 public:
  explicit schedule(unsigned seed) : random_(seed) {}

  std::string client_stream() {
    std::string bytes;
    const int count = 5 + pick(40);
    for (int i = 0; i < count; ++i) add_message(bytes);
    bytes.append(frontend::sync_frame);
    bytes.append(frontend::sync_frame);
    return bytes;
  }

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

 private:
  std::string name(const char* prefix) { return pick(2) == 0 ? "" : prefix + std::to_string(pick(3)); }

  void add_message(std::string& to) {
    bool built = true;
    switch (pick(12)) {
      case 0:
      case 1:
        built = frontend::encode_query(statements[pick(std::size(statements))], to);
        break;
      case 2:
        built = frontend::encode_query(strings[pick(std::size(strings))], to);
        break;
      case 3:
        to.append(frontend::sync_frame);
        break;
      case 4:
        built = frontend::encode_close(
            pick(2) == 0 ? frontend::target_kind::statement : frontend::target_kind::portal,
            name(pick(2) == 0 ? "s" : "p"), to);
        break;
      case 5:
        built = frontend::encode_parse(name("s"), statements[pick(std::size(statements))], {}, to);
        break;
      case 6:
        built = frontend::encode_bind(name("p"), name("s"), {}, {}, {}, to);
        break;
      case 7:
        built = frontend::encode_execute(name("p"), 0, to);
        break;
      case 8:
        built = frontend::encode_describe(frontend::target_kind::statement, name("s"), to);
        break;
      default:
        add_batch(to);
    }
    ASSERT_TRUE(built);
  }

  void add_batch(std::string& to) {
    const std::string statement = name("s");
    ASSERT_TRUE(frontend::encode_close(frontend::target_kind::statement, statement, to));
    ASSERT_TRUE(frontend::encode_parse(statement, statements[pick(std::size(statements))], {}, to));
    ASSERT_TRUE(frontend::encode_bind("", statement, {}, {}, {}, to));
    ASSERT_TRUE(frontend::encode_execute("", 0, to));
    if (pick(3) != 0) to.append(frontend::sync_frame);
  }

  std::mt19937 random_;
};

/// Errors that say that there is nothing to run. In a failed block, which of them comes first may differ: the
/// hidden statement is refused because of the block before the client's is because of its name.
bool nothing_to_run(std::string_view sqlstate) {
  return sqlstate == "25P02" || sqlstate == "26000" || sqlstate == "34000";
}

/// What a client hears, a line a message; of errors only the state, since the wording of a broken bound
/// differs.
std::vector<std::string> heard(std::string_view bytes) {
  std::vector<std::string> lines;
  const protocol::whole_limits limits;
  protocol::framer framer(limits);
  framer.feed(bytes);
  for (auto piece = framer.next(); piece.kind == protocol::piece_kind::whole; piece = framer.next()) {
    if (piece.frame.tag == 'E') {
      const std::string sqlstate(protocol::error_fields(piece.frame.body).text('C'));
      lines.push_back("error " + (nothing_to_run(sqlstate) ? "of nothing to run" : sqlstate));
    } else {
      lines.push_back(protocol::to_text(piece.frame, protocol::direction::from_server));
    }
  }
  return lines;
}

/// Where there is nothing to run, the session may not know it yet and send a hidden statement, whose error
/// comes first: another error, at the same place.
bool same(const std::string& wanted, const std::string& got) {
  return wanted == got || (wanted == "error of nothing to run" && got.starts_with("error "));
}

/// The first message that differs, with those before it; empty if none does.
std::string difference(const std::vector<std::string>& direct, const std::vector<std::string>& through) {
  std::string before;
  for (std::size_t i = 0; i < std::max(direct.size(), through.size()); ++i) {
    const std::string wanted = i < direct.size() ? direct[i] : "(end)";
    const std::string got = i < through.size() ? through[i] : "(end)";
    if (!same(wanted, got)) return before + "directly " + wanted + ", through the session " + got;
    before += wanted + "\n";
  }
  return {};
}

struct outcome {
  std::vector<std::string> heard;
  std::vector<std::string> ran;
  std::size_t names_left = 0;
};

outcome play_directly(const std::string& stream) {
  stage::model_server server;
  server.receive(stream);
  return {heard(server.take_output()), server.ran(), server.names()};
}

outcome play_through(const std::string& stream, schedule& random, const char* setting) {
  stage::actor proxy(true, true, std::nullopt, setting);
  std::string startup;
  const protocol::startup_parameter user{"user", "app"};
  EXPECT_TRUE(protocol::encode_startup_message(3, 0, {&user, 1}, startup));
  proxy.client_sends(startup);
  proxy.happens("connected");
  std::string greeting;
  using namespace protocol::backend;
  EXPECT_TRUE(encode_authentication(authentication_kind::ok, "", greeting));
  EXPECT_TRUE(encode_ready_for_query(transaction_status::idle, greeting));
  proxy.server_sends(greeting);
  proxy.done = {};

  stage::model_server server;
  std::string to_proxy;  // the server's words on their way
  std::size_t sent = 0;
  const auto step = [&] {
    server.receive(proxy.done.to_server);
    proxy.done.to_server.clear();
    to_proxy += server.take_output();
  };
  while (sent < stream.size() || !to_proxy.empty()) {
    const std::size_t size = 1 + static_cast<std::size_t>(random.pick(200));
    if (sent < stream.size() && (to_proxy.empty() || random.pick(2) == 0)) {
      const std::string_view piece = std::string_view(stream).substr(sent, size);
      sent += piece.size();
      proxy.client_sends(piece);
    } else {
      const std::string piece = to_proxy.substr(0, size);
      to_proxy.erase(0, piece.size());
      proxy.server_sends(piece);
    }
    step();
  }
  EXPECT_FALSE(proxy.done.close_reason.has_value()) << proxy.done.close_reason.value_or("");
  EXPECT_EQ(proxy.session.held(), proxy::session::hold::none);
  return {heard(proxy.done.to_client), server.ran(), server.names()};
}

/// Schedules without and with a statement cache, of two statements, so that they make room for each other.
class pipeline_simulation : public testing::TestWithParam<const char*> {};

TEST_P(pipeline_simulation, a_client_hears_through_the_session_what_it_hears_directly) {
  const char* asked = std::getenv("PGTELLER_SCHEDULES");
  const unsigned count = asked != nullptr ? static_cast<unsigned>(std::strtoul(asked, nullptr, 10)) : 3000;
  for (unsigned seed = 0; seed < count; ++seed) {
    schedule random(seed);
    const std::string stream = random.client_stream();
    const outcome direct = play_directly(stream);
    const outcome through = play_through(stream, random, GetParam());
    ASSERT_EQ(difference(direct.heard, through.heard), "") << "seed " << seed;
    ASSERT_EQ(direct.ran, through.ran) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(settings, pipeline_simulation, testing::Values("guarded", "statement cache"),
                         [](const auto& with) {
                           return std::string(with.param) == "guarded" ? "plain" : "statement_cache";
                         });

}  // namespace
