// What the server sends: every message is set against the ledger, which tells whose it is; then it passes, is
// hidden, or is told in the proxy's own words.
#include <algorithm>
#include <charconv>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

/// An ErrorResponse after which the server ends the connection.
bool is_fatal(std::string_view body) {
  const protocol::error_fields fields(body);
  const std::string_view severity = fields.text(protocol::error_code::severity_plain);
  return severity == "FATAL" || severity == "PANIC";
}

namespace backend = protocol::backend;
namespace tag = protocol::backend_tag;

// Encodings in which a byte below 0x80 may be the second half of a character: PostgreSQL's client-only ones.
bool is_ascii_safe(std::string_view encoding) {
  constexpr std::string_view unsafe[] = {"SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"};
  return std::find(std::begin(unsafe), std::end(unsafe), encoding) == std::end(unsafe);
}

/// Messages that only their request can make worth a look.
bool tells_nothing(char what) {
  return what == tag::data_row || what == tag::row_description || what == tag::no_data ||
         what == tag::parse_complete || what == tag::bind_complete || what == tag::close_complete;
}

// NoticeResponse, ParameterStatus, NotificationResponse: they answer nothing.
bool is_asynchronous(char message) {
  return message == tag::notice_response || message == tag::parameter_status ||
         message == tag::notification_response;
}

bool is_quiet(std::string_view severity) {
  return severity == "NOTICE" || severity == "INFO" || severity == "DEBUG" || severity == "LOG";
}

}  // namespace

void session::on_server_bytes(std::string_view bytes, outbox& out) {
  if (phase_ == session_phase::closed) return;
  from_server_.feed(bytes);
  while (phase_ != session_phase::closed) {
    const protocol::piece piece = from_server_.next();
    if (piece.kind == protocol::piece_kind::need_more) break;
    if (piece.kind == protocol::piece_kind::broken) {
      return end_unanswered("08P01", "invalid message from PostgreSQL", from_server_.broken_reason(), out);
    }
    if (phase_ == session_phase::authenticating) {
      authenticate(piece.frame, out);
    } else if (piece.kind == protocol::piece_kind::whole || piece.kind == protocol::piece_kind::head) {
      on_reply(piece, out);
    } else if (streaming_ == verdict::forward) {
      out.to_client.forward(piece.frame.wire);
    } else if (sharing_) {
      sharing_->on_part(piece.frame.wire);
    }
  }
  // What waited because too many replies were owed: the client may send nothing more before it has its reply.
  if (!stalled_ && from_client_.held() > 0) pump_client(out);
}

void session::authenticate(const frame_view& from, outbox& out) {
  if (binding_ends_here_ && take_binding_out(from, out)) return;
  out.to_client.forward(from.wire);
  switch (from.tag) {
    case tag::parameter_status:
      return on_parameter(from);
    case tag::backend_key_data:
      if (const auto key = backend::decode_backend_key_data(from.body)) {
        key_ = {key->process_id, std::string(key->key)};
      }
      return;
    case tag::error_response:
      fatal_seen_ = true;
      return;
    case tag::ready_for_query:
      enter(session_phase::ready);
      on_ready(from, out);
      // The client's first statement may have come early.
      if (hold_ == hold::status) return release(out);
      passes_raw_ = !rules_ && !cached_ && from_client_.held() == 0 && !from_client_.inside_message();
      return pump_client(out);
    default:
      return;
  }
}

void session::on_parameter(const frame_view& from) {
  const auto parameter = backend::decode_parameter_status(from.body);
  if (!parameter) return;
  const bool on = parameter->value == "on";
  if (sharing_)
    sharing_->on_parameter(parameter->name, parameter->value, phase_ == session_phase::authenticating);
  if (cached_ && phase_ == session_phase::ready && parameter->name != "application_name") cached_->forget();
  if (parameter->name == "standard_conforming_strings") reads_sql_.standard_conforming_strings = on;
  if (parameter->name == "default_transaction_read_only") block_.default_read_only(on);
  if (parameter->name == "in_hot_standby") block_.standby(on);
  if (parameter->name == "application_name") application_ = parameter->value;
  if (parameter->name == "client_encoding") {
    reads_sql_.ascii_safe_encoding = is_ascii_safe(parameter->value);
    utf8_ = parameter->value == "UTF8";
    reads_sql_.utf8 = utf8_;
  }
}

