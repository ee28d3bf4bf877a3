#include "tests/session/stage.hpp"

#include <charconv>
#include <map>

namespace stage {

namespace ps = proxy::session;

namespace {

rules::rule_set rules_for(std::string_view setting) {
  const auto take_off = [&](std::string_view suffix) {
    const bool there = setting.ends_with(suffix);
    if (there) setting.remove_suffix(suffix.size());
    return there;
  };
  const bool other_columns = take_off(", other columns");
  const bool of_client = take_off(", of a client");
  const bool of_trace = take_off(", of a trace");
  if (setting == "no rules") return {};
  rules::rule wallet;
  wallet.name = "wallet-balance";
  wallet.table = "wallets";
  wallet.columns = {"balance"};
  wallet.min = "0";
  rules::rule stock;
  stock.name = "stock";
  stock.table = "items";
  stock.columns = {"stock"};
  stock.on_opaque = rules::policy::reject;
  if (setting == "unknown catalog, opaque allowed") stock.on_opaque = rules::policy::allow;
  stock.lock_timeout = std::chrono::milliseconds(0);
  if (other_columns) wallet.columns = {"user_id", "balance"};
  if (other_columns) wallet.min.reset();
  if (setting == "optimistic") wallet.strategy = stock.strategy = rules::strategy::optimistic;
  if (setting == "escrow") wallet.strategy = stock.strategy = rules::strategy::escrow;
  if (setting == "observe") wallet.mode = stock.mode = rules::mode::observe;
  if (setting == "turns") wallet.turns = stock.turns = rules::turns::on;
  wallet.group_commit = stock.group_commit = setting == "shared commits";
  if (setting == "no blind writes") wallet.on_blind_write = stock.on_blind_write = rules::policy::reject;
  if (of_client) wallet.correlate = rules::correlate::client;
  if (of_trace) wallet.correlate = rules::correlate::trace;
  rules::rule_set set;
  set.rules = {wallet, stock};
  if (setting == "once") set.once = {{"one-order", "", "orders", {"number"}}};
  return set;
}

rules::catalog known_tables() {
  rules::catalog known;
  known.database = "shop";
  rules::table wallets;
  wallets.oid = 16384;
  wallets.schema = "public";
  wallets.name = "wallets";
  wallets.columns = {{"id", 1, 20, "bigint"},
                     {"user_id", 2, 20, "bigint"},
                     {"balance", 3, 1700, "numeric(12,2)"},
                     {"owner", 4, 25, "text"}};
  wallets.primary_key = {"id"};
  rules::table items;
  items.oid = 16400;
  items.schema = "public";
  items.name = "items";
  items.columns = {{"id", 1, 20, "bigint"}, {"stock", 2, 23, "integer"}};
  items.primary_key = {"id"};
  rules::table orders;
  orders.oid = 16416;
  orders.schema = "public";
  orders.name = "orders";
  orders.columns = {{"id", 1, 20, "bigint"}, {"number", 2, 20, "bigint"}};
  orders.primary_key = {"id"};
  known.tables = {wallets, items, orders};
  return known;
}

}  // namespace

std::shared_ptr<const rules::rule_set> rule_set(std::string_view setting) {
  static std::map<std::string, std::shared_ptr<const rules::rule_set>, std::less<>> made;
  auto& known = made[std::string(setting)];
  if (!known) known = std::make_shared<const rules::rule_set>(rules_for(setting));
  return known;
}

ps::book_ptr book(std::string_view setting) {
  static std::map<std::string, ps::book_ptr, std::less<>> made;
  auto& known = made[std::string(setting)];
  if (!known) known = rules::rule_book::compile(*rule_set(setting), known_tables(), "app", false);
  return known;
}

void effects::add(const ps::outbox& out) {
  to_client.append(out.to_client.owned()).append(out.to_client.borrowed());
  to_server.append(out.to_server.owned()).append(out.to_server.borrowed());
  events.insert(events.end(), out.events.begin(), out.events.end());
  if (out.request != ps::request_kind::none) request = out.request;
  want_book = want_book || out.want_book;
  if (out.close_reason) close_reason = out.close_reason;
}

actor::actor(bool guarded, bool known, std::optional<ps::refusal> refused, std::string setting)
    : session(cache, rows, {1, "127.0.0.1"}, std::move(refused)),
      guarded_(guarded),
      known_(known),
      setting_(std::move(setting)) {
  if (setting_.find("statement cache") != std::string::npos) session.keep_statements(2);
  if (setting_ == "tls") session.offer_tls(ps::tls_policy::allow);
  if (setting_ == "tls required") session.offer_tls(ps::tls_policy::require);
}

void actor::go_on() {
  while (session.stalled()) {
    ps::outbox more;
    more.now = now;
    session.on_room(more);
    done.add(more);
    session.settle();
  }
}

void actor::client_sends(std::string_view bytes) {
  // A copy that dies after the step: a view kept by mistake is found by the address sanitizer.
  const std::string own(bytes);
  play([&](ps::session& s, ps::outbox& out) { s.on_client_bytes(own, out); });
}

void actor::server_sends(std::string_view bytes) {
  const std::string own(bytes);
  play([&](ps::session& s, ps::outbox& out) { s.on_server_bytes(own, out); });
}

bool actor::happens(std::string_view what) {
  if (what == "connected") {
    play([](ps::session& s, ps::outbox& out) { s.on_server_connected(out); });
  } else if (what == "connected over TLS") {
    play([](ps::session& s, ps::outbox& out) { s.on_server_connected(out, true); });
  } else if (what == "secured") {
    play([](ps::session& s, ps::outbox&) { s.on_client_secured(); });
  } else if (what == "unreachable") {
    play([](ps::session& s, ps::outbox& out) { s.on_server_unreachable("connection refused", out); });
  } else if (what == "book") {
    play([this](ps::session& s, ps::outbox& out) { s.on_book(book(setting_), out); });
  } else if (what.starts_with("book: ")) {  // after a reload
    play([&](ps::session& s, ps::outbox& out) { s.on_book(book(what.substr(6)), out); });
  } else if (what == "no book") {  // another session's DDL
    play([](ps::session& s, ps::outbox& out) { s.on_book(nullptr, out); });
  } else if (what == "cancel") {
    play([](ps::session& s, ps::outbox& out) { s.on_cancel(out); });
  } else if (what == "drain") {
    play([](ps::session& s, ps::outbox& out) { s.on_drain(out); });
  } else if (what == "terminate") {
    play([](ps::session& s, ps::outbox& out) { s.on_terminate("time is up", out); });
  } else if (what == "client closed") {
    play([](ps::session& s, ps::outbox& out) { s.on_client_closed(out); });
  } else if (what == "server closed") {
    play([](ps::session& s, ps::outbox& out) { s.on_server_closed("connection reset", out); });
  } else if (what.starts_with("time +")) {
    int seconds = 0;
    std::from_chars(what.data() + 6, what.data() + what.size(), seconds);
    now += std::chrono::seconds(seconds);
    play([](ps::session& s, ps::outbox& out) { s.on_time(out); });
  } else if (what.starts_with("rival ")) {
    rival(what.substr(6));
  } else if (what.starts_with("row ")) {
    row(what.substr(4));
  } else {
    return false;
  }
  return true;
}

/// Others who write wallet 1 at PostgreSQL, or wait to: 99 alone, 100 with whoever comes behind it.
void actor::row(std::string_view what) {
  constexpr ps::session_id alone = 99;
  constexpr ps::session_id other = 100;
  using namespace std::string_literals;
  ps::session_kind kind;
  for (const char* part : {"", "user", "app", "database", "shop", "client_encoding", "UTF8",
                           "standard_conforming_strings", "on"}) {
    kind.add(part);
  }
  const ps::shared_row name(ps::row_name(session.database(), 16384, {{1, "1"}}), kind);
  ps::wake_list wake;
  if (what == "is busy") {
    static_cast<void>(rows.groups.take(name, alone, now));
  } else if (what == "is waited for") {
    auto job = std::make_shared<ps::group_job>();
    job->statements.emplace_back();
    job->statements.back().sql = "UPDATE wallets SET balance = balance + 5 WHERE id = 1";
    static_cast<void>(rows.groups.enter(name, other, job, now, wake));
  } else if (what == "is written") {
    rows.groups.done(name, alone, now, wake);
  } else if (what == "is shared") {
    led_ = rows.groups.lead(name, other, now).members.size();
  } else {
    ps::group_result result;
    result.what = what == "is lost" ? ps::group_result::type::lost : ps::group_result::type::committed;
    result.frames.assign(led_, "C\0\0\0\rUPDATE 1\0"s);
    rows.groups.finish(name, other, std::move(result), now, wake);
  }
  if (!wake.empty()) play([](ps::session& s, ps::outbox& out) { s.on_turn(out); });
}

/// Another session reads a wallet by its id and so takes its turn, or writes it, which ends the turn.
void actor::rival(std::string_view what) {
  constexpr ps::session_id other = 99;
  const std::string id(what.substr(what.find(' ') + 1));
  const std::vector<ps::row_id> row{ps::row_name(session.database(), 16384, {{1, id}})};
  ps::wake_list wake;
  if (what.starts_with("reads ")) {
    ps::turn_request request;
    request.who = request.owner = other;
    request.rule = "wallet-balance";
    request.mode = rules::turns::on;
    request.rows = row;
    static_cast<void>(rows.turns.ask(request, now, wake));
  } else {
    rows.turns.wrote(other, row, now, wake);
  }
  if (!wake.empty()) play([](ps::session& s, ps::outbox& out) { s.on_turn(out); });
}

}  // namespace stage
