// What PostgreSQL's answers put on record: rows that a client is told, writes that have run, transactions
// that have ended, conflicts.
#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"
#include "rules/marker.hpp"
#include "rules/scanner.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;
namespace tag = protocol::backend_tag;

/// "UPDATE 3" and "DELETE 1": the rows written. -1: not told.
long rows_of(std::string_view command_tag) {
  const std::size_t last = command_tag.rfind(' ');
  long count = -1;
  if (last != std::string_view::npos) {
    std::from_chars(command_tag.data() + last + 1, command_tag.data() + command_tag.size(), count);
  }
  return count;
}

/// A statement's text for the log; without constants where values may not be logged.
std::string reported(std::string_view sql, bool values) {
  std::string text;
  std::size_t from = 0;
  rules::scanner tokens{sql};
  while (!values && text.size() < limits::reported_statement_bytes) {
    const rules::token next = tokens.next();
    if (next.kind == rules::token_kind::end || next.kind == rules::token_kind::invalid) break;
    const bool constant = next.kind == rules::token_kind::string || next.kind == rules::token_kind::number;
    text.append(sql.substr(from, (constant ? next.begin : next.end) - from));
    if (constant) text += '?';
    from = next.end;
  }
  if (values) text = sql;
  return text.substr(0, limits::reported_statement_bytes);
}

/// A row too large to be looked at whole.
void count_forgotten(const watch& on, std::size_t reader, outbox& out) {
  const bool read = reader < on.reads.size();
  const auto relation =
      read ? on.reads[reader].note->relation : on.writes[reader - on.reads.size()].note->relation;
  const rules::rule& rule = on.book->rules()[on.book->relations()[relation].rule];
  out.events.push_back({.what = event::type::unguarded,
                        .rule = rule.name,
                        .reason = rules::unguarded_reason::forgotten,
                        .sqlstate = {}});
}

}  // namespace

/// A message for the client that answers a statement which reads or writes guarded rows.
void session::on_watched(const frame_view& from, const ruling& answer, outbox& out) {
  watch* on = nullptr;
  if (answer.subject.kept == note::watch) {
    on = watches_.empty() ? nullptr : watches_.front().get();
  } else if (answer.subject.kept == note::script && !scripts_.empty()) {
    const bool ended = from.tag == tag::command_complete;
    const std::size_t position = ledger_.script_position() - (ended ? 1 : 0);
    auto& watched = scripts_.front().watches;
    if (position < watched.size()) on = watched[position].get();
  }
  if (on == nullptr) return;
  switch (from.tag) {
    case tag::row_description:
      return describe_result(*on, from);
    case tag::data_row:
      return read_row(*on, from, out);
    case tag::command_complete:
    case tag::portal_suspended:  // a write has run as a whole, whatever is fetched of what it returns
      return complete(*on, from, out);
    default:
      return;
  }
}

/// A simple query tells the shape of its rows every time, nearly always the one that the last one told.
void session::describe_result(watch& on, const frame_view& from) {
  if (!spare_.described || spare_.described->description != from.body) {
    spare_.described = std::make_shared<prepared_statement>();
    spare_.described->learn_shape(from.body);
  }
  on.prepared = spare_.described;
  if (spare_.described->shape) formats_of(*spare_.described->shape, on.formats);
}