void session::on_reply(const protocol::piece& from, outbox& out) {
  const frame_view& message = from.frame;
  if (passes_raw_) {
    out.to_client.forward(message.wire);
    // Whatever the server may mean by it, the client has it.
    if (ledger_.on_reply(message.tag).what == verdict::desync) ledger_ = {};
    if (message.tag == tag::ready_for_query) on_ready(message, out);
    if (message.tag == tag::parameter_status) on_parameter(message);
    if (message.tag == tag::error_response && is_fatal(message.body)) fatal_seen_ = true;
    return;
  }
  const ruling answer = ledger_.on_reply(message.tag);
  streaming_ = answer.what;
  const bool plain =
      answer.what == verdict::forward && answer.subject.kept == note::none && !answer.subject.cached.any();
  if (plain && tells_nothing(message.tag)) return out.to_client.forward(message.wire);
  if (answer.what == verdict::desync)
    return end_unanswered("08P01", "PostgreSQL sent what was not asked for", "", out);
  if (answer.subject.kept == note::group && sharing_->takes(from, is_asynchronous(message.tag)))
    return on_shared(from, answer, out);
  if (message.tag == tag::error_response) return on_server_error(message, answer, out);
  if (message.tag == tag::notice_response && answer.subject.cached.prepares) cached_->forget_oldest_parse();
  if (answer.subject.cached.any() && tell_swapped(answer, out)) return;
  // What the COPY that runs now has read stood behind it.
  drop_cached(false, answer.subject.cached.renames ? 1 : 0);
  for (const owed& entry : ledger_.dropped())
    settle_note(entry, false, answer.subject.kept == entry.kept ? 1 : 0);
  if (answer.subject.kept == note::types) learn_shape(message);
  if (answer.what == verdict::hide) return on_hidden(message, answer, out);
  on_watched(message, answer, out);
  if (message.tag == tag::command_complete) {
    notice_schema_change(message);
    if (rules_) on_command_tag(message, answer, out);
  }
  if (message.tag == tag::parameter_status) on_parameter(message);
  const bool told = message.tag == tag::parameter_description && answer.subject.kept == note::types &&
                    tell_parameters(message, out);
  if (!told) out.to_client.forward(message.wire);
  if (answer.settled) settle_note(answer.subject, !query_failed_);
  if (message.tag == tag::ready_for_query) return on_ready(message, out);
  // A COPY reads what is held; of a statement that has run, it is known that it is none.
  const bool ran = answer.settled && answer.subject.what == request::execute;
  const bool known =
      message.tag == tag::copy_in_response || (waits_for_copy_ && ran && !ledger_.may_copy_in());
  if (hold_ == hold::status && known) release(out);
}

/// What answers a group's statements is for its members; only the end of the connection is the client's own.
void session::on_shared(const protocol::piece& from, const ruling& answer, outbox& out) {
  if (from.frame.tag == tag::error_response && is_fatal(from.frame.body)) {
    fatal_seen_ = true;
    streaming_ = verdict::forward;
    out.to_client.forward(from.frame.wire);
  }
  sharing_->on_reply(from, answer, out);
}

void session::on_ready(const frame_view& from, outbox& out) {
  const char status = from.body.empty() ? 'I' : from.body[0];
  if (status == 'I' && rules_) end_transaction(!query_failed_, out);
  renew_reads(status, out);
  spare_.unanswered.answered(batch_ - std::min<std::uint64_t>(batch_, ledger_.owed_ready()));
  if (ledger_.empty()) unsettled_ = false;
  if (ledger_.empty()) settings_doubted_ = false;
  if (cached_ && ledger_.empty() && status == 'I') cached_->open();
  query_failed_ = false;
  block_.ready(status, ledger_.owed_queries() > 0, !ledger_.empty());
  tell_schema_change(out);
  if (status == 'I' && ledger_.empty()) ddl_named_guarded_ = ddl_prepared_;
  if (sharing_) sharing_->on_ready(out);
  if (status == 'I') portals_.clear_lasting();  // portals end with their transaction
  retry_held(out);
  drain_if_idle(out);
}

