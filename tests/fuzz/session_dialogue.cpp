// Input: a setting, then steps: messages of a client, whole or as raw bytes, answers of a server that keeps
// to the protocol, messages of one that does not, events. What the session sends is always messages; after
// its end it says nothing; a server that keeps to the protocol is never found to break it, and each request
// of the client's is answered once.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/framer.hpp"
#include "protocol/frontend.hpp"
#include "protocol/writer.hpp"
#include "tests/session/model_server.hpp"
#include "tests/session/stage.hpp"

namespace {

namespace frontend = protocol::frontend;
using proxy::session::session_phase;

void require(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "line %d does not hold\n", line);
  std::abort();
}

constexpr std::string_view settings[] = {"guarded", "optimistic", "escrow",          "observe",
                                         "turns",   "once",       "no blind writes", "guarded"};

constexpr std::string_view statements[] = {
    "SELECT 1",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "",
    "-- nothing",
    "SELECT balance FROM wallets WHERE id = 1",
    "SELECT balance FROM wallets WHERE id = $1 FOR UPDATE",
    "UPDATE wallets SET balance = balance - 10 WHERE id = $1",
    "UPDATE wallets SET balance = 90 WHERE id = 1",
    "UPDATE wallets SET balance = balance - 1000 WHERE id = 1",
    "UPDATE wallets SET balance = $1 WHERE id = $2 RETURNING balance",
    "INSERT INTO wallets VALUES (1, 1, $1, 'a')",
    "INSERT INTO orders (id, number) VALUES (1, 2)",
    "DELETE FROM wallets WHERE user_id = 7",
    "SELECT nosuch FROM wallets",
    "SELECT division FROM items",
    "BEGIN; UPDATE wallets SET balance = balance - 1 WHERE id = 1; COMMIT",
    "SELECT 1; SELECT balance FROM wallets WHERE id = 1; SELECT 2",
    "UPDATE items SET stock = stock - 1 WHERE id = 1",
    "ALTER TABLE wallets ADD x int",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "RELEASE a",
    "DEALLOCATE ALL",
    "DEALLOCATE a",
    "EXECUTE a",
    "DISCARD ALL",
    "COPY log FROM STDIN",
    "BEGIN READ ONLY",
    "SELECT balance FROM wallets WHERE id IN (1, 2)",
    "UPDATE wallets SET balance = 5 WHERE id IN (1, 2)",
};

constexpr std::string_view names[] = {"", "a", "b", "_pgteller"};

class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] bool ended() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(left_[0]);
    left_.remove_prefix(1);
    return first;
  }
  std::string_view text() {
    const std::string_view taken = left_.substr(0, byte());
    const std::string_view bytes = left_.substr(0, taken.size());
    left_.remove_prefix(bytes.size());
    return bytes;
  }
  std::string_view name() { return names[byte() % std::size(names)]; }
  std::string_view statement() { return statements[byte() % std::size(statements)]; }

 private:
  std::string_view left_;
};

/// Takes what the session sends to one side; it must be messages, one behind the other.
class checked_stream {
 public:
  void take(std::string_view bytes) {
    frames_.feed(bytes);
    for (;;) {
      const protocol::piece piece = frames_.next();
      require(piece.kind != protocol::piece_kind::broken);
      if (piece.kind == protocol::piece_kind::need_more) break;
      const bool begins =
          piece.kind == protocol::piece_kind::whole || piece.kind == protocol::piece_kind::head;
      if (begins && piece.frame.tag == 'Z') ++ready;
    }
    frames_.settle();
  }
  std::size_t ready = 0;

 private:
  protocol::whole_limits none_;
  protocol::framer frames_{none_};
};

class play {
 public:
  play(std::uint8_t setting, std::uint8_t flags)
      : guarded_((flags & 1) == 0),
        who_(guarded_, (flags & 2) == 0, std::nullopt, std::string(settings[setting % std::size(settings)])) {
  }

  void log_in() {
    who_.client_sends(std::string_view("\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0", 32));
    who_.happens("connected");
    who_.done = {};
    answer(std::string_view("R\0\0\0\x08\0\0\0\0", 9));
    answer(
        std::string_view("S\0\0\0\x19"
                         "client_encoding\0UTF8\0",
                         26));
    answer(std::string_view("Z\0\0\0\x05I", 6));
    ready_at_login_ = to_client_.ready;
  }

  void step(input& in);
  void finish();

 private:
  void client(std::string_view bytes, bool whole);
  void answer(std::string_view bytes);
  void event(std::uint8_t which);
  void request(std::uint8_t which, input& in);
  void serve(std::size_t chunk);
  void heard();

  bool guarded_;
  stage::actor who_;
  stage::model_server server_;
  stage::model_server direct_;  // what the client would have been told without the session
  checked_stream to_client_;
  checked_stream to_server_;
  checked_stream told_directly_;
  std::string unserved_;
  std::size_t ready_at_login_ = 0;
  bool honest_ = true;      // all that was said is protocol
  bool comparable_ = true;  // and the session has been given no cause to refuse or to end
  bool copies_ = false;
  bool asks_ = false;
  bool ended_ = false;
};

