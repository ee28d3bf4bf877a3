// How plans become messages: hidden statements, refusals that PostgreSQL raises for us, and holding a message
// back until it can be planned.
#include <algorithm>
#include <utility>

#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/hidden_messages.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {

namespace frontend = protocol::frontend;

bool session::must_await_catalog(std::string_view sql) const {
  if (!rules_ || book_) return false;
  // What the session has made itself may reach guarded tables under any name.
  if (made_names_ || may_name_guarded(sql)) return true;
  if (last_known_) return last_known_->may_touch(sql);
  return any_rule_rejects_opaque() && may_use_relations(sql);
}

/// Whether a rule's table may be named, whatever the catalog says. One pass finds out about nearly all texts.
bool session::may_name_guarded(std::string_view sql) const {
  return named_->may_name(sql) && rules::may_touch(*rules_, database_, user_, sql);
}

/// Whether a rule may have anything to do with it, whatever search_path says.
bool session::may_concern_rule(std::string_view sql) const {
  if (!rules_) return false;
  return !book_ || !base_ || may_name_guarded(sql) || base_->may_touch(sql) || book_->may_touch(sql);
}

/// A view or a function may reach a guarded table, and the catalog does not tell of it yet: before it was
/// read for the first time, or because the transaction in progress has made it.
void session::count_unknown_names(std::string_view sql, outbox& out) const {
  const bool knows = last_known_ != nullptr && !(made_names_ && block_.status() != 'I');
  if (!rules_ || knows || !may_use_relations(sql)) return;
  out.events.push_back({.what = event::type::unguarded, .rule = "*", .sqlstate = {}});
}

/// Settings as the server will have them when it reads what is sent now. Where something in flight may change
/// them, none is trusted.
rules::parse_settings session::reads_sql() const {
  return settings_doubted_ ? rules::parse_settings{false, false, false} : reads_sql_;
}

/// The server tells a setting's new value with ReadyForQuery; text that is sent before is read by it already.
void session::note_settings(std::string_view sql, bool sets, bool kept) {
  if (!rules_ || (!sets && !settings_seen_)) return;
  const auto effect = rules::effect_of(sql);
  const bool undoes = effect == rules::block_effect::end || effect == rules::block_effect::chain ||
                      effect == rules::block_effect::rollback_to;
  if (sets) settings_seen_ = true;
  if (sets && kept) settings_prepared_ = true;
  if (sets || (undoes && settings_seen_)) settings_doubted_ = true;
}

analysis_ptr session::analyse(std::string_view sql, rules::parse_settings settings, outbox& out) {
  if (!book_ || book_->empty()) return nullptr;
  plan_cache::answer answer = cache_.look_up(book_, sql, settings);
  if (answer.looked_up) {
    out.events.push_back({.what = answer.hit ? event::type::plan_cache_hit : event::type::plan_cache_miss,
                          .rule = {},
                          .sqlstate = {}});
  }
  return std::move(answer.analysed);
}

/// Cheap for what is no DDL at first sight; a string of several statements may hold some anywhere.
void session::note_ddl(std::string_view sql, bool prepared) {
  if (!rules_ || ddl_prepared_) return;
  const std::size_t first = sql.find_first_not_of(" \t\r\n(/-");
  const char letter = first == std::string_view::npos ? ' ' : sql[first];
  if (!may_be_several(sql) && std::string_view("aAcCdDgGrR").find(letter) == std::string_view::npos) return;
  // Also a view over a view, whose name says nothing of the table.
  const bool named = may_name_guarded(sql) || (base_ != nullptr && base_->may_touch(sql));
  ddl_named_guarded_ = ddl_named_guarded_ || named;
  ddl_prepared_ = named && prepared;
}

/// Null where neither a rule nor the transaction block is concerned.
std::shared_ptr<prepared_statement> session::prepare(const frontend::parse_view& parse, outbox& out) {
  const std::string_view sql = parse.sql;
  const bool named = !parse.statement.empty();
  const bool sets = rules_ && may_change_reading(sql);
  if (sets && gives_connection_back(sql)) {
    resets_ = true;
    resets_again_ = resets_again_ || named;
  }
  const rules::traced_text text = traced(sql);
  const rules::parse_settings settings = reads_sql();
  analysis_ptr analysed = analyse(text.sql, settings, out);
  note_settings(sql, sets, named);
  if (!analysed) count_unknown_names(text.sql, out);
  note_made_names(analysed);
  const rules::block_effect effect = rules::effect_of(sql);
  if (!analysed && effect == rules::block_effect::none) return nullptr;
  auto made = std::make_shared<prepared_statement>();
  made->first = analysed;
  made->analysed = std::move(analysed);
  made->book = book_;
  made->reads_sql = settings;
  made->effect = effect;
  made->commits_in_block = may_commit(sql, true);
  made->commits_outside = may_commit(sql, false);
  made->trace = text.trace;
  made->savepoint = rules::savepoint_name(sql);
  for (const std::uint32_t type : parse.types) made->types.push_back(type);
  return made;
}