void session::on_hidden(const frame_view& from, const ruling& answer, outbox& out) {
  if (from.tag == tag::notice_response) {
    const protocol::error_fields fields(from.body);
    if (is_quiet(fields.text(protocol::error_code::severity_plain))) return;
    streaming_ = verdict::forward;
    return out.to_client.forward(from.wire);
  }
  if (answer.subject.kept == note::names) return on_names(from, answer, out);
  if (from.tag == tag::data_row) note_lock_count(from, answer);
  if (from.tag != tag::command_complete) {
    if (answer.settled) settle_note(answer.subject, true);
    return;
  }
  hidden_run* run = nullptr;
  if (answer.subject.kept == note::script) {
    // The ledger has moved on to the next statement of the script.
    auto& of_script = scripts_.front().runs[ledger_.script_position() - 1];
    run = of_script ? &*of_script : nullptr;
  } else if (answer.subject.kept == note::hidden_run) {
    run = &runs_.front();
  }
  if (run != nullptr && run->guard != nullptr) {
    out.events.push_back({.what = event::type::lock_wait,
                          .rule = run->book->rules()[run->guard->rule].name,
                          .sqlstate = {},
                          .waited = out.now - run->sent});
  }
  if (answer.settled) settle_note(answer.subject, true);
}

/// A read's prelude tells how many rows it has locked. Fewer than the statement names: one may come to be
/// there before the statement runs.
void session::note_lock_count(const frame_view& from, const ruling& answer) {
  const hidden_run* run = nullptr;
  if (answer.subject.kept == note::script) {
    const auto& of_script = scripts_.front().runs[ledger_.script_position()];
    run = of_script ? &*of_script : nullptr;
  } else if (answer.subject.kept == note::hidden_run) {
    run = &runs_.front();
  }
  if (run == nullptr || run->guard == nullptr || !run->guard->before_bind || run->plan == nullptr) return;
  std::size_t named = 0;
  for (const rules::read_note& read : run->plan->reads) named = std::max(named, read.rows.size());
  std::size_t locked = 0;
  if (const auto values = backend::decode_data_row(from.body)) {
    std::string_view last;
    for (const auto& value : *values) last = value.value_or("");
    std::from_chars(last.data(), last.data() + last.size(), locked);
  }
  if (locked < named) {
    not_all_locked_ = run->kept;
  } else if (not_all_locked_ == run->kept) {
    not_all_locked_ = nullptr;
  }
}

void session::on_server_error(const frame_view& from, const ruling& answer, outbox& out) {
  const protocol::error_fields fields(from.body);
  const bool fatal = is_fatal(from.body);
  // The end of this connection says nothing of a write that another session has sent.
  if (fatal && hold_ == hold::group && sharing_->may_commit(out)) {
    return end_unanswered("08007", fields.text(protocol::error_code::message), "", out);
  }
  if (fatal) fatal_seen_ = true;
  const std::string_view sqlstate = fields.text(protocol::error_code::sqlstate);
  const bool asked_by_query = answer.subject.kept == note::names && answer.subject.what == request::query;
  if (asked_by_query && !fatal_seen_) return on_question_failed(from, sqlstate, out);
  query_failed_ = true;
  // Told in other words, it is told whole: of one that is too long to be held, the rest is dropped.
  streaming_ = verdict::hide;
  note_deadlock(sqlstate, out);
  if (cached_) note_lost_names(answer.subject, sqlstate);
  if (answer.subject.hidden && sqlstate == "26000") prelude_names_->lose(false);
  if (answer.subject.kept == note::script && !scripts_.empty()) {
    on_script_error(from, answer, out);
  } else if (answer.subject.kept == note::watch && answer.subject.what == request::execute &&
             is_raised(from.body) && !watches_.empty()) {
    note_conflict(from, watches_.front()->carried, out);
    translate_error(from.body, watches_.front()->carried, {}, out);
  } else if (answer.what == verdict::translate && answer.subject.kept != note::types &&
             answer.subject.kept != note::names && !runs_.empty()) {
    const hidden_run& run = runs_.front();
    note_conflict(from, run, out);
    if (sqlstate == "55P03") unit_failed_ = true;
    translate_error(from.body, run, sent_text_of(run), out);
    hidden_left_over_ = true;
  } else if (const auto parsed = answer.subject.what == request::parse ? statements_.oldest() : nullptr;
             parsed && answer.subject.kept == note::statement_name && parsed->carried.plan != nullptr) {
    map_error_position(from.body, {parsed->sent.sql, &parsed->sent.copied, parsed->analysed->text, utf8_},
                       out);
  } else if (!tell_unnamed(from, answer.subject, out)) {
    streaming_ = verdict::forward;
    out.to_client.forward(from.wire);
  }
  drop_skipped(out);
}

