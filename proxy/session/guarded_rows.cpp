// Which rows a statement reads and writes, how each write is checked, and what is on record moves with it.
#include <algorithm>

#include "proxy/session/limits.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {

/// Null: it neither reads nor writes guarded rows.
watch_ptr session::watch_for(const book_ptr& book, const analysis_ptr& analysed,
                             const rules::statement& statement, const rules::plan& plan,
                             const parameter_source& from, std::string_view trace, clock::time_point now) {
  if (plan.reads.empty() && plan.writes.empty()) return nullptr;
  watch_ptr taken = spare_.watches.take();
  watch& made = *taken;
  made.kept = analysed;
  made.book = book;
  made.plan = &plan;
  made.shape = statement.shape;
  made.trace = trace;
  made.lock = &plan == &statement.in_block ? lock_epoch_ : 0;
  made.settled = !unsettled_ && !others_write(nullptr);
  made.sent = now;
  for (const rules::read_note& note : plan.reads) {
    watched_read& read = made.reads.add();
    read.note = &note;
    name_rows(database_, book->relations()[note.relation], note.rows, from, read.rows);
  }
  for (const rules::write_note& note : plan.writes) {
    watched_write& write = made.writes.emplace_back();
    write.note = &note;
    name_rows(database_, book->relations()[note.relation], note.rows, from, write.rows);
  }
  return taken;
}

/// A refusal if a write may not run; then nothing has been moved.
std::optional<refusal> session::settle_writes(watch& on, const parameter_source& from, outbox& out) {
  for (watched_write& write : on.writes) {
    const rules::guarded_relation& relation = on.book->relations()[write.note->relation];
    const rules::rule& rule = on.book->rules()[relation.rule];
    const auto index = static_cast<std::size_t>(write.note->prelude);
    const bool there = write.note->prelude >= 0 && index < on.plan->preludes.size();
    const rules::prelude* guard = there ? &on.plan->preludes[index] : nullptr;
    write.decision = memory_.decide(*on.book, *write.note, guard, write.rows, on.at(out.now));
    if (write.decision.what == write_decision::type::refuse && rule.mode == rules::mode::enforce) {
      fail(on);
      return refusal{
          .sqlstate = "42501",
          .message = "rule \"" + rule.name + "\" refuses a blind write of table \"" + relation.name + "\"",
          .detail = "The row has not been read over this connection, or too long ago.",
          .hint = "Read the row first, or set on_blind_write = \"allow\".",
          .rule = rule.name,
          .schema = relation.schema,
          .table = relation.name,
          .column = rule.columns.size() == 1 ? rule.columns.front() : std::string()};
    }
    if (write.decision.what == write_decision::type::outdated) {
      fail(on);
      return refusal{.sqlstate = "40001",
                     .message = "could not serialize access: rule \"" + rule.name + "\" has changed",
                     .detail = "Rows of table \"" + relation.name +
                               "\" that the write may rest on were read before that.",
                     .hint = "Retry the whole unit of work, beginning with its reads.",
                     .rule = rule.name,
                     .schema = relation.schema,
                     .table = relation.name,
                     .column = {}};
    }
    for (const std::uint64_t shape : write.decision.shapes) shared_.turns.led_to_write(shape);
    remember_rows(write.rows);
    write.movements =
        memory_.move(*on.book, *write.note, write.rows, from, on.at(out.now), write.decision.what);
    if (!write.movements.empty() || may_return_rows(on.kept->text))
      spare_.unanswered.add(batch_, relation.oid, write.rows);
  }
  remember_locks(on);
  return std::nullopt;
}

/// Rows that a read locks in its transaction.
void session::remember_locks(const watch& on) {
  if (on.lock == 0) return;
  for (const watched_read& read : on.reads) {
    if (read.note->locks) remember_rows(read.rows);
  }
}

/// It will not run, or has failed.
void session::fail(watch& on) {
  for (auto write = on.writes.rbegin(); write != on.writes.rend(); ++write) {
    memory_.undo(write->movements);
    end_turns_with(on, *write);
  }
  on.writes.clear();
}

/// Whatever became of the write: its turn ends with its transaction.
void session::end_turns_with(const watch& on, const watched_write& write) {
  if (account_.written.size() >= limits::transaction_rows) return;
  std::vector<row_id> rows = write.decision.found_as;
  for (const named_row& row : write.rows) rows.push_back(row.id);
  const rules::guarded_relation& relation = on.book->relations()[write.note->relation];
  account_.written.emplace_back(memory_.turn_owner(on.book->rules()[relation.rule], on.trace),
                                std::move(rows));
}

void session::remember_rows(const named_rows& rows) {
  for (const named_row& row : rows) {
    if (!row.unique || account_.rows.size() >= limits::transaction_rows) continue;
    if (std::find(account_.rows.begin(), account_.rows.end(), row.id) == account_.rows.end()) {
      account_.rows.push_back(row.id);
    }
  }
}

/// A write other than `self` is in flight.
bool session::others_write(const watch* self) const {
  const auto writes = [self](const watch& each) { return &each != self && !each.writes.empty(); };
  if (std::any_of(watches_.begin(), watches_.end(), [&](const watch_ptr& each) { return writes(*each); }))
    return true;
  return std::any_of(scripts_.begin(), scripts_.end(), [&](const script& running) {
    return std::any_of(running.watches.begin(), running.watches.end(),
                       [&](const auto& each) { return each && writes(*each); });
  });
}

/// Without a ReadyForQuery that is owed, there is nothing to wait for: a COPY has read the Sync.
bool session::must_await_outcome(const watch& on) const {
  return ledger_.owed_ready() > 0 && spare_.unanswered.concern(on, batch_);
}

/// What is written in a way that is not looked at may be on record: it is not to be rebased.
void session::doubt_unseen(const rules::plan& plan, const rules::rule_book& book, std::string_view trace) {
  for (const rules::touch& touch : plan.touches) {
    const bool noted =
        std::any_of(plan.writes.begin(), plan.writes.end(), [&](const rules::write_note& write) {
          return book.relations()[write.relation].rule == touch.rule && write.prelude >= 0;
        });
    if (touch.kind == rules::statement_kind::read || (noted && !touch.unguarded)) continue;
    // The fast path of a relative write has no prelude, but is known.
    if (touch.kind == rules::statement_kind::relative && !touch.unguarded) continue;
    for (const rules::guarded_relation& relation : book.relations()) {
      if (relation.rule != touch.rule) continue;
      memory_.doubt(relation.oid, trace);
      unsettled_ = true;
    }
  }
}

/// From here on a lock that was taken before may be gone.
void session::note_transaction_command(rules::block_effect effect) {
  switch (effect) {
    case rules::block_effect::begin:
    case rules::block_effect::begin_read_only:
    case rules::block_effect::begin_read_write:
      ++lock_epoch_;
      return;
    case rules::block_effect::end:
    case rules::block_effect::chain:
    case rules::block_effect::rollback_to:
      ++lock_epoch_;
      unsettled_ = true;  // until it is answered
      return;
    default:
      return;
  }
}

void session::forget_reads(outbox& out) {
  memory_.forget();
  leave_turns(out);
}

}  // namespace proxy::session
