#include "proxy/io/connection.hpp"

#include "proxy/io/worker.hpp"
#include "proxy/session/limits.hpp"

namespace proxy::io {
namespace {

std::optional<session::refusal> too_many(bool over_limit) {
  if (!over_limit) return std::nullopt;
  return session::refusal{.sqlstate = "53300",
                          .message = "sorry, too many clients already",
                          .detail = "listen.max_connections of pgteller has been reached.",
                          .hint = {},
                          .rule = {},
                          .schema = {},
                          .table = {},
                          .column = {}};
}

/// The address without its port: what all of a client's connections share.
std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

}  // namespace

connection::connection(worker& home, peer client, std::string address, bool over_limit)
    : home_(home),
      tls_(home.services().tls.now()),
      client_(std::move(client)),
      id_(home.services().sessions.next()),
      session_(home.plans(), home.services().rows, {id_, host_of(address)}, too_many(over_limit)),
      timer_(home.loop()),
      opened_(clock::now()),
      address_(std::move(address)) {
  if (tls_->for_clients) {
    session_.offer_tls(tls_->clients_must ? session::tls_policy::require : session::tls_policy::allow);
  }
  session_.keep_statements(home_.services().settings.upstream.statement_cache);
  startup_until_ = opened_ + home_.services().settings.listen.startup_timeout;
  home_.services().metrics.client_opened();
}

connection::~connection() {
  home_.services().metrics.client_closed();
}

template <class Event>
void connection::step(Event event) {
  if (closing_ || closed_) return;
  session::outbox out;
  out.now = home_.loop().now();
  out.events.swap(home_.spare_events());
  event(out);
  carry_out(out);
  out.events.clear();
  out.events.swap(home_.spare_events());
  session_.settle();
  if (closing_ || closed_) return;
  read_client();
  read_server();
  resume_client();
  arm_timer();
  if (server_ending_) end_with_client();
}

void connection::start() {
  home_.services().sessions.add(id_, weak_from_this());
  first_byte_seen_ = !tls_->for_clients;
  client_.watch(home_.loop(), [self = shared_from_this()] { self->on_client_change(); });
  arm_timer();
}

void connection::on_client_change() {
  if (closed_) return;
  if (securing_client_) return closing_ ? void() : shake_hands();
  if (client_.has_room()) on_room(true);
  if (client_.readable() && may_read_client()) on_client_readable();
}

bool connection::may_read_client() const noexcept {
  if (securing_client_ || client_ended_ || closing_ || closed_ || !session_.wants_client_bytes())
    return false;
  return !server_ || server_->pending() <= session::limits::outgoing_bytes;
}

/// What was left in the socket, if anything, may be read now; the others have their turn first.
void connection::read_client() {
  if (client_.readable() && may_read_client()) client_.look_again();
}

/// Once, so that a client that sends much has no more than its share.
void connection::on_client_readable() {
  if (!first_byte_seen_ && begins_with_tls()) return;
  const auto buffer = home_.read_buffer();
  const transfer got = client_.read(buffer);
  if (got.blocked) return;
  if (got.error || got.ended) return on_client_ended(!got.ended);
  if (session_.guarded()) renew_book();
  home_.tally().bytes_to_server.add(got.bytes);
  const auto take = [&](session::outbox& out) { session_.on_client_bytes({buffer.data(), got.bytes}, out); };
  if (!home_.tally().samples_overhead()) return step(take);
  const auto began = clock::now();
  step(take);
  home_.tally().overhead(clock::now() - began);
}

/// The client sends no more; `gone`: nor does it read.
void connection::on_client_ended(bool gone) {
  if (gone && !session_.guarded()) return begin_close("client connection lost");
  client_ended_ = true;
  client_gone_ = gone || session_.terminated();
  const bool abandoned = gone && session_.held() != session::hold::none;
  if (!server_ || abandoned) {
    return step([&](session::outbox& out) { session_.on_client_closed(out); });
  }
  server_ending_ = true;
  end_with_client();
  expect_end();
}

/// Whoever may have left waits for no turn. The server is told of the end behind the client's last message.
void connection::end_with_client() {
  if (!server_ending_ || closing_ || closed_ || !server_) return;
  if (session_.held() == session::hold::turn) return cancel();
  if (server_told_ || server_->pending() > 0 || session_.has_untaken()) return;
  server_told_ = true;
  server_->end_sending();
}

/// PostgreSQL has just been told of the client's end, or has just answered: it has some time again.
void connection::expect_end() {
  if (!client_ended_ || closing_ || closed_ || !session_.guarded()) return;
  vanished_at_ = clock::now() + session::limits::vanished_client_time;
  arm_timer();
}

void connection::on_vanished() {
  client_gone_ = client_gone_ || session_.terminated();
  const bool sent = !server_ || server_told_ || (server_->pending() == 0 && session_.waits_for_lock());
  const bool over = client_gone_ || session_.owes_nothing() || session_.waits_for_lock();
  if (!sent || !over || session_.leads_group()) return expect_end();
  step([&](session::outbox& out) { session_.on_client_closed(out); });
}

void connection::on_server_change() {
  if (closed_ || !server_) return;
  if (cancelling_) return on_cancelled();
  if (server_->has_room()) on_room(false);
  if (may_read_server() && server_->readable()) on_server_readable();
}

bool connection::may_read_server() const noexcept {
  const bool slow = client_.pending() > session::limits::outgoing_bytes;
  return server_ && !closing_ && !closed_ && (!slow || session_.holds_row());
}

void connection::read_server() {
  if (may_read_server() && server_->readable()) server_->look_again();
}

void connection::on_server_readable() {
  const auto buffer = home_.read_buffer();
  const transfer got = server_->read(buffer);
  if (got.blocked) return;
  if (got.error || got.ended) {
    const std::string reason = got.ended ? "PostgreSQL closed the connection" : got.error.message();
    return step([&](session::outbox& out) { session_.on_server_closed(reason, out); });
  }
  home_.tally().bytes_to_client.add(got.bytes);
  step([&](session::outbox& out) { session_.on_server_bytes({buffer.data(), got.bytes}, out); });
  expect_end();
  register_key();
}

void connection::on_dialed(const std::string& reason, std::optional<peer> server) {
  if (closing_ || closed_) return;
  if (!server) return step([&](session::outbox& out) { session_.on_server_unreachable(reason, out); });
  server_.emplace(std::move(*server));
  server_->watch(home_.loop(), [self = shared_from_this()] { self->on_server_change(); });
  home_.services().metrics.server_opened();
  const tls_stream* to_client = client_.tls();
  const tls_stream* to_server = server_->tls();
  const bool same = to_client && to_server && tls_stream::same_certificate(*to_client, *to_server);
  const bool binding_ends_here = to_server && !same;
  const std::string at = session_.guarded() ? address_of(server_->socket()) : std::string();
  step([&](session::outbox& out) { session_.on_server_connected(out, binding_ends_here, at); });
}

void connection::renew_book() {
  if (!session_.guarded() || closing_ || closed_) return;
  auto& books = home_.services().books;
  const std::uint64_t generation = books.generation();
  if (generation == book_generation_) return;
  book_generation_ = generation;
  const bool waiting = session_.held() == session::hold::catalog;
  if (!waiting) waits_since_.reset();
  auto book = books.get(session_.database(), session_.user(), waits_since_);
  // For the statement that has waited; the next one asks again.
  if (waiting && book) book_generation_ = 0;
  step([&](session::outbox& out) { session_.on_book(std::move(book), out); });
}

void connection::take_turn() {
  if (session_.held() == session::hold::turn || session_.held() == session::hold::group) {
    step([&](session::outbox& out) { session_.on_turn(out); });
  }
}

void connection::cancel() {
  step([&](session::outbox& out) { session_.on_cancel(out); });
}

/// The session has stopped because it made so much for the server; from the loop, so that others have their
/// turn.
void connection::resume_client() {
  if (!session_.stalled() || resuming_ || !server_) return;
  if (server_->pending() > session::limits::outgoing_bytes) return;
  resuming_ = true;
  home_.loop().post([self = shared_from_this()] {
    self->resuming_ = false;
    self->step([&](session::outbox& out) { self->session_.on_room(out); });
  });
}

void connection::drain() {
  step([&](session::outbox& out) { session_.on_drain(out); });
}

void connection::terminate(const std::string& reason) {
  step([&](session::outbox& out) { session_.on_terminate(reason, out); });
}

void connection::leave_if_concerned() {
  if (session_.phase() <= session::session_phase::connecting) return;
  if (session_.guarded() && !session_.has_named_statements()) return;
  if (home_.services().books.concerns(session_.database(), session_.user())) drain();
}

/// One timer for the startup packet's limit and for what the session waits for.
void connection::arm_timer() {
  std::optional<clock::time_point> until = session_.deadline();
  const bool starting = session_.phase() < session::session_phase::ready;
  if (starting && (!until || startup_until_ < *until)) until = startup_until_;
  if (vanished_at_ && (!until || *vanished_at_ < *until)) until = vanished_at_;
  if (until == timer_at_) return;
  timer_at_ = until;
  if (!until) {
    timer_.cancel();
    return;
  }
  timer_.at(*until, [self = shared_from_this()] { self->on_timer(); });
}

void connection::on_timer() {
  timer_at_.reset();
  if (closing_) return finish();
  const auto now = clock::now();
  if (securing_client_ && now >= startup_until_) return begin_close("the TLS handshake took too long");
  if (session_.phase() < session::session_phase::ready && now >= startup_until_) {
    return terminate("the connection was not established in time");
  }
  if (vanished_at_ && now >= *vanished_at_) return on_vanished();
  step([&](session::outbox& out) { session_.on_time(out); });
}

}  // namespace proxy::io