sent_text session::sent_text_of(const hidden_run& run) const {
  if (run.guard == nullptr) return {};
  if (run.text) return {run.text->sql, &run.text->copied, run.kept->text, utf8_};
  return {run.guard->sql, &run.guard->copied, run.kept->text, utf8_};
}

void session::on_script_error(const frame_view& from, const ruling& answer, outbox& out) {
  const script& running = scripts_.front();
  const std::string_view client_sql =
      running.kept ? std::string_view(running.kept->text) : std::string_view{};
  const sent_text text{running.sql, &running.copied, client_sql, utf8_};
  const std::size_t position = ledger_.script_position();
  const bool may_be_ours = position < running.runs.size() && running.runs[position];
  if (may_be_ours && (answer.what == verdict::translate || is_raised(from.body))) {
    note_conflict(from, *running.runs[position], out);
    return translate_error(from.body, *running.runs[position], text, out);
  }
  map_error_position(from.body, text, out);
}

void session::drop_skipped(outbox& out) {
  drop_cached(true, 0);
  for (const owed& entry : ledger_.dropped()) {
    if (entry.hidden) hidden_left_over_ = true;
    settle_note(entry, false);
  }
  if (ledger_.owed_queries() == 0) block_.queries_skipped();
  cancelled_ = false;  // by the error, if it was to be
  retry_held(out);
}

void session::retry_held(outbox& out) {
  // An error has ended the wait for a turn, and with it whatever it was for.
  const bool gave_up = hold_ == hold::turn && !waiting_;
  if ((hold_ == hold::status || gave_up) && phase_ == session_phase::ready) return release(out);
  resume_named(out);
}

/// `place`: how many older entries of the same kind are still owed.
void session::settle_note(const owed& entry, bool confirmed, std::size_t place) {
  const auto at = static_cast<std::ptrdiff_t>(place);
  switch (entry.kept) {
    case note::none:
      return;
    case note::statement_name:
      return confirmed ? statements_.confirm() : statements_.drop();
    case note::portal_name:
      return confirmed ? portals_.confirm() : portals_.drop();
    case note::types:
      if (!confirmed) describes_[place]->described = false;
      describes_.erase(describes_.begin() + at);
      return;
    case note::prelude_name:
      return prelude_names_->settle(confirmed, place);
    case note::hidden_run:
      runs_.erase(runs_.begin() + at);
      return;
    case note::watch:
      fail(*watches_[place]);
      watches_.erase(watches_.begin() + at);
      return;
    case note::script:
      for (auto watched = scripts_[place].watches.rbegin(); watched != scripts_[place].watches.rend();
           ++watched) {
        if (*watched) fail(**watched);
      }
      scripts_.erase(scripts_.begin() + at);
      return;
    case note::savepoint:
      savepoints_.erase(savepoints_.begin() + at);
      return;
    case note::names:
      asking_names_ = false;
      return;
    case note::group:
      return;
  }
}

void session::learn_shape(const frame_view& from) {
  if (describes_.empty()) return;
  prepared_statement& of = *describes_.front();
  if (from.tag == tag::row_description) return of.learn_shape(from.body);
  if (from.tag == tag::no_data) return of.returns_no_rows();
  if (from.tag != tag::parameter_description) return;
  const auto types = backend::decode_parameter_description(from.body);
  if (!types) return;
  of.types.clear();
  for (const std::uint32_t type : *types) of.types.push_back(type);
  if (!of.own_parameters.empty())
    of.types.resize(std::min<std::size_t>(of.types.size(), of.client_parameters));
}

}  // namespace proxy::session
