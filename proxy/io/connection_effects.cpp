// Carrying out a session's effects: bytes, counts, the server connection, cancel requests and the end.
#include <array>

#include <boost/asio/post.hpp>

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

/// A connection that only carries a cancel request: PostgreSQL closes it when the signal has been sent.
struct cancel_request {
  peer to;
  boost::asio::steady_timer timer;
};

/// Under TLS there may be something to read before the end, and closing with bytes unread resets.
void await_end(const std::shared_ptr<cancel_request>& of) {
  of->to.wait_readable([of](error_code error) {
    std::array<char, 256> ignored{};
    const transfer got = error ? transfer{} : of->to.read(ignored);
    const bool open = !error && !got.error && !got.ended;
    if (open) return await_end(of);
    of->timer.cancel();
  });
}

}  // namespace

void connection::carry_out(session::outbox& out) {
  send_to_server(out.to_server);
  send_to_client(out.to_client);
  for (const event& what : out.events) count(what);
  if (out.request == session::request_kind::connect_server) connect_server();
  if (out.request == session::request_kind::secure_client && !out.close_reason) secure_client(false);
  if (out.request == session::request_kind::forward_cancel) forward_cancel(std::move(out.cancel_packet));
  for (const session::session_id who : out.wake) wake(who);
  if (out.want_book) {
    // Asked again from the loop: the catalog may have become known between the session's look and this one.
    book_generation_ = 0;
    waits_since_ = home_.services().books.invalidated(session_.database());
    boost::asio::post(home_.loop(), [self = shared_from_this()] { self->renew_book(); });
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
  if (target) boost::asio::post(target->home().loop(), [target] { target->take_turn(); });
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
    boost::asio::post(target->home().loop(), [target] { target->cancel(); });
  }
  const auto then = [self = shared_from_this(), packet = std::move(packet)](const std::string&,
                                                                            std::optional<peer> server) {
    if (!server || self->closed_) return self->finish();
    self->server_.emplace(std::move(*server));
    self->home_.services().metrics.server_opened();
    session::channel bytes;
    bytes.append(packet);
    if (self->server_->write(bytes)) return self->finish();
    self->timer_.expires_after(session::limits::cancel_time);
    self->timer_.async_wait([self](error_code error) {
      if (!error) self->finish();
    });
    self->await_cancelled();
  };
  home_.dialer().dial(tls_, then);
}

/// Under TLS there may be something to read before the end, and closing with bytes unread resets.
void connection::await_cancelled() {
  server_->wait_readable([self = shared_from_this()](error_code error) {
    if (self->closed_) return;
    const transfer got = error ? transfer{} : self->server_->read(self->home_.read_buffer());
    const bool open = !error && !got.error && !got.ended;
    open ? self->await_cancelled() : self->finish();
  });
}

void connection::send_to_client(const session::channel& bytes) {
  if (bytes.empty() || securing_client_) return;
  if (const error_code error = client_.write(bytes)) {
    return begin_close("client connection lost: " + error.message());
  }
  if (client_.pending() > 0) wait_to_send(true);
}

void connection::send_to_server(const session::channel& bytes) {
  if (bytes.empty() || !server_) return;
  // A failed write is not the end: the server may have said why, and reading will tell.
  if (server_->write(bytes)) return;
  if (server_->pending() > 0) wait_to_send(false);
}

void connection::wait_to_send(bool to_client) {
  bool& waiting = to_client ? sending_client_ : sending_server_;
  if (waiting) return;
  waiting = true;
  peer& to = to_client ? client_ : *server_;
  to.wait_writable([self = shared_from_this(), to_client](error_code error) {
    (to_client ? self->sending_client_ : self->sending_server_) = false;
    if (error || self->closed_ || (!to_client && !self->server_)) return;
    peer& writable = to_client ? self->client_ : *self->server_;
    const error_code failed = writable.flush();
    if (failed && to_client)
      return self->closing_ ? self->finish() : self->begin_close("client connection lost");
    if (!failed && writable.pending() > 0) return self->wait_to_send(to_client);
    if (self->closing_) return self->finish();
    if (!to_client) self->end_with_client();
    self->read_client();
    self->read_server();
    self->resume_client();
  });
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
  wait_to_send(true);
  timer_.expires_after(session::limits::closing_time);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->finish();
  });
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
    auto request = std::make_shared<cancel_request>(
        cancel_request{std::move(*server), boost::asio::steady_timer(loop, session::limits::cancel_time)});
    session::channel bytes;
    bytes.append(packet);
    if (request->to.write(bytes)) return;
    request->timer.async_wait([request](error_code) { request->to.close(); });
    await_end(request);
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
