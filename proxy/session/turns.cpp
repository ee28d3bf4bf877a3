// Waiting for the sessions that are to write a row first.
#include <algorithm>
#include <utility>

#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

bool uses_turns(const rules::rule& rule) {
  if (rule.mode != rules::mode::enforce) return false;
  if (rule.correlate == rules::correlate::client) return true;
  return rule.strategy == rules::strategy::pessimistic && rule.turns != rules::turns::off;
}

}  // namespace

turn_answer::type session::take_turns(const watch& on, outbox& out) {
  const auto ask = [&](std::uint16_t relation, const named_rows& rows, bool read, bool locks) {
    const rules::guarded_relation& table = on.book->relations()[relation];
    const rules::rule& rule = on.book->rules()[table.rule];
    if (!uses_turns(rule) || !name_turns(on, rows)) return turn_answer::type::go;
    spare_.asked.rule = rule.name;
    spare_.asked.one_read = rule.correlate == rules::correlate::client;
    spare_.asked.mode = spare_.asked.one_read ? rules::turns::on : rule.turns;
    spare_.asked.turn_timeout = rule.turn_timeout;
    spare_.asked.read = read;
    spare_.asked.locks = locks && on.lock != 0;
    return ask_turn(table, on, out);
  };
  for (const watched_read& read : on.reads) {
    const auto answer = ask(read.note->relation, read.rows, true, read.note->locks);
    if (answer != turn_answer::type::go) return answer;
  }
  for (const watched_write& write : on.writes) {
    const auto answer = ask(write.note->relation, write.rows, false, true);
    if (answer != turn_answer::type::go) return answer;
  }
  return turn_answer::type::go;
}

/// The rows whose turns are to be asked for. False: none, or too many.
bool session::name_turns(const watch& on, const named_rows& rows) {
  std::size_t count = 0;
  spare_.asked.by_key = true;
  for (const named_row& row : rows) {
    const bool granted = std::find(granted_.begin(), granted_.end(), row.id) != granted_.end();
    // What the transaction has locked already, whoever has the turn waits for.
    if (granted || (on.lock != 0 && is_locked(row.id))) continue;
    if (++count > limits::turns_at_once) return false;
    spare_.asked.by_key = spare_.asked.by_key && row.unique;
    if (spare_.asked.rows.size() < count) spare_.asked.rows.emplace_back();
    spare_.asked.rows[count - 1] = row.id;
  }
  spare_.asked.rows.resize(count);
  return count > 0;
}

bool session::is_locked(const row_id& row) const {
  return std::find(account_.rows.begin(), account_.rows.end(), row) != account_.rows.end();
}

turn_answer::type session::ask_turn(const rules::guarded_relation& of, const watch& on, outbox& out) {
  const rules::rule& rule = on.book->rules()[of.rule];
  turn_request& request = spare_.asked;
  request.who = who_.id;
  request.owner = memory_.turn_owner(rule, on.trace);
  request.in_transaction = on.lock != 0;
  request.holds_row_locks = !account_.rows.empty();
  request.shape = on.shape;
  has_turns_ = true;
  const bool keeps = request.locks && request.mode == rules::turns::adaptive;
  const turn_answer answer = shared_.turns.ask(request, out.now, out.wake);
  if (answer.what == turn_answer::type::deadlock) {
    out.events.push_back({.what = event::type::conflict, .rule = rule.name, .sqlstate = "turns"});
    unit_failed_ = true;
  }
  if (answer.what == turn_answer::type::go && keeps && account_.written.size() < limits::transaction_rows) {
    account_.written.emplace_back(request.owner, request.rows);
  }
  // Asked again, after waiting for another row, the session would wait for itself.
  if (answer.what == turn_answer::type::go && request.one_read) {
    granted_.insert(granted_.end(), request.rows.begin(), request.rows.end());
  }
  if (answer.what != turn_answer::type::wait) return answer.what;
  if (!waiting_) {
    const bool pooled = rule.correlate == rules::correlate::client;
    if (pooled && !shared_.clients.begin_waiting(memory_.client())) {
      shared_.turns.give_up(who_.id, out.now, out.wake);
      return turn_answer::type::go;
    }
    waiting_ = turn_wait{out.now, std::nullopt, rule.name, of.schema, of.name, pooled};
    if (rule.lock_timeout.count() > 0) waiting_->until = out.now + rule.lock_timeout;
  }
  deadline_ = waiting_->until;
  if (answer.ask_again_at && (!deadline_ || *answer.ask_again_at < *deadline_))
    deadline_ = answer.ask_again_at;
  return answer.what;
}

void session::on_turn(outbox& out) {
  if (hold_ == hold::turn) return release(out);
  if (hold_ == hold::group) sharing_->on_wake(out);
}

void session::on_turn_time(outbox& out) {
  if (!waiting_ || !waiting_->until || out.now < *waiting_->until) return release(out);
  refusal late{.sqlstate = "55P03",
               .message = "could not get the turn to use a row of table \"" + waiting_->table + "\" in time",
               .detail = "Other sessions were to write it first for longer than the lock_timeout of rule \"" +
                         waiting_->rule + "\".",
               .hint = "Retry the transaction.",
               .rule = waiting_->rule,
               .schema = waiting_->schema,
               .table = waiting_->table,
               .column = {}};
  out.events.push_back({.what = event::type::conflict, .rule = waiting_->rule, .sqlstate = "55P03"});
  stop_waiting(out);
  unit_failed_ = true;
  leave_turns(out);
  refuse_held(std::move(late), out);
}

/// Nothing is waited for any more.
void session::stop_waiting(outbox& out) {
  granted_.clear();
  if (!waiting_) return;
  shared_.turns.give_up(who_.id, out.now, out.wake);
  out.events.push_back({.what = event::type::turn_wait,
                        .rule = waiting_->rule,
                        .sqlstate = {},
                        .waited = out.now - waiting_->since});
  if (waiting_->pooled) shared_.clients.end_waiting(memory_.client());
  waiting_.reset();
}

void session::leave_turns(outbox& out) {
  if (!has_turns_) return;
  has_turns_ = false;
  stop_waiting(out);
  shared_.turns.leave(who_.id, out.now, out.wake);
}

/// The transaction in which rows were written has ended.
void session::end_turns(outbox& out) {
  for (const auto& [owner, rows] : account_.written) shared_.turns.wrote(owner, rows, out.now, out.wake);
  account_.written.clear();
}

refusal session::turn_deadlock(const watch& on) {
  const auto relation = on.reads.empty() ? on.writes.front().note->relation : on.reads.front().note->relation;
  const rules::guarded_relation& table = on.book->relations()[relation];
  const rules::rule& rule = on.book->rules()[table.rule];
  return {
      .sqlstate = "40P01",
      .message = "deadlock detected",
      .detail = "This transaction holds a row that another session waits for, and needs a row of table \"" +
                table.name + "\" whose turn that session has.",
      .hint = "Retry the transaction.",
      .rule = rule.name,
      .schema = table.schema,
      .table = table.name,
      .column = {}};
}

}  // namespace proxy::session
