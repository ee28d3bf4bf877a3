// What the client sends once it is authenticated: each message is looked at as far as a rule needs it,
// planned, and passed on, with what must go before it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/hidden_messages.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;
namespace tag = protocol::frontend_tag;

}  // namespace

bool session::may_take() const noexcept {
  return (phase_ == session_phase::ready || phase_ == session_phase::authenticating) && hold_ == hold::none &&
         ledger_.size() < limits::owed_replies;
}

void session::on_room(outbox& out) {
  if (stalled_) pump_client(out);
}

void session::pump_client(outbox& out) {
  stalled_ = false;
  while (may_take()) {
    stalled_ = out.to_server.size() >= limits::outgoing_bytes && from_client_.held() > 0;
    if (stalled_) return;
    const protocol::piece piece = from_client_.next();
    switch (piece.kind) {
      case protocol::piece_kind::need_more:
        return;
      case protocol::piece_kind::broken:
        return end_with("08P01", "invalid message from the client", from_client_.broken_reason(), out);
      case protocol::piece_kind::whole:
        take(piece.frame, out);
        break;
      case protocol::piece_kind::head:
        take_head(piece, out);
        break;
      case protocol::piece_kind::part:
      case protocol::piece_kind::tail:
        if (!swallow_client_) out.to_server.forward(piece.frame.wire);
        if (piece.kind == protocol::piece_kind::tail) swallow_client_ = false;
        break;
    }
  }
}

void session::take(const frame_view& from, outbox& out) {
  if (phase_ == session_phase::authenticating) return take_authentication(from, out);
  take_statement(from, out);
}

void session::take_authentication(const frame_view& from, outbox& out) {
  if (binding_taken_out_ && expects_binding(from)) return end_with(without_binding(), out);
  if (from.tag == tag::password || from.tag == tag::terminate) return out.to_server.forward(from.wire);
  // A client may pipeline its first statement; what it means is known once the session's settings are.
  hold_back(from, hold::status, out);
}

void session::pass(const frame_view& from, request what, outbox& out, note kept, cache_mark mark) {
  if (what == request::sync || what == request::query) ++batch_;
  if (what == request::execute || what == request::query || what == request::function_call)
    names_fresh_ = false;
  if (what == request::execute) mark.uses = bound_;
  const owed entry{.what = what, .hidden = false, .kept = kept, .cached = mark};
  const bool expected = ledger_.expect(entry);
  if (expected && what == request::query) forget_unnamed();
  out.to_server.forward(from.wire);
}

void session::take_statement(const frame_view& from, outbox& out) {
  switch (from.tag) {
    case tag::query:
      return take_query(from, out);
    case tag::parse:
      return take_parse(from, out);
    case tag::bind:
      return take_bind(from, out);
    case tag::execute:
      return take_execute(from, out);
    case tag::describe:
      return take_describe(from, out);
    case tag::close:
      return take_close(from, out);
    case tag::sync:
      block_.batch_sent();
      return pass(from, request::sync, out);
    case tag::function_call:
      if (sharing_) sharing_->touch();
      if (cached_) cached_->shut();
      if (!block_.surely_inside()) ledger_.commits_next();
      return pass(from, request::function_call, out);
    case tag::copy_done:
    case tag::copy_fail:
      ledger_.copy_ended();
      return out.to_server.forward(from.wire);
    case tag::terminate:
      terminated_ = true;
      return out.to_server.forward(from.wire);
    default:
      // Flush and CopyData owe nothing; what is unknown the server refuses itself.
      return out.to_server.forward(from.wire);
  }
}

void session::take_parse(const frame_view& from, outbox& out) {
  const auto parse = frontend::decode_parse(from.body);
  if (!parse || will_not_run()) return pass(from, request::parse, out);
  if (must_await_catalog(parse->sql)) return hold_back(from, hold::catalog, out);
  if (asks_names(from, parse->sql, out)) return;
  note_names(parse->statement, parse->sql, true);
  if (sharing_) sharing_->note_sql(parse->sql);
  note_ddl(parse->sql, true);
  has_named_ = has_named_ || !parse->statement.empty();
  const auto statement = prepare(*parse, out);
  if (statement) {
    const std::size_t bytes = sizeof(prepared_statement) + parse->statement.size() + parse->sql.size();
    if (would_keep_too_much(bytes, statements_.size(), limits::prepared_statements, out))
      return pass(from, request::parse, out);  // skipped
    statement->share.set(&kept_bytes_, bytes);
  }
  const bool changes =
      !ledger_.skipping() && statements_.would_change(parse->statement, statement != nullptr);
  const note kept = changes ? note::statement_name : note::none;
  const bool carries = statement && carry_text(*statement);
  if (changes) statements_.change(parse->statement, statement, batch_);
  if (!carries) return pass_parse(from, *parse, !(statement && statement->analysed), kept, out);
  std::string changed;
  const std::string_view trace = parse->sql.substr(statement->analysed->text.size());
  const std::string sql = statement->sent.sql + std::string(trace);
  if (!frontend::encode_parse(parse->statement, sql, statement->types, changed)) {
    return end_unanswered("54000", "a guarded statement grew too long", "", out);
  }
  pass_parse({from.tag, {}, changed}, *parse, false, kept, out);
  out.to_server.own();  // `changed` ends here
}