/// The catalog may have changed since the statement was prepared.
void session::renew(prepared_statement& statement, outbox& out) {
  if (!statement.first || statement.book == book_ || !book_) return;
  statement.analysed = analyse(statement.first->text, statement.reads_sql, out);
  statement.preludes.forget();  // names may mean something else by now
  statement.book = book_;
  prepared_statement now;
  now.analysed = statement.analysed;
  now.book = book_;
  now.types = statement.types;
  static_cast<void>(carry_text(now));
  statement.rebases = now.sent.sql == statement.sent.sql;
  if (statement.rebases) statement.own_parameters = std::move(now.own_parameters);
}

/// The comment that names a trace is not part of what is analysed, so that texts repeat.
rules::traced_text session::traced(std::string_view sql) const {
  // Before a reload, reads may have been put on record by their trace.
  if (!book_ || !(book_->traces() || shared_.reads.used())) return {sql, {}};
  return rules::split_trace(sql);
}

void session::run_preludes(const rules::plan& plan, bool before_bind, prepared_statement& statement,
                           const frontend::bind_view& bind, const watch* watched, outbox& out) {
  if (plan.kind != rules::plan_kind::wrap) return;
  for (std::size_t i = 0; i < plan.preludes.size(); ++i) {
    const rules::prelude& guard = plan.preludes[i];
    const watched_write* write = write_of(watched, i);
    if (guard.before_bind != before_bind || is_idle(guard, write)) continue;
    parameter_list parameters;
    for (const std::uint16_t number : guard.parameters) {
      auto value = parameter({&bind, &statement.types}, number);
      if (!value) return;  // PostgreSQL refuses the Bind as well
      parameters.values.push_back(std::move(*value));
    }
    hidden_run run{statement.analysed, statement.book, &guard, std::nullopt, out.now};
    run.plan = &plan;
    if (!guard.holes.empty()) {
      filling with;
      if (write != nullptr) with = {write->decision.checks, write->decision.read};
      run.text = fill(guard.sql, guard.holes, guard.copied, with, &parameters);
    }
    if (watched != nullptr) run.trace = watched->trace;
    if (write != nullptr) {
      for (const named_row& row : write->rows) run.rows.push_back(row.id);
    }
    const std::string_view sql = run.text ? std::string_view(run.text->sql) : guard.sql;
    const bool filled = run.text && write != nullptr &&
                        (!write->decision.checks.pieces.empty() || !write->decision.read.empty());
    const bool sent =
        filled ? send_once(sql, parameters, out) : send_prelude(sql, parameters, statement, out);
    if (!sent) {
      return raise({.sqlstate = "54000",
                    .message = "statement is too long to be guarded",
                    .detail = "What checks it would be a message above PostgreSQL's limits.",
                    .hint = {},
                    .rule = {},
                    .schema = {},
                    .table = {},
                    .column = {}},
                   out);
    }
    runs_.push_back(std::move(run));
  }
}

/// What guards a statement that the client has prepared once and runs again is prepared as well.
bool session::send_prelude(std::string_view sql, const parameter_list& parameters,
                           prepared_statement& statement, outbox& out) {
  std::vector<std::uint32_t> types;
  for (const bound_value& each : parameters.values) types.push_back(each.type);
  const auto kept = statement.preludes.find(sql, types, prelude_names_, batch_);
  if (kept.parse) {
    close_hidden(prelude_names_->take_freed(), ledger_, out);
    prelude_names_->expect(kept.what);
    if (!prepare_hidden(kept.what->name, sql, parameters, ledger_, out)) {
      prelude_names_->settle_newest();
      return false;
    }
  }
  if (kept.what) return run_prepared(kept.what->name, parameters, ledger_, out);
  return send_once(sql, parameters, out);
}

bool session::send_once(std::string_view sql, const parameter_list& parameters, outbox& out) {
  if (!send_hidden(sql, parameters, name_may_be_taken(), ledger_, out)) return false;
  hidden_left_over_ = false;
  return true;
}

/// A statement of the client's: `name` is what it gives or frees, `again` whether the text may run unseen.
/// Names that begin like ours are not for clients.
void session::note_names(std::string_view name, std::string_view sql, bool again) {
  const bool ours = name.starts_with(hidden_name) || sql.find(hidden_name) != std::string_view::npos;
  if (ours || may_free_names(sql)) prelude_names_->lose(again || ours);
  if (ours && sharing_) sharing_->touch();
}

