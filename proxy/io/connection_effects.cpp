// Carrying out a session's effects: bytes, counts, the server connection, cancel requests and the end.
#include <array>

#include "protocol/frontend.hpp"
#include "protocol/startup.hpp"
#include "proxy/io/connection.hpp"
#include "proxy/io/worker.hpp"
#include "proxy/session/limits.hpp"

namespace proxy::io {
namespace {

using session::event;

ops::conflict_cause cause_of(const std::string& cause) {
  using enum ops::conflict_cause;
  if (cause == "55P03") return lock_timeout;
  if (cause == "40P01") return deadlock;
  if (cause == "changed") return changed;
  if (cause == "gone") return gone;
  if (cause == "turns") return turns;
  if (cause == "duplicate") return duplicate;
  return cause == "lost_update" ? lost_update : serialization;
}

std::string version_of(const peer& of) {
  return of.tls() == nullptr ? "none" : std::string(of.tls()->version());
}

std::string at_second(std::chrono::system_clock::time_point when) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch());
  return std::to_string(ms.count() / 1000) + "." + std::to_string(1000 + ms.count() % 1000).substr(1);
}

/// Under TLS there may be something to read before the end, and closing with bytes unread resets.
bool has_ended(peer& of) {
  std::array<char, 256> ignored{};
  const transfer got = of.read(ignored);
  if (of.readable()) of.look_again();
  return got.error || got.ended;
}

/// A connection that only carries a cancel request: PostgreSQL closes it when the signal has been sent.
struct cancel_request {
  cancel_request(event_loop& loop, peer server) : to(std::move(server)), limit(loop) {}
  void end() {
    to.close();
    limit.cancel();
  }

  peer to;
  timer limit;
};

}  // namespace

void connection::carry_out(session::outbox& out) {
  send_to_server(out.to_server);
  for (const session::session_id who : out.wake) wake(who);  // before what takes longer
  send_to_client(out.to_client);
  for (const event& what : out.events) count(what);
  if (out.request == session::request_kind::connect_server) connect_server();
  if (out.request == session::request_kind::secure_client && !out.close_reason) secure_client(false);
  if (out.request == session::request_kind::forward_cancel) forward_cancel(std::move(out.cancel_packet));
  if (out.want_book) {
    // Asked again from the loop: the catalog may have become known between the session's look and this one.
    book_generation_ = 0;
    waits_since_ = home_.services().books.invalidated(session_.database());
    home_.loop().post([self = shared_from_this()] { self->renew_book(); });
  }
  if (out.close_reason) begin_close(std::move(*out.close_reason));
}

void connection::count(const event& what) {
  auto& metrics = home_.services().metrics;
  switch (what.what) {
    case event::type::statement:
      return metrics.statement(what.rule, what.kind, what.action);
    case event::type::unguarded:
      return metrics.unguarded(what.rule, what.reason);
    case event::type::bounds_rejection:
      return metrics.bounds_rejection(what.rule);
    case event::type::conflict:
      return metrics.conflict(what.rule, cause_of(what.sqlstate));
    case event::type::lock_wait:
      return metrics.lock_wait(what.rule, what.waited);
    case event::type::turn_wait:
      return metrics.turn_wait(what.rule, what.waited);
    case event::type::group_commit:
      return metrics.group_commit(what.rule, what.size);
    case event::type::lost_update:
      metrics.conflict(what.rule, ops::conflict_cause::lost_update);
      return report_lost(what);
    case event::type::error:
      return metrics.error(what.sqlstate);
    case event::type::plan_cache_hit:
      return home_.tally().plan_cache_hits.add(1);
    case event::type::plan_cache_miss:
      return home_.tally().plan_cache_misses.add(1);
    case event::type::schema_change:
      return home_.services().catalogs.invalidate(session_.database());
    case event::type::catalog_doubt:
      return home_.services().catalogs.refresh(session_.database());
  }
}

/// mode = "observe": somebody's write is gone, and nobody was told.
void connection::report_lost(const event& what) {
  const session::lost_update& lost = *what.overtaken;
  const auto now = clock::now();
  const auto today = std::chrono::system_clock::now();
  const auto at = [&](clock::time_point when) {
    return at_second(today - std::chrono::duration_cast<std::chrono::system_clock::duration>(now - when));
  };
  home_.services().log.event(ops::log_level::warn, "lost update",
                             {{"rule", what.rule},
                              {"database", session_.database()},
                              {"lost_statement", lost.lost.statement},
                              {"lost_application", lost.lost.application},
                              {"lost_committed", at(lost.lost.committed)},
                              {"statement", lost.winner.statement},
                              {"application", lost.winner.application},
                              {"read", lost.winner.read ? at(*lost.winner.read) : std::string("-")},
                              {"committed", at(lost.winner.committed)}});
}

void connection::wake(session::session_id who) {
  const auto target = home_.services().sessions.find(who);
  if (target) target->home().loop().post([target] { target->take_turn(); });
}

void connection::connect_server() {
  auto& books = home_.services().books;
  if (books.concerns(session_.database(), session_.user())) {
    book_generation_ = books.generation();
    session_.guard(books.rules(), books.get(session_.database(), session_.user()),
                   home_.services().settings.upstream.connect_timeout);
  }
  home_.dialer().dial(tls_,
                      [self = shared_from_this()](const std::string& reason, std::optional<peer> server) {
                        self->on_dialed(reason, std::move(server));
                      });
}

