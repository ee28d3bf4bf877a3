#include "tests/session/stage.hpp"

#include <charconv>

namespace stage {

namespace ps = proxy::session;

std::shared_ptr<const rules::rule_set> rule_set() {
  static const auto made = [] {
    auto set = std::make_shared<rules::rule_set>();
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
    stock.lock_timeout = std::chrono::milliseconds(0);
    set->rules = {wallet, stock};
    return std::shared_ptr<const rules::rule_set>(set);
  }();
  return made;
}

ps::book_ptr book() {
  static const auto made = [] {
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
    known.tables = {wallets, items};
    return rules::rule_book::compile(*rule_set(), known, "app", false);
  }();
  return made;
}

void effects::add(const ps::outbox& out) {
  to_client.append(out.to_client.owned()).append(out.to_client.borrowed());
  to_server.append(out.to_server.owned()).append(out.to_server.borrowed());
  events.insert(events.end(), out.events.begin(), out.events.end());
  if (out.request != ps::request_kind::none) request = out.request;
  want_book = want_book || out.want_book;
  if (out.close_reason) close_reason = out.close_reason;
}

actor::actor(bool guarded, bool known, std::optional<ps::refusal> refused)
    : session(cache, std::move(refused)), guarded_(guarded), known_(known) {}

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
  } else if (what == "unreachable") {
    play([](ps::session& s, ps::outbox& out) { s.on_server_unreachable("connection refused", out); });
  } else if (what == "book") {
    play([](ps::session& s, ps::outbox& out) { s.on_book(book(), out); });
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
  } else {
    return false;
  }
  return true;
}

}  // namespace stage
