// How plans become messages: hidden statements, refusals that PostgreSQL raises for us, and holding a message
// back until it can be planned.
#include <algorithm>
#include <utility>

#include "proxy/session/hidden_messages.hpp"
#include "proxy/session/limits.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {

namespace frontend = protocol::frontend;

bool session::must_await_catalog(std::string_view sql) const {
  return rules_ && !book_ && rules::may_touch(*rules_, database_, user_, sql);
}

analysis_ptr session::analyse(std::string_view sql, outbox& out) {
  if (!book_ || book_->empty()) return nullptr;
  plan_cache::answer answer = cache_.look_up(book_, sql, reads_sql_);
  if (answer.looked_up) {
    out.events.push_back({.what = answer.hit ? event::type::plan_cache_hit : event::type::plan_cache_miss,
                          .rule = {},
                          .sqlstate = {}});
  }
  return std::move(answer.analysed);
}

/// Cheap for what is no DDL at first sight; a string of several statements may hold some anywhere.
void session::note_ddl(std::string_view sql) {
  if (!rules_ || ddl_named_guarded_) return;
  const std::size_t first = sql.find_first_not_of(" \t\r\n(/-");
  const char letter = first == std::string_view::npos ? ' ' : sql[first];
  const bool several = sql.find(';') != std::string_view::npos;
  if (!several && std::string_view("aAcCdDgGrR").find(letter) == std::string_view::npos) return;
  ddl_named_guarded_ = rules::may_touch(*rules_, database_, user_, sql);
}

/// The catalog may have changed since the statement was prepared.
void session::renew(prepared_statement& statement, outbox& out) {
  if (!statement.analysed || statement.book == book_ || !book_) return;
  statement.analysed = analyse(statement.analysed->text, out);
  statement.book = book_;
}

bool session::has_preludes(const rules::plan& plan, bool before_bind) const {
  return plan.kind == rules::plan_kind::wrap &&
         std::any_of(plan.preludes.begin(), plan.preludes.end(),
                     [&](const rules::prelude& guard) { return guard.before_bind == before_bind; });
}

void session::send_script(analysis_ptr analysed, const chosen_plans& chosen, outbox& out) {
  script made = compose_script(std::move(analysed), book_, chosen, out.now);
  std::string query;
  if (!frontend::encode_query(made.sql, query)) return end("a guarded statement grew too long", out);
  if (!ledger_.expect_script(made.hidden)) return;
  out.to_server.append(query);
  scripts_.push_back(std::move(made));
  ++batch_;
}

void session::run_preludes(const rules::plan& plan, bool before_bind, const prepared_statement& statement,
                           const frontend::bind_view& bind, outbox& out) {
  if (plan.kind != rules::plan_kind::wrap) return;
  for (const rules::prelude& guard : plan.preludes) {
    if (guard.before_bind != before_bind) continue;
    const hidden_statement what{guard.sql, guard.parameters, statement.types, &bind};
    if (!send_hidden(what, name_may_be_taken(), ledger_, out)) return;
    hidden_left_over_ = false;
    runs_.push_back({statement.analysed, statement.book, &guard, std::nullopt, out.now});
  }
}

/// A hidden statement that failed, or may yet fail, after its Parse leaves its name behind.
bool session::name_may_be_taken() const {
  return hidden_left_over_ || !runs_.empty();
}

void session::raise(refusal what, outbox& out) {
  if (ledger_.skipping()) return;
  if (!send_hidden({raising_sql, {}, {}, nullptr}, name_may_be_taken(), ledger_, out)) return;
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
  block_.query_sent(rules::block_effect::none);
  out.to_server.append(query);
}

void session::report(const rules::plan& plan, const rules::rule_book& book, outbox& out) {
  for (const rules::touch& touch : plan.touches) {
    const std::string& rule = book.rules()[touch.rule].name;
    out.events.push_back({.what = event::type::statement,
                          .rule = rule,
                          .kind = touch.kind,
                          .action = touch.action,
                          .sqlstate = {}});
    if (touch.unguarded) {
      out.events.push_back(
          {.what = event::type::unguarded, .rule = rule, .reason = touch.reason, .sqlstate = {}});
    }
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