/// The server will skip what comes now, or take it for COPY data.
bool session::will_not_run() const {
  return ledger_.skipping() || ledger_.copying_in();
}

void session::take_bind(const frame_view& from, outbox& out) {
  // The statement is none that is kept.
  if (statements_.empty() && portals_.empty() && !cached_) return pass(from, request::bind, out);
  const auto bind = frontend::decode_bind(from.body);
  if (!bind || will_not_run()) return pass(from, request::bind, out);
  const auto [statement, certain] = statements_.find(bind->statement, batch_);
  if (!certain || awaits_unnamed(bind->statement)) return hold_back(from, hold::status, out);
  portal_ptr made;
  if (statement) {
    if (statement->guarded() != nullptr && block_.now() == block::unknown) {
      return hold_back(from, hold::status, out);
    }
    if (statement->guarded() != nullptr && !book_) return hold_back(from, hold::catalog, out);
    if (statement->analysed && asks_names(from, statement->analysed->text, out)) return;
    renew(*statement, out);
    made = spare_.portals.take();
    made->statement = statement;
    const bool keeps = statement->guarded() != nullptr;
    const std::size_t bytes = sizeof(portal) + (keeps ? from.body.size() : 0);
    if (would_keep_too_much(bytes, portals_.size(), limits::portals, out))
      return pass(from, request::bind, out);  // skipped
    if (statement->guarded() != nullptr && !bind_guarded(from, *bind, *made, out)) return;
    made->share.set(&kept_bytes_, sizeof(portal) + made->bind.size());
  }
  const bool changes = portals_.would_change(bind->portal, static_cast<bool>(made));
  if (changes) portals_.change(bind->portal, made, batch_);
  const note kept = changes ? note::portal_name : note::none;
  if (made && !made->statement->own_parameters.empty())
    return pass_changed_bind(from, *bind, *made, kept, out);
  pass_bind(from, *bind, kept, out);
}

/// False: the message is held until its turn comes.
bool session::bind_guarded(const frame_view& from, const frontend::bind_view& bind, portal& made,
                           outbox& out) {
  prepared_statement& statement = *made.statement;
  const rules::statement& guarded = *statement.guarded();
  const rules::plan& plan = plan_for(guarded, block_);
  auto watched = watch_for(statement.book, statement.analysed, guarded, plan, {&bind, &statement.types},
                           statement.trace, out.now);
  if (watched) watched->settled = watched->settled && statement.rebases;
  if (watched && must_await_outcome(*watched)) {
    hold_back(from, hold::status, out);
    return false;
  }
  if (watched) {
    const auto answer = take_turns(*watched, out);
    if (answer == turn_answer::type::wait) {
      hold_back(from, hold::turn, out);
      return false;
    }
    stop_waiting(out);
    if (answer == turn_answer::type::deadlock) raise(turn_deadlock(*watched), out);
    if (sharing_ && sharing_->hold_bind(from, bind, made, *watched, out)) return false;
    for (const std::int16_t format : bind.result_formats) watched->formats.push_back(format);
    watched->prepared = made.statement;
    remember_locks(*watched);
    made.watched = std::move(watched);
  }
  if (auto unfit = statement.lacks_check(plan)) raise(std::move(*unfit), out);
  if (has_preludes(plan, false) || (made.watched && !made.watched->writes.empty())) {
    made.bind = from.body;
  } else {
    report(plan, *statement.book, nullptr, out);
    doubt_unseen(plan, *statement.book, statement.trace);
    if (plan.kind == rules::plan_kind::reject) raise(refusal_of(plan, *statement.book), out);
  }
  run_preludes(plan, true, statement, bind, nullptr, out);
  return true;
}

