#include "proxy/session/session.hpp"

#include <algorithm>
#include <cassert>

#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/limits.hpp"

namespace proxy::session {
namespace {

constexpr protocol::whole_limits client_limits() {
  protocol::whole_limits limits;
  for (const char tag : {'Q', 'P', 'B'}) limits.set(tag, limits::analysed_message_bytes);
  for (const char tag : {'E', 'D', 'C', 'S', 'H', 'p', 'X', 'c', 'f'})
    limits.set(tag, limits::small_message_bytes);
  return limits;
}

constexpr protocol::whole_limits server_limits(bool reads_rows) {
  protocol::whole_limits limits;
  for (const char tag : {'Z', 'E', 'N', 'S', 'K', 't', 'C', 'R'})
    limits.set(tag, limits::small_message_bytes);
  for (const char tag : {'T', 'D'}) limits.set(tag, reads_rows ? limits::small_message_bytes : 0);
  // An error may quote a parameter at full length, and its position comes behind that.
  if (reads_rows) limits.set('E', limits::analysed_message_bytes + limits::small_message_bytes);
  return limits;
}

constexpr protocol::whole_limits from_client_limits = client_limits();
constexpr protocol::whole_limits from_server_limits = server_limits(false);
constexpr protocol::whole_limits with_rows_limits = server_limits(true);

}  // namespace

session::session(plan_cache& cache, neighbourhood& shared, session_identity who,
                 std::optional<refusal> refused)
    : cache_(cache),
      shared_(shared),
      who_(std::move(who)),
      refused_(std::move(refused)),
      from_client_(from_client_limits),
      from_server_(from_server_limits),
      memory_(shared, who_.id),
      lock_epoch_((who_.id << 32U) + 1) {}

session::~session() = default;

bool session::leads_group() const noexcept {
  return sharing_ && sharing_->leads();
}

bool session::holds_row() const noexcept {
  return sharing_ && sharing_->holds_row();
}

void session::enter(session_phase next) noexcept {
  assert(next > phase_);
  phase_ = next;
}

void session::end(std::string_view reason, outbox& out) {
  if (phase_ == session_phase::closed) return;
  enter(session_phase::closed);
  stalled_ = false;
  if (sharing_) sharing_->leave(out);
  leave_turns(out);
  if (in_census_) shared_.clients.leave(memory_.client());
  in_census_ = false;
  hold_ = hold::none;
  deadline_.reset();
  out.close_reason = std::string(reason);
}

void session::end_with(const refusal& why, outbox& out) {
  if (phase_ == session_phase::closed) return;
  std::string frame;
  append_refusal(why, "FATAL", frame);
  // Inside a message that is being streamed to the client, nothing can be said.
  if (!from_server_.inside_message()) out.to_client.append(frame);
  out.events.push_back({.what = event::type::error, .rule = {}, .sqlstate = why.sqlstate});
  end(why.message, out);
}

void session::end_with(std::string_view sqlstate, std::string_view message, std::string_view detail,
                       outbox& out) {
  end_with({.sqlstate = std::string(sqlstate),
            .message = std::string(message),
            .detail = std::string(detail),
            .hint = {},
            .rule = {},
            .schema = {},
            .table = {},
            .column = {}},
           out);
}

/// As said, unless something may have been committed whose answer will not come any more.
void session::end_unanswered(std::string_view sqlstate, std::string_view message, std::string_view detail,
                             outbox& out) {
  const bool may_be_done = ledger_.commit_in_flight() || (sharing_ && sharing_->may_commit(out));
  if (phase_ == session_phase::ready && !fatal_seen_ && may_be_done) {
    return end_with("08007", "connection to PostgreSQL was lost: the outcome of what was running is unknown",
                    detail.empty() ? message : detail, out);
  }
  end_with(sqlstate, message, detail, out);
}

void session::guard(std::shared_ptr<const rules::rule_set> rules, book_ptr book,
                    std::chrono::milliseconds patience) {
  rules_ = std::move(rules);
  book_ = std::move(book);
  base_ = book_;
  last_known_ = book_;
  patience_ = patience;
  if (!rules_) return;
  named_ = cache_.names_of(rules_);
  from_server_.set_limits(with_rows_limits);
  if (!in_census_) shared_.clients.join(memory_.client());
  in_census_ = true;
}

void session::on_client_bytes(std::string_view bytes, outbox& out) {
  switch (phase_) {
    case session_phase::startup:
      if (securing_) return end("unencrypted data after SSLRequest", out);
      startup_.append(bytes);
      return read_startup(out);
    case session_phase::connecting:
      // Nothing is due from the client before the server has spoken.
      from_client_.feed(bytes);
      return;
    case session_phase::authenticating:
    case session_phase::ready:
      if (passes_raw_) return pass_raw(bytes, out);
      from_client_.feed(bytes);
      return pump_client(out);
    case session_phase::closed:
      return;
  }
}

void session::pass_raw(std::string_view bytes, outbox& out) {
  raw_.feed(bytes, ledger_);
  terminated_ = raw_.terminated();
  out.to_server.forward(bytes);
}

void session::read_startup(outbox& out) {
  for (;;) {
    const protocol::startup_packet packet = protocol::read_startup(startup_);
    switch (packet.kind) {
      case protocol::startup_kind::need_more:
        return;
      case protocol::startup_kind::broken:
        return end_with("08P01", "invalid startup packet", packet.reason, out);
      case protocol::startup_kind::ssl_request:
      case protocol::startup_kind::gssenc_request:
        if (!answer_encryption_request(packet, out)) return;
        continue;
      case protocol::startup_kind::cancel_request:
        out.request = request_kind::forward_cancel;
        out.cancel_packet = packet.wire;
        key_ = {packet.process_id, std::string(packet.key)};
        return end("cancel request", out);
      case protocol::startup_kind::startup_message:
        return start(packet, out);
    }
  }
}

void session::start(const protocol::startup_packet& packet, outbox& out) {
  if (packet.major != 3)
    return end_with("0A000", "unsupported frontend protocol", "Protocol 3 is needed.", out);
  user_ = packet.parameter("user").value_or("");
  database_ = packet.parameter("database").value_or(user_);
  if (database_.empty()) database_ = user_;
  application_ = packet.parameter("application_name").value_or("");
  memory_.belongs_to(database_, database_ + '/' + user_ + '/' + who_.address);
  if (tls_ == tls_policy::require && !secured_) refused_ = without_tls();
  if (refused_) return end_with(*refused_, out);
  const std::size_t size = packet.wire.size();
  from_client_.feed(std::string_view(startup_).substr(size));
  from_client_.settle();
  startup_.resize(size);
  enter(session_phase::connecting);
  out.request = request_kind::connect_server;
}

void session::on_server_connected(outbox& out, bool binding_ends_here, std::string_view server) {
  if (phase_ != session_phase::connecting) return;
  binding_ends_here_ = binding_ends_here;
  enter(session_phase::authenticating);
  out.to_server.append(startup_);
  if (rules_ && shares_commits(*rules_))
    sharing_ = std::make_unique<commit_sharing>(*this, protocol::read_startup(startup_), server);
  startup_ = {};
  pump_client(out);
}

void session::on_server_unreachable(std::string_view reason, outbox& out) {
  end_with("08001", "pgteller could not connect to PostgreSQL", reason, out);
}

void session::on_client_closed(outbox& out) {
  if (sharing_ && sharing_->outlives_client()) return;
  end("client closed the connection", out);
}

void session::on_server_closed(std::string_view reason, outbox& out) {
  const bool awaited = !ledger_.empty() || hold_ != hold::none;
  if (phase_ == session_phase::ready && !fatal_seen_ && !terminated_ && awaited) {
    return end_unanswered(
        "08006", "connection to PostgreSQL was lost: what was running has not been committed", reason, out);
  }
  end(reason, out);
}

void session::on_book(book_ptr book, outbox& out) {
  // Own writes under rules that are new do not move what was read under others, which may come back.
  if (book && book != last_known_) memory_.doubt(0);
  book_ = std::move(book);
  base_ = book_;
  if (book_) last_known_ = book_;
  names_fresh_ = false;
  if (cached_) cached_->forget();                            // a rule may concern what none concerned before
  prelude_names_->lose(false);                               // names may mean something else by now
  if (book_ && block_.status() == 'I') made_names_ = false;  // what was made is in the catalog now
  if (book_ && hold_ == hold::catalog) release(out);
}

void session::on_time(outbox& out) {
  if (!deadline_ || out.now < *deadline_) return;
  deadline_.reset();
  if (hold_ == hold::turn) return on_turn_time(out);
  if (hold_ == hold::group) return sharing_->on_time(out);
  if (hold_ != hold::catalog) return;
  refuse_held(
      {.sqlstate = "57P03",
       .message = "pgteller does not know the catalog of this database yet",
       .detail =
           "A statement names, or may reach, a guarded table, whose key and columns have not been read.",
       .hint = "See the log of pgteller and [catalog] conninfo in its configuration.",
       .rule = {},
       .schema = {},
       .table = {},
       .column = {}},
      out);
}

refusal session::cancelled() {
  return {.sqlstate = "57014",
          .message = "canceling statement due to user request",
          .detail = {},
          .hint = {},
          .rule = {},
          .schema = {},
          .table = {},
          .column = {}};
}

void session::on_cancel(outbox& out) {
  // The server is told as well: it may answer the question, or cancel it.
  if (hold_ == hold::names) cancelled_ = true;
  if (hold_ == hold::group) return sharing_->on_cancel(out);
  if (hold_ != hold::catalog && hold_ != hold::turn) return;
  if (hold_ == hold::turn) stop_waiting(out);
  refuse_held(cancelled(), out);
}

bool session::idle() const {
  return phase_ == session_phase::ready && hold_ == hold::none && ledger_.empty() && !raw_.inside_message() &&
         block_.status() == 'I' && from_client_.held() == 0 && !from_client_.inside_message() &&
         !from_server_.inside_message();
}

void session::drain_if_idle(outbox& out) {
  if (!draining_ || !idle()) return;
  end_with("57P01", "terminating connection: pgteller is shutting down", "", out);
}

void session::on_drain(outbox& out) {
  draining_ = true;
  if (phase_ == session_phase::startup || phase_ == session_phase::connecting) {
    return end_with("57P03", "pgteller is shutting down", "", out);
  }
  drain_if_idle(out);
}

void session::on_terminate(std::string_view reason, outbox& out) {
  end_unanswered("57P01", reason, "", out);
}

bool session::waits_for_lock() const noexcept {
  const auto has_run = [](const script& each) {
    return std::any_of(each.runs.begin(), each.runs.end(), [](const auto& run) { return run.has_value(); });
  };
  return !runs_.empty() || std::any_of(scripts_.begin(), scripts_.end(), has_run);
}

bool session::is_for_nobody() const noexcept {
  return rules_ && !ledger_.empty() && !ledger_.commit_in_flight() && !leads_group();
}

void session::settle() {
  from_client_.settle();
  from_server_.settle();
}

bool session::has_untaken() const noexcept {
  return hold_ != hold::none || stalled_ || (from_client_.held() > 0 && !may_take());
}

bool session::wants_client_bytes() const noexcept {
  if (passes_raw_) return ledger_.size() < limits::owed_replies;
  const bool waits = phase_ == session_phase::connecting || stalled_;
  if (waits) return from_client_.held() < limits::inbox_bytes;
  return from_client_.held() < limits::inbox_bytes ||
         (hold_ == hold::none && ledger_.size() < limits::owed_replies);
}

}  // namespace proxy::session
