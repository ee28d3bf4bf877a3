#include "tests/session/dialogue.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "protocol/framer.hpp"
#include "protocol/startup.hpp"
#include "protocol/trace.hpp"
#include "tests/session/stage.hpp"

namespace stage {
namespace {

constexpr std::pair<speaker, std::string_view> marks[] = {
    {speaker::client_says, "client> "},  {speaker::server_says, "server> "},  {speaker::event, "proxy> "},
    {speaker::client_hears, "client< "}, {speaker::server_hears, "server< "}, {speaker::effect, "proxy< "}};

bool is_input(speaker who) {
  return who == speaker::client_says || who == speaker::server_says || who == speaker::event ||
         who == speaker::login;
}

std::string bytes_of(std::string_view text, bool from_client) {
  if (from_client) {
    if (auto packet = protocol::startup_from_text(text)) return *packet;
  } else if (text == "Refuse" || text == "Accept") {
    return text == "Refuse" ? "N" : "S";
  }
  const auto direction = from_client ? protocol::direction::from_client : protocol::direction::from_server;
  return protocol::from_text(text, direction).value_or("");
}

line read_line(const std::string& text) {
  if (text.empty() || text[0] == '#') return {speaker::comment, text, {}};
  if (text == "login") return {speaker::login, text, {}};
  if (text.starts_with("setting: ")) return {speaker::setting, text.substr(9), {}};
  for (const auto& [who, mark] : marks) {
    if (!text.starts_with(mark)) continue;
    line made{who, text.substr(mark.size()), {}};
    if (who == speaker::event || who == speaker::effect) return made;
    const bool from_client = who == speaker::client_says || who == speaker::server_hears;
    made.bytes = bytes_of(made.text, from_client);
    if (made.bytes.empty()) throw std::runtime_error("no such message: " + text);
    return made;
  }
  throw std::runtime_error("no such line: " + text);
}

actor make_actor(const dialogue& of) {
  if (of.setting == "refused") {
    return actor(false, true,
                 proxy::session::refusal{.sqlstate = "53300",
                                         .message = "sorry, too many clients already",
                                         .detail = {},
                                         .hint = {},
                                         .rule = {},
                                         .schema = {},
                                         .table = {},
                                         .column = {}});
  }
  const bool guarded = !of.setting.starts_with("transparent") && !of.setting.starts_with("tls");
  return actor(guarded, !of.setting.starts_with("unknown catalog"), std::nullopt, of.setting);
}

void log_in(actor& who) {
  const auto server = [&](std::string_view text) { who.server_sends(bytes_of(text, false)); };
  who.client_sends(bytes_of(R"(StartupMessage 3.0 user="app" database="shop")", true));
  who.happens("connected");
  server("AuthenticationOk");
  server(R"(ParameterStatus "client_encoding" "UTF8")");
  server(R"(ParameterStatus "standard_conforming_strings" "on")");
  server(R"(BackendKeyData 4711 "\x00\x00\x00\x07")");
  server("ReadyForQuery I");
  who.done = {};
}

void play_input(actor& who, const line& input) {
  switch (input.who) {
    case speaker::login:
      return log_in(who);
    case speaker::client_says:
      return who.client_sends(input.bytes);
    case speaker::server_says:
      return who.server_sends(input.bytes);
    default:
      if (!who.happens(input.text)) throw std::runtime_error("no such event: " + input.text);
  }
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string count_line(const proxy::session::event& what) {
  using type = proxy::session::event::type;
  switch (what.what) {
    case type::statement:
      return "count statement " + what.rule + " " + std::string(rules::name(what.kind)) + " " +
             std::string(rules::name(what.action));
    case type::unguarded:
      return "count unguarded " + what.rule + " " + std::string(rules::name(what.reason));
    case type::bounds_rejection:
      return "count bounds_rejection " + what.rule;
    case type::conflict:
      return "count conflict " + what.rule + " " + what.sqlstate;
    case type::error:
      return "count error " + what.sqlstate;
    case type::schema_change:
      return "count schema_change";
    case type::catalog_doubt:
      return "count catalog_doubt";
    default:
      return {};  // waits and cache look-ups depend on how a dialogue is played
  }
}

std::vector<std::string> effect_lines(const effects& done) {
  std::vector<std::string> lines;
  if (done.request == proxy::session::request_kind::connect_server) lines.emplace_back("connect");
  if (done.request == proxy::session::request_kind::secure_client) lines.emplace_back("secure");
  if (done.request == proxy::session::request_kind::forward_cancel) lines.emplace_back("cancel");
  if (done.want_book) lines.emplace_back("want book");
  for (const auto& what : done.events) {
    if (std::string text = count_line(what); !text.empty()) lines.push_back(std::move(text));
  }
  if (done.close_reason) lines.push_back("close " + quoted(*done.close_reason));
  return lines;
}

std::vector<std::string> message_lines(std::string_view bytes, bool from_client) {
  std::vector<std::string> lines;
  const auto direction = from_client ? protocol::direction::from_client : protocol::direction::from_server;
  if (from_client) {
    if (const auto packet = protocol::read_startup(bytes);
        packet.kind != protocol::startup_kind::need_more && packet.kind != protocol::startup_kind::broken) {
      lines.push_back(protocol::startup_to_text(packet));
      bytes.remove_prefix(packet.wire.size());
    }
  }
  while (!from_client && (bytes.starts_with('N') || bytes.starts_with('S')) &&
         (bytes.size() == 1 || bytes[1] != '\0')) {
    lines.emplace_back(bytes[0] == 'N' ? "Refuse" : "Accept");
    bytes.remove_prefix(1);
  }
  const protocol::whole_limits limits;
  protocol::framer framer(limits);
  framer.feed(bytes);
  for (auto piece = framer.next(); piece.kind == protocol::piece_kind::whole; piece = framer.next()) {
    lines.push_back(protocol::to_text(piece.frame, direction));
  }
  if (framer.held() > 0) lines.push_back("(" + std::to_string(framer.held()) + " bytes of a message)");
  return lines;
}

std::string told(const effects& done) {
  std::string text;
  for (const auto& each : effect_lines(done)) text += "proxy< " + each + "\n";
  for (const auto& each : message_lines(done.to_server, true)) text += "server< " + each + "\n";
  for (const auto& each : message_lines(done.to_client, false)) text += "client< " + each + "\n";
  return text;
}

struct expectation {
  std::string to_client;
  std::string to_server;
  std::vector<std::string> effects;

  void add(const line& heard) {
    if (heard.who == speaker::client_hears) to_client += heard.bytes;
    if (heard.who == speaker::server_hears) to_server += heard.bytes;
    if (heard.who == speaker::effect) effects.push_back(heard.text);
  }
};

std::string compare(const expectation& expected, const effects& done, const std::string& where) {
  const bool same = expected.to_client == done.to_client && expected.to_server == done.to_server &&
                    expected.effects == effect_lines(done);
  return same ? "" : "after " + where + ", the session really says:\n" + told(done);
}

/// Lines that belong together: inputs, and what is heard after them.
struct exchange {
  std::vector<line> inputs;
  expectation expected;
};

/// `merge`: inputs of the same side in a row are one exchange, whatever was heard between them.
std::vector<exchange> exchanges_of(const dialogue& of, bool merge) {
  std::vector<exchange> all;
  for (const line& each : of.lines) {
    if (is_input(each.who)) {
      const bool says = each.who == speaker::client_says || each.who == speaker::server_says;
      if (!merge || all.empty() || !says || all.back().inputs.back().who != each.who) all.emplace_back();
      all.back().inputs.push_back(each);
    } else if (!all.empty()) {
      all.back().expected.add(each);
    }
  }
  return all;
}

void feed(actor& who, speaker side, std::string_view bytes) {
  if (side == speaker::client_says) return who.client_sends(bytes);
  who.server_sends(bytes);
}

}  // namespace

dialogue read_dialogue(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  dialogue made{path, "guarded", {}};
  std::string text;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    try {
      made.lines.push_back(read_line(text));
    } catch (const std::exception& error) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + error.what());
    }
    if (made.lines.back().who == speaker::setting) made.setting = made.lines.back().text;
  }
  return made;
}

