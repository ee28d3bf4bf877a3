#include "tests/session/money/world.hpp"

#include <algorithm>

#include "protocol/startup.hpp"

namespace money {
namespace {

namespace ps = proxy::session;
using namespace std::chrono_literals;

ps::plan_cache& plans() {
  static ps::plan_cache all;
  return all;
}

constexpr int most_moves = 200'000;

}  // namespace

world::world(setting how) : how_(how), random_(how.seed) {
  database_.tells = how.tells;
  open_estate();
  seat_clients();
}

void world::open_estate() {
  const int wallets = 1 + random_.pick(4);
  for (int id = 1; id <= wallets; ++id) estate_.wallets.push_back(id);
  estate_.items = {100, 102};
  for (const std::int64_t id : estate_.wallets) opening_[id] = 100 * (40 + random_.pick(100));
  for (const std::int64_t id : estate_.items) opening_[id] = 100;
  for (const auto& [id, balance] : opening_) database_.insert(id, {user_of(id), balance});
}

manner world::any_manner(std::size_t index, bool direct) {
  manner made;
  made.extended = random_.one_in(2);
  made.named = random_.one_in(2) && !pooled_;
  if (how_.under == nullptr) return made;
  made.decimals = how_.under->decimals;
  // Where reads end in time, one who trusts an old one is not protected.
  const rules::rule& rule = how_.under->rule();
  made.trusts_last = rule.reread == rules::reread::last || rule.on_blind_write == rules::policy::reject;
  const bool traces = how_.under->rule().correlate == rules::correlate::trace && !direct;
  if (traces) made.traces = "4bf92f" + std::to_string(10 + index);
  return made;
}

void world::seat_clients() {
  const auto correlate = how_.under == nullptr ? rules::correlate::session : how_.under->rule().correlate;
  pooled_ = correlate != rules::correlate::session && random_.one_in(2);
  const std::size_t houses = random_.one_in(4) ? 2 : 1;
  for (std::size_t i = 0; i < houses; ++i) houses_.push_back(std::make_unique<ps::neighbourhood>());
  troubles_ = random_.one_in(3) ? 0 : random_.pick(6);
  reloads_ = random_.one_in(4);
  if (how_.under != nullptr) rules_now_ = how_.under->books.front();
  const auto count = static_cast<std::size_t>(2 + random_.pick(5));
  const bool bypassed = random_.one_in(4);
  const int most_units = correlate == rules::correlate::client ? 2 : 3;  // the former need many tries
  for (std::size_t i = 0; i < count + (bypassed ? 1 : 0); ++i) {
    const bool direct = i == count;
    std::vector<unit> units;
    for (int more = 1 + random_.pick(most_units); more > 0; --more) {
      const auto shape =
          direct ? safe_unit : (correlate == rules::correlate::client ? simple_unit : any_unit);
      units.push_back(shape(random_, estate_));
    }
    seat made;
    made.house = i % houses;
    made.direct = direct;
    made.address = random_.one_in(2) ? "10.0.0.1" : "10.0.0.2";
    if (correlate != rules::correlate::session) made.address = "10.0.0.1";
    made.who = std::make_unique<client>(any_manner(i, direct), std::move(units), estate_, book_, random_);
    seats_.push_back(std::move(made));
  }
  if (!pooled_) return;
  for (std::size_t i = 0; i < houses * 2 + 1; ++i) open(i % houses, "10.0.0.1", false);
}

link& world::open(std::size_t house, const std::string& address, bool direct) {
  auto made = std::make_unique<link>();
  made->id = next_id_++;
  made->house = house;
  const bool through = how_.under != nullptr && !direct;
  const int decimals = how_.under != nullptr ? how_.under->decimals : 2;
  made->server = std::make_unique<connection>(database_, made->id, decimals, through);
  if (through)
    made->session =
        std::make_unique<ps::session>(plans(), *houses_[house], ps::session_identity{made->id, address});
  links_.push_back(std::move(made));
  link& opened = *links_.back();
  if (through) {
    const protocol::startup_parameter parameters[] = {{"user", "app"}, {"database", "shop"}};
    static_cast<void>(protocol::encode_startup_message(3, 0, parameters, opened.to_session));
  }
  return opened;
}

/// Where the client may speak now; null: all its pool's connections are in use.
link* world::place_for(seat& of) {
  if (of.at != nullptr && (!pooled_ || of.direct || !of.who->is_between())) return of.at;
  if (!pooled_ || of.direct) {
    of.at = &open(of.house, of.address, of.direct);
    of.at->user = of.who.get();
    return of.at;
  }
  std::vector<link*> idle;
  for (const auto& each : links_) {
    const bool free = each->user == nullptr || each->user->is_between();
    if (!each->closed && free && each->session && each->house == of.house) idle.push_back(each.get());
  }
  if (idle.empty()) return nullptr;
  link* chosen = idle[static_cast<std::size_t>(random_.pick(static_cast<int>(idle.size())))];
  for (seat& each : seats_) {
    if (each.at == chosen) each.at = nullptr;
  }
  if (of.at != nullptr) of.at->user = nullptr;
  of.at = chosen;
  chosen->user = of.who.get();
  return chosen;
}

void world::at_session(link& which, const happening& event) {
  ps::outbox out;
  out.now = now_;
  event(*which.session, out);
  which.to_client.append(out.to_client.owned()).append(out.to_client.borrowed());
  which.to_server.append(out.to_server.owned()).append(out.to_server.borrowed());
  woken_.insert(woken_.end(), out.wake.begin(), out.wake.end());
  which.session->settle();
  if (out.close_reason && which.leaving) {
    which.leaving = false;
    end(which);
  }
  if (out.close_reason && !which.closed) failure_ = "a session has ended: " + *out.close_reason;
  if (out.request != ps::request_kind::connect_server) return;
  which.session->guard(how_.under->rules, rules_now_, 5s);
  at_session(which, [](ps::session& of, ps::outbox& more) { of.on_server_connected(more); });
}

std::string world::cut(std::string& from) {
  const bool whole = random_.one_in(2);
  const std::size_t size = whole ? from.size() : 1 + static_cast<std::size_t>(random_.pick(300));
  std::string piece = from.substr(0, size);
  from.erase(0, piece.size());
  return piece;
}

std::vector<world::possible> world::possible_moves() {
  std::vector<possible> all;
  all.reserve(16);
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const seat& each = seats_[i];
    if (!each.who->finished() && !each.who->awaits() && each.ready <= now_) all.push_back({move::speak, i});
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const link& each = *links_[i];
    const ps::session* session = each.session.get();
    if (!each.to_server.empty()) all.push_back({move::to_server, i});
    if (each.server->can_step(now_)) all.push_back({move::serve, i});
    if (each.closed) continue;
    if (!each.knows_rules) all.push_back({move::learn, i});
    if (!each.to_session.empty() && session->wants_client_bytes()) all.push_back({move::to_session, i});
    if (!each.to_session_back.empty()) all.push_back({move::back, i});
    if (!each.to_client.empty() && each.user != nullptr) all.push_back({move::hear, i});
    if (session != nullptr && session->deadline() && *session->deadline() <= now_)
      all.push_back({move::on_time, i});
  }
  for (std::size_t i = 0; i < woken_.size(); ++i) all.push_back({move::wake, i});
  return all;
}