/// A hidden statement that failed, or may yet fail, after its Parse leaves its name behind.
bool session::name_may_be_taken() const {
  return hidden_left_over_ || !runs_.empty();
}

void session::raise(refusal what, outbox& out) {
  if (ledger_.skipping()) return;
  if (!send_hidden(raising_sql, {}, name_may_be_taken(), ledger_, out)) return;
  hidden_left_over_ = false;
  runs_.push_back({nullptr, nullptr, nullptr, std::move(what), out.now});
}

void session::raise_query(refusal what, outbox& out) {
  std::string query;
  if (!frontend::encode_query(raising_sql, query) || !ledger_.expect_script({true})) return;
  script made;
  made.sql = raising_sql;
  made.hidden = {true};
  made.runs.emplace_back(hidden_run{nullptr, nullptr, nullptr, std::move(what), out.now});
  scripts_.push_back(std::move(made));
  ++batch_;
  forget_unnamed();
  block_.query_sent(rules::block_effect::none);
  out.to_server.append(query);
}

namespace {

/// What is counted for a touch, now that it is known what is on record.
rules::statement_action action_of(const rules::touch& touch, const rules::rule_book& book,
                                  const watch* watched) {
  using action = rules::statement_action;
  if (watched == nullptr || touch.kind == rules::statement_kind::read) return touch.action;
  const bool observes = book.rules()[touch.rule].mode == rules::mode::observe;
  for (const watched_write& write : watched->writes) {
    if (book.relations()[write.note->relation].rule != touch.rule) continue;
    const auto what = write.decision.what;
    if (what == write_decision::type::validate) return observes ? action::would_validate : action::validate;
    if (what == write_decision::type::rebase) return observes ? action::would_rebase : action::rebase;
    if (what == write_decision::type::refuse) return observes ? action::would_reject : action::reject;
  }
  return touch.action;
}

}  // namespace

void session::report(const rules::plan& plan, const rules::rule_book& book, const watch* watched,
                     outbox& out) {
  const auto count = [&](std::uint16_t rule, rules::unguarded_reason reason) {
    out.events.push_back(
        {.what = event::type::unguarded, .rule = book.rules()[rule].name, .reason = reason, .sqlstate = {}});
  };
  for (const rules::touch& touch : plan.touches) {
    out.events.push_back({.what = event::type::statement,
                          .rule = book.rules()[touch.rule].name,
                          .kind = touch.kind,
                          .action = action_of(touch, book, watched),
                          .sqlstate = {}});
    if (touch.unguarded) count(touch.rule, touch.reason);
  }
  if (watched == nullptr) return;
  for (const watched_write& write : watched->writes) {
    const auto rule = book.relations()[write.note->relation].rule;
    if (write.decision.blind) count(rule, rules::unguarded_reason::blind);
  }
}

void session::hold_back(const frame_view& from, hold why, outbox& out) {
  held_ = from.wire;
  hold_ = why;
  if (why != hold::catalog) return;
  deadline_ = out.now + patience_;
  out.want_book = true;
}

/// What was waited for is there: the held message is taken, then what came after it.
void session::release(outbox& out) {
  if (hold_ == hold::none) return;
  hold_ = hold::none;
  waits_for_copy_ = false;
  deadline_.reset();
  const std::string kept = std::exchange(held_, {});
  const frame_view from{kept[0], std::string_view(kept).substr(protocol::header_size), kept};
  take(from, out);
  out.to_server.own();  // `kept` ends here
  pump_client(out);
}

/// The held message will not run: PostgreSQL raises an error in its place, and skips it if it is not a Query.
void session::refuse_held(refusal what, outbox& out) {
  const std::string kept = std::exchange(held_, {});
  hold_ = hold::none;
  deadline_.reset();
  if (kept[0] == protocol::frontend_tag::query) {
    raise_query(std::move(what), out);
  } else {
    raise(std::move(what), out);
    // Only Parse and Bind wait for the catalog beside Query.
    const request skipped = kept[0] == protocol::frontend_tag::parse ? request::parse : request::bind;
    static_cast<void>(ledger_.expect({.what = skipped}));
    out.to_server.append(kept);
  }
  pump_client(out);
}

bool session::any_rule_rejects_opaque() const {
  return std::any_of(rules_->rules.begin(), rules_->rules.end(),
                     [](const rules::rule& rule) { return rule.on_opaque == rules::policy::reject; });
}

}  // namespace proxy::session