std::string play_whole(const dialogue& of) {
  actor who = make_actor(of);
  for (const exchange& each : exchanges_of(of, false)) {
    who.done = {};
    play_input(who, each.inputs.front());
    if (auto different = compare(each.expected, who.done, each.inputs.front().text); !different.empty()) {
      return different;
    }
  }
  return {};
}

std::string play_byte_by_byte(const dialogue& of) {
  actor who = make_actor(of);
  for (const exchange& each : exchanges_of(of, false)) {
    who.done = {};
    const line& input = each.inputs.front();
    if (input.bytes.empty()) play_input(who, input);
    for (const char byte : input.bytes) feed(who, input.who, {&byte, 1});
    if (auto different = compare(each.expected, who.done, input.text + ", byte by byte");
        !different.empty()) {
      return different;
    }
  }
  return {};
}

bool play_cut(const dialogue& of, std::size_t offset, std::string& difference) {
  actor who = make_actor(of);
  bool longer = false;
  for (const exchange& each : exchanges_of(of, true)) {
    who.done = {};
    std::string run;
    for (const line& input : each.inputs) run += input.bytes;
    if (run.empty()) {
      play_input(who, each.inputs.front());
    } else {
      longer = longer || run.size() > offset;
      const std::string_view bytes = run;
      const std::size_t cut = std::min(offset, run.size());
      if (cut > 0) feed(who, each.inputs.front().who, bytes.substr(0, cut));
      if (cut < run.size()) feed(who, each.inputs.front().who, bytes.substr(cut));
    }
    difference =
        compare(each.expected, who.done, each.inputs.back().text + ", cut at " + std::to_string(offset));
    if (!difference.empty()) return false;
  }
  return longer;
}

std::string play_vanishing(const dialogue& of, std::size_t count, bool client) {
  actor who = make_actor(of);
  const auto all = exchanges_of(of, false);
  for (std::size_t i = 0; i < count && i < all.size(); ++i) play_input(who, all[i].inputs.front());
  const bool was_closed = who.session.phase() == proxy::session::session_phase::closed;
  const bool others_wait = client && who.session.leads_group();
  who.done = {};
  who.happens(client ? "client closed" : "server closed");
  if (others_wait) return who.done.close_reason ? "those who wait for it are left" : "";
  if (was_closed) return who.done.close_reason ? "it was closed twice" : "";
  if (!who.done.close_reason) return "it goes on without its peer";
  who.done = {};
  for (std::size_t i = count; i < all.size(); ++i) play_input(who, all[i].inputs.front());
  return who.done.to_client.empty() && who.done.to_server.empty() ? "" : "it speaks after its end";
}

std::string rewritten(const dialogue& of) {
  actor who = make_actor(of);
  std::string text;
  for (const line& each : of.lines) {
    if (each.who == speaker::setting) text += "setting: " + each.text + "\n";
    if (each.who == speaker::comment) text += each.text + "\n";
    if (!is_input(each.who)) continue;
    if (each.who == speaker::login) {
      text += "login\n";
    } else {
      for (const auto& [speaker, mark] : marks) {
        if (speaker == each.who) text += std::string(mark) + each.text + "\n";
      }
    }
    who.done = {};
    play_input(who, each);
    text += told(who.done);
  }
  return text;
}

}  // namespace stage