void world::do_move(const possible& which) {
  if (which.what == move::speak) return speak(seats_[which.index]);
  if (which.what == move::wake) {
    const std::uint64_t id = woken_[which.index];
    woken_.erase(woken_.begin() + static_cast<std::ptrdiff_t>(which.index));
    for (const auto& each : links_) {
      if (each->id != id || each->closed) continue;
      return at_session(*each, [](ps::session& of, ps::outbox& out) { of.on_turn(out); });
    }
    return;
  }
  link& at = *links_[which.index];
  switch (which.what) {
    case move::to_session: {
      const std::string bytes = cut(at.to_session);
      return at_session(at, [&](ps::session& of, ps::outbox& out) { of.on_client_bytes(bytes, out); });
    }
    case move::to_server:
      at.server->receive(cut(at.to_server));
      at.to_session_back.append(at.server->take_output());  // the greeting
      if (at.closed && at.to_server.empty()) at.server->end_of_input();
      return;
    case move::serve:
      at.server->step(now_);
      (at.session ? at.to_session_back : at.to_client).append(at.server->take_output());
      return;
    case move::back: {
      const std::string bytes = cut(at.to_session_back);
      return at_session(at, [&](ps::session& of, ps::outbox& out) { of.on_server_bytes(bytes, out); });
    }
    case move::hear: {
      const std::string bytes = cut(at.to_client);
      const bool heard_error = at.user->hear(bytes, at.acknowledged);
      for (seat& each : seats_) {
        // Whoever has failed waits before he tries again, longer each time.
        if (!heard_error || each.who.get() != at.user) continue;
        each.ready = now_ + std::chrono::milliseconds(random_.pick(50 << std::min(at.user->tries(), 8)));
      }
      if (at.user->is_between())
        database_.tell("client on " + std::to_string(at.id) + " has heard: " + at.user->doing());
      return;
    }
    case move::learn:
      at.knows_rules = true;
      return at_session(at, [&](ps::session& of, ps::outbox& out) { of.on_book(rules_now_, out); });
    default:
      return at_session(at, [](ps::session& of, ps::outbox& out) { of.on_time(out); });
  }
}

void world::speak(seat& of) {
  if (random_.one_in(12)) {
    of.ready = now_ + std::chrono::milliseconds(random_.pick(random_.one_in(4) ? 6000 : 300));
    return;
  }
  link* at = place_for(of);
  if (at == nullptr) return;
  // Nobody writes what rests on a read that has long ended.
  if (!of.who->begins_anew() && now_ - of.began > 40s) of.who->lose_interest();
  if (of.who->begins_anew()) of.began = now_;
  const std::string bytes = of.who->next_bytes();
  database_.tell("client on " + std::to_string(at->id) + ": " + of.who->doing());
  (at->session ? at->to_session : at->to_server).append(bytes);
}