void play::heard() {
  if (ended_) {
    require(who_.done.to_client.empty() && who_.done.to_server.empty());
  } else {
    to_client_.take(who_.done.to_client);
    // Without rules what the client sends is not even cut into messages.
    if (guarded_) to_server_.take(who_.done.to_server);
    unserved_ += who_.done.to_server;
    // A COPY that is not known yet takes the next message for its end, whosever it is.
    copies_ = copies_ || who_.done.to_server.find("COPY") != std::string::npos;
    asks_ = asks_ || who_.done.to_server.find("to_regclass") != std::string::npos;
    comparable_ = comparable_ && !(copies_ && asks_);
    // The model does not know PL/pgSQL, in which a [[once]] is looked for.
    if (who_.done.to_server.find("pgteller_next") != std::string::npos) honest_ = comparable_ = false;
  }
  // What is refused fails where it would not have failed directly, and its transaction with it.
  for (const auto& what : who_.done.events) {
    if (what.what == proxy::session::event::type::error) comparable_ = false;
  }
  if (who_.done.close_reason) {
    require(!ended_ && who_.session.phase() == session_phase::closed);
    require(!honest_ || who_.done.close_reason->find("not asked for") == std::string::npos);
    require(!comparable_);
    ended_ = true;
  }
  who_.done = {};
}

void play::client(std::string_view bytes, bool whole) {
  honest_ = honest_ && whole;
  // Who takes the name of hidden statements is refused what is guarded.
  comparable_ = comparable_ && whole && bytes.find("_pgteller") == std::string_view::npos;
  if (comparable_) direct_.receive(bytes);
  who_.client_sends(bytes);
  heard();
}

void play::answer(std::string_view bytes) {
  who_.server_sends(bytes);
  heard();
}

void play::serve(std::size_t chunk) {
  while (!unserved_.empty()) {
    const std::string bytes = std::exchange(unserved_, {});
    server_.receive(bytes);
    const std::string output = server_.take_output();
    for (std::string_view left = output; !left.empty();) {
      const std::string_view part = left.substr(0, chunk);
      left.remove_prefix(part.size());
      answer(part);
    }
  }
}

void play::event(std::uint8_t which) {
  constexpr std::string_view events[] = {"book",  "rival reads 1", "rival writes 1", "cancel",    "time +5",
                                         "drain", "client closed", "server closed",  "terminate", "time +1"};
  const std::string_view what = events[which % std::size(events)];
  if (which % std::size(events) > 2) comparable_ = false;
  who_.happens(what);
  heard();
}

void play::request(std::uint8_t which, input& in) {
  std::string message;
  const std::string_view one = "1";
  const std::optional<std::string_view> values[] = {one, one};
  switch (which) {
    case 0:
      require(frontend::encode_query(in.statement(), message));
      break;
    case 1: {
      const std::string_view name = in.name();
      require(frontend::encode_parse(name, in.statement(), {}, message));
      break;
    }
    case 2: {
      const std::string_view portal = in.name();
      const std::string_view name = in.name();
      require(frontend::encode_bind(portal, name, {}, {values, in.byte() % 3U}, {}, message));
      break;
    }
    case 3:
    case 4: {
      const auto kind =
          (in.byte() & 1) != 0 ? frontend::target_kind::portal : frontend::target_kind::statement;
      require(which == 3 ? frontend::encode_describe(kind, in.name(), message)
                         : frontend::encode_close(kind, in.name(), message));
      break;
    }
    case 5:
      require(frontend::encode_execute(in.name(), in.byte() % 2, message));
      break;
    case 6:
      message.assign("S\0\0\0\4", 5);
      break;
    case 7: {
      constexpr std::string_view others[] = {
          {"H\0\0\0\4", 5}, {"c\0\0\0\4", 5}, {"d\0\0\0\5x", 6}, {"f\0\0\0\5\0", 6}};
      message = others[in.byte() % std::size(others)];
      break;
    }
    default:
      if (!frontend::encode_query(in.text(), message)) return;  // a zero byte
      honest_ = comparable_ = false;                            // the model of the server knows little SQL
  }
  client(message, true);
}

void play::step(input& in) {
  const std::uint8_t what = in.byte();
  if (what < 160) return request(what % 9, in);
  if (what < 200) return serve(1 + in.byte() * 7U);
  if (what < 220) return event(in.byte());
  if (what < 238) return client(in.text(), false);
  // A server that says what it likes.
  honest_ = comparable_ = false;
  std::string message;
  protocol::writer to(message);
  if (what < 250) {
    to.begin(static_cast<char>(in.byte()));
    to.bytes(in.text());
    require(to.end());
    answer(message);
  } else {
    answer(in.text());
  }
}

void play::finish() {
  if (ended_ || !comparable_ || who_.session.phase() != session_phase::ready) return;
  client({"f\0\0\0\5\0", 6}, true);
  client({"S\0\0\0\4", 5}, true);
  for (int i = 0; i < 4; ++i) {
    serve(SIZE_MAX);
    event(0);
    event(2);
  }
  // A string may have asked for a turn that nobody gives up: then its time must be over.
  if (!comparable_ || who_.session.held() != proxy::session::hold::none) return;
  told_directly_.take(direct_.take_output());
  require(to_client_.ready - ready_at_login_ == told_directly_.ready);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  play one(data[0], data[1]);
  input in(data + 2, size - 2);
  one.log_in();
  while (!in.ended()) one.step(in);
  one.finish();
  return 0;
}
