// Simple queries: strings of statements, each with what must go before it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;

constexpr char read_word[] = {'r', 'e', 'a', 'd'};

}  // namespace

void session::take_query(const frame_view& from, outbox& out) {
  const auto sql = frontend::decode_query(from.body);
  if (!sql || will_not_run()) return pass(from, request::query, out);
  if (must_await_catalog(*sql)) return hold_back(from, hold::catalog, out);
  if (asks_names(from, *sql, out)) return;
  if (executes_guarded(*sql, out)) return;
  if (cached_) note_query(*sql);
  note_names({}, *sql, false);
  note_ddl(*sql, false);
  const bool sets = rules_ && may_change_reading(*sql);
  if (sets && gives_connection_back(*sql)) forget_reads(out);
  const rules::traced_text text = traced(*sql);
  const analysis_ptr analysed = analyse(text.sql, reads_sql(), out);
  note_settings(*sql, sets, false);
  note_made_names(analysed);
  if (sharing_) sharing_->note_query(*sql, analysed.get());
  if (!analysed) return take_plain_query(from, *sql, out);
  if (block_.now() == block::unknown) return hold_back(from, hold::status, out);
  if (take_read(from, *sql, text.trace, analysed, out)) return;
  script_request request{analysed,
                         book_,
                         choose_plans(*analysed, block_),
                         {},
                         sql->substr(text.sql.size()),
                         out.now,
                         may_commit(*sql, block_.surely_inside())};
  const std::uint64_t epoch = lock_epoch_;
  bool wrote = false;  // a statement before it in the string
  for (std::size_t i = 0; i < analysed->statements.size(); ++i) {
    const rules::statement& statement = analysed->statements[i];
    note_transaction_command(statement.effect);
    request.watches.push_back(
        watch_for(book_, analysed, statement, *request.chosen.plans[i], {}, text.trace, out.now));
    if (!request.watches.back()) continue;
    request.watches.back()->settled = request.watches.back()->settled && !wrote;
    wrote = wrote || !request.watches.back()->writes.empty();
    const bool early = must_await_outcome(*request.watches.back());
    const auto answer = early ? turn_answer::type::wait : take_turns(*request.watches.back(), out);
    if (answer == turn_answer::type::go) continue;
    lock_epoch_ = epoch;
    if (answer == turn_answer::type::wait) return hold_back(from, early ? hold::status : hold::turn, out);
    stop_waiting(out);
    return raise_query(turn_deadlock(*request.watches.back()), out);
  }
  stop_waiting(out);
  for (auto& watched : request.watches) {
    if (!watched) continue;
    if (auto refused = settle_writes(*watched, {}, out))
      return refuse_query(request, std::move(*refused), out);
  }
  if (sharing_ && sharing_->hold_query(from, request, out)) return;
  for (std::size_t i = 0; i < request.chosen.plans.size(); ++i) {
    report(*request.chosen.plans[i], *book_, request.watches[i].get(), out);
    doubt_unseen(*request.chosen.plans[i], *book_, text.trace);
  }
  block_.query_sent(rules::effect_of(*sql));
  for (const rules::statement& statement : analysed->statements) block_.declare(statement.effect);
  send_script(from, std::move(request), out);
}

/// A single statement that only reads, and goes as it came: its watch travels as that of an Execute does.
/// False: it is something else.
bool session::take_read(const frame_view& from, std::string_view sql, std::string_view trace,
                        const analysis_ptr& analysed, outbox& out) {
  if (analysed->statements.size() != 1) return false;
  const rules::statement& statement = analysed->statements.front();
  const rules::plan& plan = plan_for(statement, block_);
  if (plan.kind != rules::plan_kind::forward || plan.reads.empty() || !plan.writes.empty()) return false;
  if (statement.effect != rules::block_effect::none) return false;
  watch_ptr watched = watch_for(book_, analysed, statement, plan, {}, trace, out.now);
  const auto answer = take_turns(*watched, out);
  if (answer == turn_answer::type::wait) {
    hold_back(from, hold::turn, out);
    return true;
  }
  stop_waiting(out);
  if (answer == turn_answer::type::deadlock) {
    raise_query(turn_deadlock(*watched), out);
    return true;
  }
  remember_locks(*watched);
  if (sharing_) sharing_->pass_on();
  report(plan, *book_, watched.get(), out);
  doubt_unseen(plan, *book_, trace);
  if (may_commit(sql, block_.surely_inside())) ledger_.commits_next();
  block_.query_sent(rules::effect_of(sql));
  watches_.push_back(std::move(watched));
  pass(from, request::query, out, note::watch);
  return true;
}