namespace {

/// Calls `look` with what each reader reads, by reads and then writes: an index into rule_book::relations(),
/// or result_readers::nothing.
template <class Look>
void for_each_read(const watch& on, Look&& look) {
  for (const watched_read& read : on.reads)
    look(read.note->ambiguous ? result_readers::nothing : read.note->relation);
  // UPDATE … FROM may return the same columns of another row.
  const bool joins = !on.writes.empty() && may_join(on.kept->text);
  for (const watched_write& write : on.writes) look(joins ? result_readers::nothing : write.note->relation);
}

/// They were made for the same relations of the same rules.
bool fits(const result_readers& known, const watch& on) {
  if (known.book != on.book || known.relations.size() != on.reads.size() + on.writes.size()) return false;
  bool same = true;
  std::size_t i = 0;
  for_each_read(on, [&](std::int32_t relation) { same = same && known.relations[i++] == relation; });
  return same;
}

void make_readers(watch& on) {
  if (on.prepared && on.prepared->readers && fits(*on.prepared->readers, on)) {
    on.readers = on.prepared->readers;
    return;
  }
  auto made = std::make_shared<result_readers>();
  made->book = on.book;
  const bool described = on.prepared && on.prepared->shape;
  for_each_read(on, [&](std::int32_t relation) {
    const bool reads = described && relation != result_readers::nothing;
    made->relations.push_back(relation);
    made->readers.push_back(reads ? row_reader::make(*on.prepared->shape,
                                                     on.book->relations()[static_cast<std::size_t>(relation)])
                                  : std::nullopt);
  });
  on.readers = made;
  if (described) on.prepared->readers = std::move(made);
}

}  // namespace

void session::read_row(watch& on, const frame_view& from, outbox& out) {
  if (!on.readers) make_readers(on);
  const auto& readers = on.readers->readers;
  for (std::size_t i = 0; i < readers.size(); ++i) {
    if (!readers[i]) continue;
    const bool read = readers[i]->read(from.body, on.formats, spare_.told);
    occasion when = on.at(out.now);
    when.settled = !unsettled_ && !others_write(&on);
    if (!read) {
      count_forgotten(on, i, out);
      continue;
    }
    if (i < on.reads.size()) {
      if (on.kept == not_all_locked_) when.lock = 0;
      memory_.told(*on.book, *on.reads[i].note, on.reads[i].rows, spare_.told, when, out);
    } else {
      const watched_write& write = on.writes[i - on.reads.size()];
      memory_.returned(*on.book, *write.note, write.rows, spare_.told, when);
    }
  }
}

void session::complete(watch& on, const frame_view& from, outbox& out) {
  const bool ended = from.tag == tag::command_complete;
  const auto command_tag = ended ? backend::decode_command_complete(from.body) : std::nullopt;
  const long rows = command_tag ? rows_of(*command_tag) : -1;
  const bool nothing = rows == 0;
  for (watched_write& write : on.writes) {
    if (nothing) {
      memory_.undo(write.movements);
    } else {
      see_write(on, write, out);
      const auto named = static_cast<long>(write.rows.size());
      if (named > 1 && rows != named) memory_.doubt(write.movements);
      memory_.keep(std::move(write.movements));
    }
    write.movements.clear();
  }
  const bool none_at_all = nothing && !on.executed;
  on.executed = true;
  for (const watched_read& read : on.reads) {
    if (none_at_all && on.reads.size() == 1 && read.rows.size() == 1 && read.rows.front().by_key) {
      memory_.not_there(*on.book, *read.note, read.rows.front(), on.at(out.now));
    }
  }
  for (const watched_write& write : on.writes) end_turns_with(on, write);
  on.writes.clear();
}

/// For the report of updates that were lost; only under mode = "observe".
void session::see_write(const watch& on, const watched_write& write, outbox& out) {
  const rules::guarded_relation& relation = on.book->relations()[write.note->relation];
  const rules::rule& rule = on.book->rules()[relation.rule];
  if (rule.mode != rules::mode::observe || account_.seen.size() >= limits::transaction_rows) return;
  for (const named_row& row : write.rows) {
    if (!row.by_key) continue;
    seen_write seen;
    seen.who = who_.id;
    seen.application = application_;
    seen.statement = reported(on.kept->text, on.book->log_values());
    seen.absolute = write.note->kind == rules::statement_kind::absolute;
    seen.read = write.decision.read_at;
    seen.sent = on.sent;
    seen.committed = out.now;
    account_.seen.emplace_back(row.id, std::move(seen));
    account_.seen_rules.push_back(rule.name);
  }
}

