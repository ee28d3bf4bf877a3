// What the client sends once it is authenticated: each message is looked at as far as a rule needs it,
// planned, and passed on, with what must go before it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/session/limits.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;
namespace tag = protocol::frontend_tag;

refusal too_much(std::string message, std::string hint) {
  return {.sqlstate = "53400",
          .message = std::move(message),
          .detail = {},
          .hint = std::move(hint),
          .rule = {},
          .schema = {},
          .table = {},
          .column = {}};
}

constexpr char read_word[] = {'r', 'e', 'a', 'd'};

}  // namespace

bool session::may_take() const noexcept {
  return (phase_ == session_phase::ready || phase_ == session_phase::authenticating) && hold_ == hold::none &&
         ledger_.size() < limits::owed_replies;
}

void session::pump_client(outbox& out) {
  while (may_take()) {
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
  if (from.tag == tag::password || from.tag == tag::terminate) return out.to_server.forward(from.wire);
  // A client may pipeline its first statement; what it means is known once the session's settings are.
  hold_back(from, hold::status, out);
}

void session::pass(const frame_view& from, request what, outbox& out, note kept) {
  if (what == request::sync || what == request::query) ++batch_;
  const owed entry{.what = what, .hidden = false, .kept = kept};
  static_cast<void>(ledger_.expect(entry));
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

void session::take_query(const frame_view& from, outbox& out) {
  const auto sql = frontend::decode_query(from.body);
  if (!sql || will_not_run()) return pass(from, request::query, out);
  if (must_await_catalog(*sql)) return hold_back(from, hold::catalog, out);
  if (executes_guarded(*sql, out)) return;
  note_ddl(*sql);
  const analysis_ptr analysed = analyse(*sql, out);
  const rules::block_effect first = rules::effect_of(*sql);
  if (!analysed) {
    owed entry{.what = request::query};
    forget_deallocated(*sql, entry);
    static_cast<void>(ledger_.expect(entry));
    ++batch_;
    block_.query_sent(first);
    declare_later_effects(*sql);
    return out.to_server.forward(from.wire);
  }
  if (block_.now() == block::unknown) return hold_back(from, hold::status, out);
  const chosen_plans chosen = choose_plans(*analysed, block_);
  for (const rules::plan* plan : chosen.plans) report(*plan, *book_, out);
  block_.query_sent(first);
  for (const rules::statement& statement : analysed->statements) block_.declare(statement.effect);
  if (chosen.wrapped) return send_script(analysed, chosen, out);
  pass(from, request::query, out);
}

/// A string that no rule touches is not parsed, unless it may say READ ONLY or READ WRITE behind its first
/// statement.
void session::declare_later_effects(std::string_view sql) {
  if (!book_ || sql.find(';') == std::string_view::npos) return;
  const auto read = std::search(sql.begin(), sql.end(), std::begin(read_word), std::end(read_word),
                                [](char text, char word) { return (text | 0x20) == word; });
  if (read == sql.end()) return;
  const auto analysed = book_->analyse(sql, reads_sql_);
  for (const rules::statement& statement : analysed->statements) block_.declare(statement.effect);
}

void session::take_parse(const frame_view& from, outbox& out) {
  const auto parse = frontend::decode_parse(from.body);
  if (!parse || will_not_run()) return pass(from, request::parse, out);
  if (must_await_catalog(parse->sql)) return hold_back(from, hold::catalog, out);
  note_ddl(parse->sql);
  has_named_ = has_named_ || !parse->statement.empty();
  auto statement = std::make_shared<prepared_statement>();
  statement->analysed = analyse(parse->sql, out);
  statement->book = book_;
  statement->effect = rules::effect_of(parse->sql);
  for (const std::uint32_t type : parse->types) statement->types.push_back(type);
  if (!statement->analysed && statement->effect == rules::block_effect::none) statement.reset();
  if (statement && statements_.size() >= limits::prepared_statements) {
    raise(too_much("too many prepared statements in one session",
                   "Deallocate some, or raise the driver's reuse."),
          out);
  }
  const bool changes =
      !ledger_.skipping() && statements_.would_change(parse->statement, statement != nullptr);
  const note kept = changes ? note::statement_name : note::none;
  const bool carries = statement && carry_checks(*statement);
  if (changes) statements_.change(parse->statement, statement, batch_);
  if (!carries) return pass(from, request::parse, out, kept);
  std::string changed;
  if (!frontend::encode_parse(parse->statement, statement->sent.sql, statement->types, changed)) {
    return end("a guarded statement grew too long", out);
  }
  pass({from.tag, {}, changed}, request::parse, out, kept);
  out.to_server.own();  // `changed` ends here
}

/// Puts the checks into the statement that only it can make. The same inside and outside a transaction.
bool session::carry_checks(prepared_statement& statement) const {
  const rules::statement* guarded = statement.guarded();
  const rules::prelude* guard = guarded != nullptr ? carried_by(guarded->autonomous) : nullptr;
  if (guard == nullptr) return false;
  statement.sent = insert_into(statement.analysed->text, guard->insertions);
  statement.carried = {statement.analysed, statement.book, guard, std::nullopt, {}};
  return true;
}

/// The server will skip what comes now, or take it for COPY data.
bool session::will_not_run() const {
  return ledger_.skipping() || ledger_.copying_in();
}

void session::take_bind(const frame_view& from, outbox& out) {
  const auto bind = frontend::decode_bind(from.body);
  if (!bind || will_not_run()) return pass(from, request::bind, out);
  const auto [statement, certain] = statements_.find(bind->statement, batch_);
  if (!certain) return hold_back(from, hold::status, out);
  std::shared_ptr<portal> made;
  if (statement) {
    if (statement->guarded() != nullptr && block_.now() == block::unknown) {
      return hold_back(from, hold::status, out);
    }
    if (statement->guarded() != nullptr && !book_) return hold_back(from, hold::catalog, out);
    renew(*statement, out);
    made = std::make_shared<portal>();
    made->statement = statement;
    if (const rules::statement* guarded = statement->guarded()) {
      const rules::plan& plan = plan_for(*guarded, block_);
      if (has_preludes(plan, false)) {
        made->bind = from.body;
      } else {
        report(plan, *statement->book, out);
        if (plan.kind == rules::plan_kind::reject) raise(refusal_of(plan, *statement->book), out);
      }
      run_preludes(plan, true, *statement, *bind, out);
    }
  }
  const bool changes = portals_.would_change(bind->portal, made != nullptr);
  if (changes) portals_.change(bind->portal, std::move(made), batch_);
  pass(from, request::bind, out, changes ? note::portal_name : note::none);
}

void session::take_execute(const frame_view& from, outbox& out) {
  const auto execute = frontend::decode_execute(from.body);
  if (!execute || will_not_run()) return pass(from, request::execute, out);
  const auto [portal, certain] = portals_.find(execute->portal, batch_);
  if (!certain) return hold_back(from, hold::status, out);
  if (portal) {
    const prepared_statement& statement = *portal->statement;
    const rules::statement* guarded = statement.guarded();
    if (guarded != nullptr && !portal->executed && !portal->bind.empty()) {
      if (block_.now() == block::unknown) return hold_back(from, hold::status, out);
      const rules::plan& plan = plan_for(*guarded, block_);
      report(plan, *statement.book, out);
      if (const auto bind = frontend::decode_bind(portal->bind))
        run_preludes(plan, false, statement, *bind, out);
    }
    portal->executed = true;
    block_.statement_sent(statement.effect);
    if (statement.carried.guard != nullptr && !ledger_.skipping()) {
      runs_.push_back(statement.carried);
      return pass(from, request::execute, out, note::hidden_run);
    }
  }
  pass(from, request::execute, out);
}

void session::take_describe(const frame_view& from, outbox& out) {
  const auto describe = frontend::decode_describe(from.body);
  const bool portal = describe && describe->kind == frontend::target_kind::portal;
  if (!describe || portal || will_not_run()) {
    return pass(from, portal ? request::describe_portal : request::describe_statement, out);
  }
  const auto [statement, certain] = statements_.find(describe->name, batch_);
  const bool learn = certain && statement && statement->guarded() != nullptr;
  if (learn) describes_.push_back(statement);
  pass(from, request::describe_statement, out, learn ? note::types : note::none);
}

void session::take_close(const frame_view& from, outbox& out) {
  const auto close = frontend::decode_close(from.body);
  note kept = note::none;
  if (close && !will_not_run()) {
    if (close->kind == frontend::target_kind::statement && statements_.would_change(close->name, false)) {
      statements_.change(close->name, nullptr, batch_);
      kept = note::statement_name;
    } else if (close->kind == frontend::target_kind::portal && portals_.would_change(close->name, false)) {
      portals_.change(close->name, nullptr, batch_);
      kept = note::portal_name;
    }
  }
  pass(from, request::close, out, kept);
}

/// A message too large to be looked at whole. Its names stand at its front; what it says is not known.
void session::take_head(const protocol::piece& head, outbox& out) {
  const frame_view& from = head.frame;
  const bool statement = from.tag == tag::query || from.tag == tag::parse;
  if (phase_ == session_phase::authenticating && from.tag != tag::password) {
    return end_with("08P01", "message too large before authentication", "", out);
  }
  if (statement && rules_) {
    out.events.push_back({.what = event::type::unguarded, .rule = "*", .sqlstate = {}});
    if (any_rule_rejects_opaque()) {
      refusal refused{.sqlstate = "42501",
                      .message = "statement is too long to be analysed",
                      .detail = {},
                      .hint = "A rule has on_opaque = \"reject\".",
                      .rule = {},
                      .schema = {},
                      .table = {},
                      .column = {}};
      swallow_client_ = from.tag == tag::query;
      if (swallow_client_) return raise_query(std::move(refused), out);
      raise(std::move(refused), out);
    }
  }
  if (from.tag == tag::bind) {
    protocol::reader names(from.body);
    static_cast<void>(names.c_string());
    const auto [prepared, certain] = statements_.find(names.c_string(), batch_);
    if (!names.ok() || !certain || (prepared && prepared->guarded() != nullptr)) {
      raise({.sqlstate = "54000",
             .message = "parameters are too large to guard the statement",
             .detail = {},
             .hint = {},
             .rule = {},
             .schema = {},
             .table = {},
             .column = {}},
            out);
    }
  }
  switch (from.tag) {
    case tag::query:
      block_.query_sent(rules::block_effect::none);
      return pass(from, request::query, out);
    case tag::parse:
      return pass(from, request::parse, out);
    case tag::bind:
      return pass(from, request::bind, out);
    case tag::function_call:
      return pass(from, request::function_call, out);
    default:
      return out.to_server.forward(from.wire);
  }
}

}  // namespace proxy::session