/// The client is closed when PostgreSQL has closed the cancel connection: then the signal has been sent.
void connection::forward_cancel(std::string packet) {
  cancelling_ = true;
  if (const auto target = home_.services().cancels.find(session_.key())) {
    target->home().loop().post([target] { target->cancel(); });
  }
  const auto then = [self = shared_from_this(), packet = std::move(packet)](const std::string&,
                                                                            std::optional<peer> server) {
    if (!server || self->closed_) return self->finish();
    self->server_.emplace(std::move(*server));
    self->server_->watch(self->home_.loop(), [self] { self->on_server_change(); });
    self->home_.services().metrics.server_opened();
    session::channel bytes;
    bytes.append(packet);
    if (self->server_->write(bytes)) return self->finish();
    self->timer_.after(session::limits::cancel_time, [self] { self->finish(); });
    self->on_cancelled();
  };
  home_.dialer().dial(tls_, then);
}

void connection::on_cancelled() {
  if (server_->has_room() && server_->flush()) return finish();
  if (has_ended(*server_)) finish();
}

void connection::send_to_client(const session::channel& bytes) {
  if (bytes.empty() || securing_client_) return;
  if (const error_code error = client_.write(bytes)) {
    begin_close("client connection lost: " + error.message());
  }
}

void connection::send_to_server(const session::channel& bytes) {
  if (bytes.empty() || !server_) return;
  // A failed write is not the end: the server may have said why, and reading will tell.
  static_cast<void>(server_->write(bytes));
}

void connection::on_room(bool to_client) {
  peer& writable = to_client ? client_ : *server_;
  const error_code failed = writable.flush();
  if (failed && to_client) return closing_ ? finish() : begin_close("client connection lost");
  if (!failed && writable.pending() > 0) return;
  if (closing_) return finish();
  if (!to_client) end_with_client();
  read_client();
  read_server();
  resume_client();
}

void connection::register_key() {
  if (key_registered_ || closing_ || session_.phase() != session::session_phase::ready) return;
  key_registered_ = true;
  if (!session_.key().key.empty()) home_.services().cancels.add(session_.key(), weak_from_this());
  home_.services().log.event(ops::log_level::debug, "client ready",
                             {{"user", session_.user()},
                              {"database", session_.database()},
                              {"application", session_.application()},
                              {"guarded", session_.guarded()},
                              {"client_tls", version_of(client_)},
                              {"server_tls", server_ ? version_of(*server_) : ""}});
}

/// What is pending for the client is still sent, for a bounded time; the server is left at once.
void connection::begin_close(std::string reason) {
  if (closing_ || closed_) return;
  closing_ = true;
  close_reason_ = std::move(reason);
  timer_.cancel();
  if (cancelling_) return;
  close_server();
  if (client_.pending() == 0 || close_reason_.starts_with("client connection lost")) return finish();
  timer_.after(session::limits::closing_time, [self = shared_from_this()] { self->finish(); });
}

void connection::close_server() {
  if (!server_) return;
  if (!cancelling_ && (session_.waits_for_lock() || (client_gone_ && session_.is_for_nobody())))
    cancel_backend();
  if (session_.phase() == session::session_phase::closed && server_->pending() == 0 && !server_ending_) {
    session::channel goodbye;
    goodbye.append(protocol::frontend::terminate_frame);
    static_cast<void>(server_->write(goodbye));
  }
  server_->close();
  server_.reset();
  home_.services().metrics.server_closed();
}

/// What runs is ended on PostgreSQL's side; nothing depends on whether that comes in time.
void connection::cancel_backend() {
  std::string packet;
  const session::cancel_key& key = session_.key();
  if (!protocol::encode_cancel_request(key.process_id, key.key, packet)) return;
  auto& loop = home_.loop();
  home_.dialer().dial(tls_, [packet, &loop](const std::string&, std::optional<peer> server) {
    if (!server) return;
    const auto request = std::make_shared<cancel_request>(loop, std::move(*server));
    request->to.watch(loop, [request] {
      if (request->to.has_room() && request->to.flush()) return request->end();
      if (has_ended(request->to)) request->end();
    });
    request->limit.after(session::limits::cancel_time, [request] { request->end(); });
    session::channel bytes;
    bytes.append(packet);
    if (request->to.write(bytes)) request->end();
  });
}

void connection::close_client() {
  client_.close();
}

void connection::finish() {
  if (closed_) return;
  closed_ = true;
  timer_.cancel();
  close_server();
  close_client();
  if (key_registered_) home_.services().cancels.remove(session_.key());
  home_.services().sessions.remove(id_);
  // Where the connection broke, the session has not heard of it: others may wait for its turns.
  session::outbox out;
  out.now = clock::now();
  session_.on_lost(out);
  for (const session::session_id who : out.wake) wake(who);
  home_.services().clients.fetch_sub(1);
  const auto lived = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - opened_);
  home_.services().log.event(ops::log_level::info, "client closed",
                             {{"reason", close_reason_},
                              {"user", session_.user()},
                              {"database", session_.database()},
                              {"application", session_.application()},
                              {"client", address_},
                              {"lived_ms", lived.count()}});
  home_.forget(*this);
}

}  // namespace proxy::io