/// CommandComplete of a statement that nothing is known about in advance: does a transaction end with it?
void session::on_command_tag(const frame_view& from, const ruling& answer, outbox& out) {
  if (answer.subject.kept == note::savepoint && !savepoints_.empty()) {
    return memory_.ran(savepoints_.front().first, savepoints_.front().second);
  }
  const auto command_tag = backend::decode_command_complete(from.body);
  if (!command_tag) return;
  // ROLLBACK TO in a string that was not looked at: everything is undone, which can only refuse too much.
  if (*command_tag == "DISCARD ALL" || (*command_tag == "RESET" && resets_)) {
    forget_reads(out);
    resets_ = resets_again_;
  }
  if (*command_tag == "COMMIT") end_transaction(true, out);
  if (*command_tag == "ROLLBACK") end_transaction(false, out);
}

void session::end_transaction(bool committed, outbox& out) {
  ++lock_epoch_;
  if (committed) {
    memory_.committed();
    for (std::size_t i = 0; i < account_.seen.size(); ++i) {
      auto& [row, seen] = account_.seen[i];
      seen.committed = out.now;
      auto lost = shared_.activity.committed(row, std::move(seen));
      if (!lost) continue;
      event found{
          .what = event::type::lost_update, .rule = account_.seen_rules[i], .sqlstate = "lost_update"};
      found.overtaken = std::make_shared<const lost_update>(std::move(*lost));
      out.events.push_back(std::move(found));
    }
  } else {
    memory_.rolled_back();
  }
  account_.seen.clear();
  account_.seen_rules.clear();
  end_turns(out);
  account_.rows.clear();
}

/// A check of ours has raised: what it rested on is stale, and the row is contended.
void session::note_conflict(const frame_view& from, const hidden_run& run, outbox& out) {
  const protocol::error_fields fields(from.body);
  if (run.refused && run.refused->sqlstate == "40001" &&
      fields.text(protocol::error_code::sqlstate) == "22P02") {
    unit_failed_ = true;
    return leave_turns(out);
  }
  const auto marker = rules::parse_marker(fields.text(protocol::error_code::message));
  if (!marker || (marker->check != rules::changed_row && marker->check != rules::gone_row)) return;
  if (run.plan == nullptr) return;
  for (const rules::write_note& written : run.plan->writes) {
    const rules::guarded_relation& relation = run.book->relations()[written.relation];
    if (relation.rule != marker->rule) continue;
    std::vector<row_id> rows = run.rows;
    if (relation.key.size() == 1) {
      const auto key = canonical({.type = 0, .format = 0, .bytes = marker->key},
                                 relation.key.front().type_oid, speaker::server);
      if (key) rows.push_back(id_of(database_, relation, {*key}));
    }
    shared_.turns.conflict(rows, out.now);
    refusals_.push_back({run.book, written.relation, marker->key, run.rows, run.trace});
  }
  unit_failed_ = true;
  leave_turns(out);
}

/// PostgreSQL has found a deadlock, or the unit of work has failed otherwise: it begins anew with its first
/// read.
void session::note_deadlock(std::string_view sqlstate, outbox& out) {
  if (!rules_) return;
  if (sqlstate == "40P01" && !account_.rows.empty()) {
    shared_.turns.conflict(account_.rows, out.now);
    shared_.turns.met(account_.rows, out.now);
  }
  if (sqlstate != "40P01" && sqlstate != "40001") return;
  unit_failed_ = true;
  leave_turns(out);
}

/// After what it moved has been undone.
void session::renew_reads(char status, outbox& out) {
  if (!unit_failed_) return;
  memory_.renew();
  for (refused_write& each : refusals_) {
    memory_.refused(*each.book, each.relation, each.key, each.rows, {.now = out.now, .trace = each.trace},
                    std::exchange(each.taken, true));
  }
  if (status == 'E') return;  // its ROLLBACK is still to come
  refusals_.clear();
  unit_failed_ = false;
}

}  // namespace proxy::session
