// The events of a session that waits for a shared commit, and its answer: told to the client through the same
// ledger and records as if the session's own connection had run the statement.
#include <utility>

#include "protocol/backend.hpp"
#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;
namespace tag = protocol::backend_tag;

/// ReadyForQuery, outside a transaction.
constexpr std::string_view ready_frame{"Z\0\0\0\5I", 6};

}  // namespace

/// Messages as if PostgreSQL had sent them over the session's own connection.
void commit_sharing::feed(std::string_view frames, outbox& out) {
  while (!frames.empty() && session_.phase_ == session_phase::ready) {
    const std::size_t size = protocol::load_u32(frames.data() + 1) + std::size_t{1};
    const std::string_view wire = frames.substr(0, size);
    frames.remove_prefix(size);
    const std::string_view body = wire.substr(protocol::header_size);
    // A simple query is not told that a statement returns no rows.
    const bool told = wire[0] != tag::no_data || session_.ledger_.owed_queries() == 0;
    if (!told) continue;
    session_.on_reply(
        {protocol::piece_kind::whole, {wire[0], body, wire}, static_cast<std::uint32_t>(body.size())}, out);
  }
  out.to_client.own();  // `frames` may end
}

void commit_sharing::deliver_query(pending of, std::string_view frames, outbox& out) {
  session& to = session_;
  to.hold_ = hold::none;
  to.deadline_.reset();
  to.held_ = {};
  session::report(*of.on.plan, *of.on.book, &of.on, out);
  to.doubt_unseen(*of.on.plan, *of.on.book, of.on.trace);
  to.block_.query_sent(rules::block_effect::none);
  to.names_fresh_ = false;
  script answered;
  answered.hidden = {false};
  answered.runs.resize(1);
  answered.kept = of.on.kept;
  answered.watches.push_back(session_.copy_of(of.on));
  if (!to.ledger_.expect_script(answered.hidden)) return;
  to.scripts_.push_back(std::move(answered));
  ++to.batch_;
  to.forget_unnamed();
  feed(frames, out);
  feed(ready_frame, out);
  to.pump_client(out);
}

void commit_sharing::deliver_bind(pending of, std::string_view frames, outbox& out) {
  session& to = session_;
  to.hold_ = hold::none;
  to.deadline_.reset();
  to.held_ = {};
  for (std::size_t i = 0; i < of.tail; ++i) static_cast<void>(to.from_client_.next());
  session::report(*of.on.plan, *of.on.book, &of.on, out);
  to.doubt_unseen(*of.on.plan, *of.on.book, of.on.trace);
  to.names_fresh_ = false;
  const auto expect = [&](request what, note kept = note::none) {
    static_cast<void>(to.ledger_.expect({.what = what, .kept = kept}));
  };
  expect(request::bind);
  if (of.describes) {
    of.on.prepared->described = true;
    to.describes_.push_back(of.on.prepared);
    expect(request::describe_portal, note::types);
  }
  to.watches_.push_back(to.copy_of(of.on));
  expect(request::execute, note::watch);
  expect(request::sync);
  to.block_.batch_sent();
  ++to.batch_;
  feed(backend::bind_complete_frame, out);
  feed(frames, out);
  feed(ready_frame, out);
  to.pump_client(out);
}

void commit_sharing::begin(std::vector<group_member> group, outbox& out) {
  if (leader_.begin(group, rule_of(pending_->on).lock_timeout, session_.ledger_, out)) {
    stage_ = stage::leading;
    session_.deadline_.reset();
    return;
  }
  group_result failed;
  session_.shared_.groups.finish(row_, session_.who_.id, std::move(failed), out.now, out.wake);
  on_wake(out);
}

bool commit_sharing::takes(const protocol::piece& from, bool asynchronous) {
  return leader_.running() ? leader_.takes(from.frame.tag, asynchronous) : !asynchronous;
}

void commit_sharing::on_reply(const protocol::piece& from, const ruling& answer, outbox& out) {
  if (!leader_.running()) {
    if (from.frame.tag == tag::ready_for_query) on_parsed(out);
    return;
  }
  if (leader_.on_reply(from, answer)) conclude(false, out);
}

/// Where the Parse has failed, what follows up to the client's Sync is skipped, as PostgreSQL does.
void commit_sharing::on_parsed(outbox& out) {
  const std::size_t tail = std::exchange(parsed_tail_, 0);
  if (!session_.query_failed_) return session_.release(out);
  session_.hold_ = hold::none;
  session_.held_ = {};
  for (std::size_t i = 1; i < tail; ++i) static_cast<void>(session_.from_client_.next());
  session_.pump_client(out);
}

/// The group's transaction has ended, or is lost.
void commit_sharing::conclude(bool lost, outbox& out) {
  if (leader_.sqlstate() == "42P05") touch();  // the client has taken our names: it is not to lead again
  group_result result = leader_.take_result(lost);
  if (result.what == group_result::type::committed) report_size(pending_->on, result.frames.size(), out);
  stage_ = stage::waiting;
  session_.shared_.groups.finish(row_, session_.who_.id, std::move(result), out.now, out.wake);
  if (lost) return;
  if (client_left_) return session_.end("client closed the connection", out);
  on_wake(out);
}

void commit_sharing::report_size(const watch& on, std::size_t size, outbox& out) {
  out.events.push_back(
      {.what = event::type::group_commit, .rule = rule_of(on).name, .sqlstate = {}, .size = size});
}

void commit_sharing::on_ready(outbox& out) {
  if (stage_ != stage::alone) return;
  stage_ = stage::none;
  session_.shared_.groups.done(row_, session_.who_.id, out.now, out.wake);
}

void commit_sharing::on_time(outbox& out) {
  if (stage_ != stage::waiting) return;
  if (!due_ || out.now < *due_) return on_wake(out);
  if (session_.shared_.groups.withdraw(row_, session_.who_.id, out.now, out.wake))
    return deliver({group_answer::type::timed_out, {}}, out);
  // It has been sent. An answer may be on its way; without one for so long, its connection is as good as
  // lost.
  if (!std::exchange(overdue_, true)) {
    due_ = out.now + limits::group_answer_time;
    session_.deadline_ = due_;
    return;
  }
  deliver(session_.shared_.groups.abandon(row_, session_.who_.id, out.now, out.wake), out);
}

/// Sent, it stands, unless its group fails.
void commit_sharing::on_cancel(outbox& out) {
  cancelled_ = true;
  if (stage_ != stage::waiting) return;
  if (session_.shared_.groups.withdraw(row_, session_.who_.id, out.now, out.wake))
    deliver({group_answer::type::alone, {}}, out);
}

bool commit_sharing::outlives_client() noexcept {
  client_left_ = client_left_ || leads();
  return leads();
}

bool commit_sharing::may_commit(outbox& out) {
  if (stage_ == stage::leading) return leader_.may_commit();
  if (stage_ != stage::waiting) return false;
  if (!session_.shared_.groups.withdraw(row_, session_.who_.id, out.now, out.wake)) return true;
  stage_ = stage::none;
  return false;
}

void commit_sharing::leave(outbox& out) {
  if (stage_ == stage::leading) conclude(true, out);
  if (stage_ == stage::waiting) session_.shared_.groups.abandon(row_, session_.who_.id, out.now, out.wake);
  if (stage_ == stage::alone) on_ready(out);
  stage_ = stage::none;
}

}  // namespace proxy::session