/// No rule is concerned.
void session::take_plain_query(const frame_view& from, std::string_view sql, outbox& out) {
  count_unknown_names(sql, out);
  if (rules::begins_with_plain_verb(sql) && !may_be_several(sql)) {
    if (!block_.surely_inside()) ledger_.commits_next();
    block_.query_sent(rules::block_effect::none);
    return pass(from, request::query, out);
  }
  const rules::block_effect first = rules::effect_of(sql);
  owed entry{.what = request::query};
  names_fresh_ = false;
  forget_deallocated(sql, entry);
  note_transaction_command(may_be_several(sql) ? rules::block_effect::end : first);
  if (runs_prepared(sql)) memory_.doubt(0);
  if (auto name = rules::savepoint_name(sql); !name.empty() && rules_ && !may_be_several(sql)) {
    savepoints_.emplace_back(first, std::move(name));
    entry.kept = note::savepoint;
  }
  if (may_commit(sql, block_.surely_inside())) ledger_.commits_next();
  static_cast<void>(ledger_.expect(entry));
  ++batch_;
  forget_unnamed();
  block_.query_sent(first);
  declare_later_effects(sql);
  out.to_server.forward(from.wire);
}

/// A string that no rule touches is not parsed, unless it may say READ ONLY or READ WRITE behind its first
/// statement.
void session::declare_later_effects(std::string_view sql) {
  if (!book_ || sql.find(';') == std::string_view::npos) return;
  const auto read = std::search(sql.begin(), sql.end(), std::begin(read_word), std::end(read_word),
                                [](char text, char word) { return (text | 0x20) == word; });
  if (read == sql.end()) return;
  const auto analysed = book_->analyse(sql, reads_sql());
  for (const rules::statement& statement : analysed->statements) block_.declare(statement.effect);
}

/// Nothing of the string runs: PostgreSQL raises the refusal in its place.
void session::refuse_query(script_request& request, refusal what, outbox& out) {
  for (auto watched = request.watches.rbegin(); watched != request.watches.rend(); ++watched) {
    if (*watched) fail(**watched);
  }
  for (const rules::plan* plan : request.chosen.plans) report(*plan, *book_, nullptr, out);
  raise_query(std::move(what), out);
}

void session::send_script(const frame_view& from, script_request request, outbox& out) {
  const bool watches = std::any_of(request.watches.begin(), request.watches.end(),
                                   [](const watch_ptr& watched) { return static_cast<bool>(watched); });
  const bool changed = request.chosen.wrapped;
  if (request.commits) ledger_.commits_next();
  if (!changed && !watches) return pass(from, request::query, out);
  auto made = compose_script(std::move(request));
  if (!made) {
    return raise_query(
        {.sqlstate = "0A000",
         .message = "what was read in binary cannot be compared in a simple query",
         .detail = "The key or the guarded column is of a type that pgteller cannot write as text.",
         .hint = "Read and write in the same protocol mode.",
         .rule = {},
         .schema = {},
         .table = {},
         .column = {}},
        out);
  }
  std::string query;
  if (!frontend::encode_query(made->sql, query))
    return end_unanswered("54000", "a guarded statement grew too long", "", out);
  if (!ledger_.expect_script(made->hidden)) return;
  names_fresh_ = false;
  if (changed) {
    out.to_server.append(query);
  } else {
    out.to_server.forward(from.wire);
  }
  scripts_.push_back(std::move(*made));
  ++batch_;
  forget_unnamed();
}

}  // namespace proxy::session