void session::take_execute(const frame_view& from, outbox& out) {
  const auto execute = frontend::decode_execute(from.body);
  if (!execute || will_not_run()) return pass(from, request::execute, out);
  const auto [portal, certain] = portals_.find(execute->portal, batch_);
  if (!certain) return hold_back(from, hold::status, out);
  settings_doubted_ = settings_doubted_ || settings_prepared_;
  const bool in_block = block_.surely_inside();
  if (portal ? portal->statement->commits(in_block) : !in_block) ledger_.commits_next();
  if (!portal) return pass(from, request::execute, out);
  const prepared_statement& statement = *portal->statement;
  const rules::statement* guarded = statement.guarded();
  watch_ptr watched = portal->watched;
  // What becomes of a write is that of one execution; reads are the same in all of them.
  if (watched && !watched->writes.empty()) watched = copy_of(*watched);
  if (guarded != nullptr && !portal->executed && !portal->bind.empty()) {
    const bool early = watched && must_await_outcome(*watched);
    if (early || block_.now() == block::unknown) return hold_back(from, hold::status, out);
    execute_write(*portal, watched, out);
  } else if (watched) {
    watched->writes.clear();
  }
  if (!portal->executed) {
    portal->executed = true;
    portal->bind = {};
    portal->share.set(&kept_bytes_, sizeof(*portal));
  }
  block_.statement_sent(statement.effect);
  note_transaction_command(statement.effect);
  if (ledger_.skipping()) return pass(from, request::execute, out);
  if (watched && statement.carried.plan != nullptr) watched->carried = statement.carried;
  if (watched) return pass_watched(from, execute->portal, std::move(watched), out);
  if (!statement.savepoint.empty()) {
    savepoints_.emplace_back(statement.effect, statement.savepoint);
    return pass(from, request::execute, out, note::savepoint);
  }
  pass(from, request::execute, out);
}

/// What must go before the Execute of a write.
void session::execute_write(portal& of, watch_ptr& watched, outbox& out) {
  prepared_statement& statement = *of.statement;
  const rules::plan& plan = plan_for(*statement.guarded(), block_);
  const auto bind = frontend::decode_bind(of.bind);
  if (!bind) return;
  if (watched) {
    const parameter_source from{&*bind, &statement.types};
    // A BEGIN may have come between Bind and Execute.
    if (watched->plan != &plan) {
      auto again = watch_for(statement.book, statement.analysed, *statement.guarded(), plan, from,
                             statement.trace, out.now);
      if (again) {
        again->settled = again->settled && statement.rebases;
        again->formats = watched->formats;
        again->prepared = watched->prepared;
        watched = std::move(again);
      }
    }
    const auto bound = rebased_of(*of.watched);
    if (auto refused = settle_writes(*watched, from, out)) raise(std::move(*refused), out);
    if (!statement.own_parameters.empty() && rebased_of(*watched) != bound) {
      fail(*watched);
      raise(overtaken_bind(*watched), out);
    }
  }
  report(plan, *statement.book, watched.get(), out);
  doubt_unseen(plan, *statement.book, statement.trace);
  run_preludes(plan, false, statement, *bind, watched.get(), out);
}

watch_ptr session::copy_of(const watch& of) {
  watch_ptr made = spare_.watches.take();
  *made = of;
  return made;
}

void session::pass_watched(const frame_view& from, std::string_view portal_name, watch_ptr watched,
                           outbox& out) {
  prepared_statement& statement = *watched->prepared;
  const bool tells_rows = !watched->reads.empty() || may_return_rows(statement.analysed->text);
  if (tells_rows && !statement.described) {
    statement.described = true;
    if (send_hidden_describe(portal_name, note::types, ledger_, out)) describes_.push_back(watched->prepared);
  }
  watches_.push_back(std::move(watched));
  pass(from, request::execute, out, note::watch);
}

void session::take_describe(const frame_view& from, outbox& out) {
  const auto describe = frontend::decode_describe(from.body);
  const bool of_portal = describe && describe->kind == frontend::target_kind::portal;
  const request what = of_portal ? request::describe_portal : request::describe_statement;
  if (!describe || will_not_run()) return pass(from, what, out);
  std::shared_ptr<prepared_statement> statement;
  if (of_portal) {
    const auto [found, certain] = portals_.find(describe->name, batch_);
    if (certain && found) statement = found->statement;
  } else {
    const auto [found, certain] = statements_.find(describe->name, batch_);
    if (awaits_unnamed(describe->name)) return hold_back(from, hold::status, out);
    if (certain) statement = found;
  }
  const bool learn = statement && (statement->guarded() != nullptr || !statement->own_parameters.empty());
  if (learn) statement->described = true;
  if (learn) describes_.push_back(std::move(statement));
  const note kept = learn ? note::types : note::none;
  if (!of_portal && describe->name.empty() && pass_describe_unnamed(kept, out)) return;
  pass(from, what, out, kept);
}

void session::take_close(const frame_view& from, outbox& out) {
  const auto close = frontend::decode_close(from.body);
  note kept = note::none;
  bool unnamed = false;
  if (close && !will_not_run()) {
    unnamed = close->kind == frontend::target_kind::statement && close->name.empty();
    note_names(close->name, {}, true);
    if (close->kind == frontend::target_kind::statement && statements_.would_change(close->name, false)) {
      statements_.change(close->name, nullptr, batch_);
      kept = note::statement_name;
    } else if (close->kind == frontend::target_kind::portal && portals_.would_change(close->name, false)) {
      portals_.change(close->name, nullptr, batch_);
      kept = note::portal_name;
    }
  }
  pass(from, request::close, out, kept);
  if (unnamed) forget_unnamed();
}

}  // namespace proxy::session
