#include "proxy/session/commit_sharing.hpp"

#include <algorithm>
#include <utility>

#include "protocol/backend.hpp"
#include "proxy/session/commit_job.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"
#include "proxy/session/session_state.hpp"

namespace proxy::session {

namespace frontend = protocol::frontend;

bool shares_commits(const rules::rule_set& configured) noexcept {
  return std::any_of(configured.rules.begin(), configured.rules.end(),
                     [](const rules::rule& rule) { return rule.group_commit; });
}

commit_sharing::commit_sharing(session& of, const protocol::startup_packet& startup, std::string_view server)
    : session_{of} {
  kind_.add(server);
  for (const auto& [name, value] : startup.parameters) {
    if (name == "application_name") continue;
    kind_.add(name);
    kind_.add(value);
  }
}

void commit_sharing::on_parameter(std::string_view name, std::string_view value, bool starting) {
  if (name == "application_name") return;
  if (!starting) return touch();
  kind_.add(name);
  kind_.add(value);
}

/// What may be run by another session leaves that one as it was: it need not be read again.
void commit_sharing::note_query(std::string_view sql, const rules::analysis* analysed) {
  const bool one = analysed != nullptr && analysed->statements.size() == 1;
  if (!one || !analysed->statements.front().autonomous.shares_commit) note_sql(sql);
}

void commit_sharing::note_sql(std::string_view sql) {
  if (may_free_names(sql)) leader_.doubt_names();
  if (touched_) return;
  const rules::parse_settings reads = session_.reads_sql();
  touched_ = !reads.ascii_safe_encoding || !leaves_session_as_it_was(sql, reads.standard_conforming_strings);
}

/// Nothing is in flight, or only the Parse of the statement that is bound now.
bool commit_sharing::is_idle(bool but_for_parse) const {
  const reply_ledger& ledger = session_.ledger_;
  if (but_for_parse) return ledger.owes_only_parse();
  return ledger.empty() && !ledger.batch_open() && !ledger.skipping();
}

/// The session is as others of its kind, and outside a transaction.
bool commit_sharing::may_share() const {
  const session& of = session_;
  return !touched_ && stage_ == stage::none && of.phase_ == session_phase::ready &&
         of.block_.status() == 'I' && of.block_.now() == block::outside && !of.block_.read_only() &&
         !of.settings_doubted_ && !of.made_names_ && !of.swallow_client_;
}

bool commit_sharing::hold_query(const protocol::frame_view& from, script_request& request, outbox& out) {
  if (passing_) passed_ = true;
  if (from.wire.size() > limits::shared_write_bytes) return false;
  if (passing_ || !is_idle(false) || !may_share() || request.analysed->statements.size() != 1) return false;
  if (!request.watches.front() || !may_join_group(*request.watches.front())) return false;
  watch& on = *request.watches.front();
  if (runs_at_once(on, out)) return false;
  auto job = job_of_query(on, request.rest);
  if (!job || !enter(std::move(*job), on, out)) return false;
  wait(from, {.on = std::move(on)}, out);
  return true;
}

namespace {

/// The messages that make a Bind a unit of its own: Describe of its portal, Execute of all its rows, Sync.
struct unit_tail {
  std::size_t messages = 0;  // 0: something else follows, or is not there yet
  bool describes = false;
};

unit_tail tail_of(const std::string& next, std::string_view portal) {
  unit_tail found;
  std::string_view rest = next;
  for (const char wanted : {'D', 'E', 'S'}) {
    if (rest.size() < protocol::header_size) return {};
    const std::size_t size = protocol::load_u32(rest.data() + 1) + std::size_t{1};
    if (wanted == 'D' && rest[0] != 'D') continue;
    if (rest[0] != wanted || size > rest.size() || size < protocol::header_size) return {};
    const std::string_view body = rest.substr(protocol::header_size, size - protocol::header_size);
    if (wanted == 'D') {
      const auto describe = frontend::decode_describe(body);
      if (!describe || describe->kind != frontend::target_kind::portal || describe->name != portal) return {};
      found.describes = true;
    }
    if (wanted == 'E') {
      const auto execute = frontend::decode_execute(body);
      if (!execute || execute->max_rows != 0 || execute->portal != portal) return {};
    }
    ++found.messages;
    rest.remove_prefix(size);
  }
  return found;
}

}  // namespace

bool commit_sharing::hold_bind(const protocol::frame_view& from, const frontend::bind_view& bind,
                               const portal& made, const watch& watched, outbox& out) {
  if (passing_) passed_ = true;
  if (from.wire.size() > limits::shared_write_bytes) return false;
  const bool parsing = is_idle(true);
  if (passing_ || !(parsing || is_idle(false)) || !may_share()) return false;
  if (!watched.plan->shares_commit || !watched.trace.empty()) return false;
  constexpr std::size_t short_messages = 512;
  const unit_tail tail = tail_of(session_.from_client_.peek(short_messages), bind.portal);
  if (tail.messages == 0) return false;
  prepared_statement& statement = *made.statement;
  const bool knows_rows = statement.shape.has_value() || tail.describes;
  if (!knows_rows && may_return_rows(statement.analysed->text)) return false;
  if (watched.writes.front().rows.size() != 1) return false;
  if (parsing) return end_parse(from, tail.messages, out);
  if (runs_at_once(watched, out)) return false;
  pending what{.on = watched, .extended = true, .tail = tail.messages, .describes = tail.describes};
  what.on.prepared = made.statement;
  for (const std::int16_t format : bind.result_formats) what.on.formats.push_back(format);
  if (session_.settle_writes(what.on, {&bind, &statement.types}, out)) return false;
  std::optional<group_job> job;
  if (may_join_group(what.on)) job = job_of_bind(what.on, statement, bind, tail.describes);
  if (job && enter(std::move(*job), what.on, out)) {
    wait(from, std::move(what), out);
    return true;
  }
  session_.fail(what.on);  // settled again at its Execute
  return false;
}

/// The Parse in front of the Bind is for this session's own server: it is ended by a Sync of ours, so that no
/// lock of it is held meanwhile.
bool commit_sharing::end_parse(const protocol::frame_view& from, std::size_t tail, outbox& out) {
  if (!session_.ledger_.expect({.what = request::sync, .hidden = true, .kept = note::group})) return false;
  out.to_server.append(frontend::sync_frame);
  parsed_tail_ = tail;
  session_.hold_back(from, hold::group, out);
  session_.deadline_.reset();
  return true;
}

/// Nobody else writes the row.
bool commit_sharing::runs_at_once(const watch& on, outbox& out) {
  row_ = shared_row(on.writes.front().rows.front().id, kind_);
  if (!session_.shared_.groups.take(row_, session_.who_.id, out.now)) return false;
  stage_ = stage::alone;
  report_size(on, 1, out);
  return true;
}

/// False: by now nobody else does.
bool commit_sharing::enter(group_job job, const watch& on, outbox& out) {
  auto shared = std::make_shared<const group_job>(std::move(job));
  if (!session_.shared_.groups.enter(row_, session_.who_.id, std::move(shared), out.now, out.wake))
    return true;
  stage_ = stage::alone;
  report_size(on, 1, out);
  return false;
}

const rules::rule& commit_sharing::rule_of(const watch& on) {
  return on.book->rules()[on.book->relations()[on.writes.front().note->relation].rule];
}

void commit_sharing::wait(const protocol::frame_view& from, pending what, outbox& out) {
  const auto patience = rule_of(what.on).lock_timeout;
  cancelled_ = overdue_ = false;
  stage_ = stage::waiting;
  pending_ = std::move(what);
  session_.hold_back(from, hold::group, out);
  due_.reset();
  if (patience.count() > 0) due_ = out.now + patience;
  session_.deadline_ = due_;
}

void commit_sharing::on_wake(outbox& out) {
  if (stage_ != stage::waiting) return;
  if (auto answer = session_.shared_.groups.answer(row_, session_.who_.id))
    return deliver(std::move(*answer), out);
  called_group group = session_.shared_.groups.lead(row_, session_.who_.id, out.now);
  session_.deadline_ = due_;
  if (group.ask_again_at && (!due_ || *group.ask_again_at < *due_)) session_.deadline_ = group.ask_again_at;
  if (group.members.empty()) return;
  if (group.members.size() > 1) return begin(std::move(group.members), out);
  stage_ = stage::alone;
  report_size(pending_->on, 1, out);
  run_alone(out);
}

/// The held message is taken as if nobody shared anything.
void commit_sharing::run_alone(outbox& out) {
  session_.fail(pending_->on);
  pending_.reset();
  passing_ = true;
  passed_ = false;
  session_.release(out);
  passing_ = false;
  if (!passed_) on_ready(out);  // it waits for something else: let others write meanwhile
}

void commit_sharing::refuse(refusal what, outbox& out) {
  stage_ = stage::none;
  session_.fail(pending_->on);
  pending_.reset();
  session_.refuse_held(std::move(what), out);
}

void commit_sharing::deliver(group_answer answer, outbox& out) {
  using type = group_answer::type;
  stage_ = stage::none;
  switch (answer.what) {
    case type::committed: {
      pending of = std::move(*pending_);
      pending_.reset();
      return of.extended ? deliver_bind(std::move(of), answer.frames, out)
                         : deliver_query(std::move(of), answer.frames, out);
    }
    case type::alone:
      if (!cancelled_) return run_alone(out);
      return refuse(refused("57014", "canceling statement due to user request", {}), out);
    case type::unknown:
      return refuse(
          refused("08007", "connection to PostgreSQL was lost: the outcome of what was running is unknown",
                  "The statement shared a commit with others, over another connection."),
          out);
    case type::timed_out: {
      const std::string rule = refused({}, {}, {}).rule;
      out.events.push_back({.what = event::type::conflict, .rule = rule, .sqlstate = "55P03"});
      return refuse(refused("55P03", "could not lock a row in time",
                            "Another transaction held it longer than the lock_timeout of rule \"" + rule +
                                "\" or of this session."),
                    out);
    }
  }
}

refusal commit_sharing::refused(std::string sqlstate, std::string message, std::string detail) const {
  refusal made{.sqlstate = std::move(sqlstate),
               .message = std::move(message),
               .detail = std::move(detail),
               .hint = {},
               .rule = {},
               .schema = {},
               .table = {},
               .column = {}};
  if (made.sqlstate == "57014") return made;
  const watch& on = pending_->on;
  const rules::guarded_relation& table = on.book->relations()[on.writes.front().note->relation];
  made.rule = on.book->rules()[table.rule].name;
  made.schema = table.schema;
  made.table = table.name;
  return made;
}

}  // namespace proxy::session
