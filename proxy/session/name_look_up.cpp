// What an unqualified name of a guarded table means depends on search_path, on the role, and on temporary
// tables, which change by many routes that say nothing. Where more than one relation has such a name,
// PostgreSQL is asked, just before the statement that uses it.
#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/backend.hpp"
#include "proxy/session/hidden_messages.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/session.hpp"
#include "rules/identifiers.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;
namespace frontend = protocol::frontend;
namespace tag = protocol::backend_tag;

std::string asking_sql(const std::vector<std::string>& names) {
  std::string sql = "SELECT";
  for (const std::string& name : names) {
    if (sql.size() > 6) sql += ",";
    sql += " CAST(pg_catalog.to_regclass(" + rules::quoted_literal(rules::quoted_name(name)) +
           ") AS pg_catalog.oid)";
  }
  return sql;
}

}  // namespace

/// True: the message is held until the server has answered. Not asked, a name is taken for the guarded
/// table's.
bool session::asks_names(const frame_view& from, std::string_view sql, outbox& out) {
  if (!base_ || names_fresh_ || (base_->ambiguous().empty() && !made_names_)) return false;
  if (!may_name_guarded(sql)) return false;
  book_ = base_;  // what was answered before may be so no more
  // Nothing but its end runs in a failed transaction. There a question in an open batch would fail, and let
  // the server skip what the client has sent behind it.
  if (block_.status() == 'E') {
    if (ledger_.batch_open() && ledger_.owed_queries() > 0) {
      hold_back(from, hold::status, out);
      return true;
    }
    if (ledger_.empty() || ledger_.batch_open()) return false;
  }
  const bool by_query = from.tag == protocol::frontend_tag::query && !ledger_.batch_open();
  if ((!by_query || block_.now() != block::outside) && must_come_first(sql)) return false;
  if (ledger_.may_copy_in()) {
    if (ledger_.batch_open()) out.to_server.append(frontend::flush_frame);
    hold_back(from, hold::status, out);
    waits_for_copy_ = true;
    return true;
  }
  ask_names(by_query, out);
  if (!asking_names_) return false;
  hold_back(from, hold::names, out);
  return true;
}

/// In a batch of the client's, which has no Sync yet, a Query would end it: there a Flush brings the answer.
void session::ask_names(bool by_query, outbox& out) {
  asked_names_ = made_names_ ? base_->table_names() : base_->ambiguous();
  const std::string sql = asking_sql(asked_names_);
  if (by_query) {
    std::string query;
    if (!frontend::encode_query(sql, query)) return;
    if (!ledger_.expect({.what = request::query, .hidden = true, .kept = note::names})) return;
    ++batch_;
    forget_unnamed();
    block_.query_sent(rules::block_effect::none);
    out.to_server.append(query);
  } else {
    if (!send_hidden(sql, {}, name_may_be_taken(), ledger_, out, note::names)) return;
    hidden_left_over_ = false;
    out.to_server.append(frontend::flush_frame);
  }
  asking_names_ = true;
}

void session::on_names(const frame_view& from, const ruling& answer, outbox& out) {
  if (from.tag == tag::data_row && base_) {
    rules::name_meanings meanings;
    const auto values = backend::decode_data_row(from.body);
    std::size_t place = 0;
    if (values) {
      for (const auto& value : *values) {
        if (place >= asked_names_.size()) break;
        const std::string_view text = value.value_or("");
        std::uint32_t oid = 0;
        std::from_chars(text.data(), text.data() + text.size(), oid);
        meanings.emplace_back(asked_names_[place++], oid);
      }
    }
    book_ = base_->resolved(meanings);
    names_fresh_ = true;
  }
  if (answer.settled) settle_note(answer.subject, true);
  if (from.tag == tag::ready_for_query) {
    names_fresh_ = true;  // also where nothing could be told: once is enough
    if (std::exchange(question_failed_, false)) {
      names_fresh_ = false;
      out.to_client.forward(from.wire);
      held_.clear();
      hold_ = hold::none;
    }
    on_ready(from, out);
    if (hold_ == hold::none) return pump_client(out);
  }
  resume_named(out);
}

/// The question has been answered, or will not be.
void session::resume_named(outbox& out) {
  if (hold_ != hold::names || asking_names_ || phase_ != session_phase::ready) return;
  if (!std::exchange(cancelled_, false)) return release(out);
  stop_waiting(out);  // for a turn, before the catalog changed
  refuse_held(cancelled(), out);
}

/// What was asked by a Query has failed, and so has the client's own statement, with the same error.
void session::on_question_failed(const frame_view& from, std::string_view sqlstate, outbox& out) {
  cancelled_ = false;
  // The transaction had failed before; the held statement may be what ends it.
  if (sqlstate == "25P02") return;
  note_deadlock(sqlstate, out);
  query_failed_ = true;
  question_failed_ = true;
  streaming_ = verdict::forward;
  out.to_client.forward(from.wire);
}

/// From now on the session's own relations may stand before others of the same name, before anybody else can
/// see them.
void session::note_made_names(const analysis_ptr& analysed) {
  if (!analysed) return;
  for (const rules::statement& statement : analysed->statements) {
    for (const rules::touch& touch : statement.in_block.touches) {
      const bool ddl = touch.unguarded && touch.reason == rules::unguarded_reason::ddl;
      const bool code = touch.unguarded && touch.reason == rules::unguarded_reason::opaque &&
                        may_make_relations(analysed->text);
      made_names_ = made_names_ || ddl || code;
      copies_names_ = copies_names_ || ddl || code;
    }
  }
}

}  // namespace proxy::session