/// Something that a well-behaved client does not do.
void world::trouble(seat& of) {
  if (of.direct || of.who->finished()) return;
  --troubles_;
  switch (random_.pick(reloads_ ? 5 : 4)) {
    case 4:
      return reload();
    case 0:
      if (of.at != nullptr && of.at->user == of.who.get()) vanish(*of.at);
      return;
    case 1:
      if (of.at == nullptr || of.at->closed || !of.who->awaits()) return;
      if (of.at->session) at_session(*of.at, [](ps::session& at, ps::outbox& out) { at.on_cancel(out); });
      of.at->server->cancel();
      return;
    case 2:
      return of.who->lose_interest();
    default:
      of.ready = now_ + std::chrono::milliseconds(random_.pick(8000));
  }
}

void world::vanish(link& which) {
  database_.tell("the client on " + std::to_string(which.id) + " vanishes");
  which.maybe = which.user->lose_connection();
  for (seat& each : seats_) {
    if (each.at == &which) each.at = nullptr;
  }
  which.user = nullptr;
  close(which);
  if (pooled_) open(which.house, "10.0.0.1", false);
}

/// The rule guards other columns, or in another way, or as at first; each session learns of it when it comes
/// to it.
void world::reload() {
  if (how_.under == nullptr) return;
  const auto& books = how_.under->books;
  rules_now_ = books[static_cast<std::size_t>(random_.pick(static_cast<int>(books.size())))];
  database_.tell("the rules are loaded anew");
  for (const auto& each : links_) each->knows_rules = !each->session;
}

/// Bytes that were not sent yet may be lost with it.
void world::close(link& which) {
  if (which.leaving) return;
  which.leaving = which.session && which.session->leads_group();
  which.closed = !which.leaving;
  if (which.session) at_session(which, [](ps::session& of, ps::outbox& out) { of.on_client_closed(out); });
  if (which.closed) end(which);
}

void world::end(link& which) {
  which.closed = true;
  if (random_.one_in(2)) which.to_server.clear();
  if (which.to_server.empty()) which.server->end_of_input();
}

void world::pass_time() {
  const int most = random_.one_in(15) ? 3000 : 40;
  now_ += std::chrono::milliseconds(1 + random_.pick(most));
}

bool world::jump_to_next_event() {
  std::optional<time_point> next;
  const auto consider = [&](std::optional<time_point> when) {
    if (when && *when > now_ && (!next || *when < *next)) next = when;
  };
  for (const seat& each : seats_) {
    if (!each.who->finished() && !each.who->awaits()) consider(each.ready);
  }
  for (const auto& each : links_) {
    if (!each->closed && each->session) consider(each->session->deadline());
    consider(each->server->deadline());
  }
  if (next) now_ = *next;
  if (next) database_.tell("time passes: " + std::to_string(now_.time_since_epoch() / 1ms));
  return next.has_value();
}

bool world::all_finished() const {
  return std::all_of(seats_.begin(), seats_.end(), [](const seat& each) { return each.who->finished(); });
}

std::string world::state() const {
  std::string text;
  for (const seat& each : seats_) {
    text += "\n  client: " + each.who->doing();
    if (each.at != nullptr) text += " on " + std::to_string(each.at->id);
  }
  for (const auto& each : links_) {
    text += "\n  connection " + std::to_string(each->id) + (each->closed ? " closed" : "") +
            (each->server->waits() ? " waits for a row" : "") +
            (each->server->in_transaction() ? " in a transaction" : "");
    if (each->session) text += " held " + std::to_string(static_cast<int>(each->session->held()));
  }
  return text;
}

std::string world::play() {
  for (int moves = 0; !all_finished(); ++moves) {
    for (const seat& each : seats_) {
      if (!each.who->trouble().empty()) return each.who->trouble();
    }
    if (!failure_.empty()) return failure_;
    if (moves == most_moves) return "it does not come to an end:" + state();
    if (troubles_ > 0 && random_.one_in(150)) {
      trouble(seats_[static_cast<std::size_t>(random_.pick(static_cast<int>(seats_.size())))]);
    }
    if (random_.one_in(25)) pass_time();
    const auto all = possible_moves();
    if (!all.empty()) {
      do_move(all[static_cast<std::size_t>(random_.pick(static_cast<int>(all.size())))]);
    } else if (!all_finished() && !jump_to_next_event()) {
      return "somebody is left waiting for ever:" + state();
    }
  }
  leave();
  return failure_;
}

/// All say good-bye; what is under way at the server comes to its end.
void world::leave() {
  for (const auto& each : links_) {
    if (!each->closed) close(*each);
  }
  for (int moves = 0; moves < most_moves; ++moves) {
    const auto all = possible_moves();
    if (!all.empty()) {
      do_move(all.front());
    } else if (!jump_to_next_event()) {
      return;
    }
  }
}

}  // namespace money
