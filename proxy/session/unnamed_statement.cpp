// The client's unnamed statement where the same text comes again and again: the second Parse of it gives it a
// name of ours on the server, and every further one travels as a Close of the unnamed statement. The server
// answers and skips a Close as it does a Parse, and it takes the unnamed statement away as well: so there
// never is one there that is not the client's.
#include <algorithm>
#include <array>
#include <initializer_list>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "proxy/session/repeatable_sql.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;
namespace frontend = protocol::frontend;
namespace tag = protocol::frontend_tag;

constexpr std::string_view close_unnamed{"C\0\0\0\6S\0", 7};
constexpr std::string_view nothing{"\0", 1};

void append_message(char what, std::initializer_list<std::string_view> parts, channel& to) {
  std::size_t size = 4;
  for (const std::string_view part : parts) size += part.size();
  const std::array<char, protocol::header_size> header{
      what, static_cast<char>(size >> 24U), static_cast<char>(size >> 16U), static_cast<char>(size >> 8U),
      static_cast<char>(size)};
  to.append({header.data(), header.size()});
  for (const std::string_view part : parts) to.append(part);
}

repetition repetition_for(std::string_view sql, const rules::parse_settings& reads) {
  if (!reads.ascii_safe_encoding) return repetition::changes;
  return repetition_of(sql, reads.standard_conforming_strings);
}

}  // namespace

/// `keeps`: by what is known of the catalog now, no rule concerns the text.
void session::pass_parse(const frame_view& from, const frontend::parse_view& parse, bool keeps, note kept,
                         outbox& out) {
  if (!cached_) return pass(from, request::parse, out, kept);
  if (!parse.statement.empty()) {
    named_changes_ = named_changes_ || parse.statement.starts_with(kept_name_prefix) ||
                     repetition_for(parse.sql, reads_sql()) == repetition::changes;
    return pass(from, request::parse, out, kept);
  }
  const std::string_view text = from.body.substr(std::min<std::size_t>(1, from.body.size()));
  const bool may_swap = keeps && may_swap_parse();
  auto known = may_swap ? cached_->find(text, batch_) : nullptr;
  if (known) return send_swapped(std::move(known), kept, out);
  const repetition does = repetition_for(parse.sql, reads_sql());
  if (may_swap && does == repetition::repeats && cached_->comes_again(text) && !may_concern_rule(parse.sql)) {
    known = cached_->add(text, batch_);
    static_cast<void>(cached_->unnamed_becomes(known, batch_));
    return send_prepared(std::move(known), kept, out);
  }
  const bool renames =
      cached_->unnamed_becomes(does == repetition::changes ? cached_->unknown() : nullptr, batch_);
  pass(from, request::parse, out, kept, {.renames = renames});
}

/// What a Parse would be refused for besides its text is known: a failed transaction.
bool session::may_swap_parse() const {
  if (block_.now() == block::unknown || cached_->is_shut()) return false;
  // In an earlier batch something may fail, in this one it is skipped with it.
  return block_.now() == block::outside || (ledger_.owed_ready() == 0 && block_.status() != 'E');
}

void session::send_swapped(statement_cache::statement what, note kept, outbox& out) {
  static_cast<void>(cached_->unnamed_becomes(std::move(what), batch_));
  static_cast<void>(
      ledger_.expect({.what = request::parse, .kept = kept, .cached = {.renames = true, .swapped = true}}));
  out.to_server.append(close_unnamed);
}

/// The client's Parse under a name of ours, behind the Closes of those that made room.
void session::send_prepared(statement_cache::statement what, note kept, outbox& out) {
  for (const std::string& name : cached_->take_closes()) {
    static_cast<void>(ledger_.expect({.what = request::close, .hidden = true, .cached = {.frees = true}}));
    append_message(tag::close, {"S", name, nothing}, out.to_server);
  }
  static_cast<void>(ledger_.expect({.what = request::close, .hidden = true}));
  out.to_server.append(close_unnamed);
  static_cast<void>(
      ledger_.expect({.what = request::parse, .kept = kept, .cached = {.renames = true, .prepares = true}}));
  append_message(tag::parse, {what->name, nothing, what->text}, out.to_server);
}

/// A Bind or Describe of this statement cannot be sent before more is answered.
bool session::awaits_unnamed(std::string_view name) const {
  return cached_ && name.empty() && !cached_->unnamed(batch_).certain;
}

/// What is bound now may run next.
void session::note_bound(std::string_view name) {
  const auto of = name.empty() ? cached_->unnamed(batch_).value : nullptr;
  if (name.empty() ? of == cached_->unknown() : named_changes_) cached_->shut();
  bound_ = of ? of->number : 0;
}

void session::pass_bind(const frame_view& from, const frontend::bind_view& bind, note kept, outbox& out) {
  if (!cached_) return pass(from, request::bind, out, kept);
  note_bound(bind.statement);
  const auto of = bind.statement.empty() ? cached_->unnamed(batch_).value : nullptr;
  if (!of || of == cached_->unknown()) return pass(from, request::bind, out, kept);
  static_cast<void>(ledger_.expect({.what = request::bind, .kept = kept, .cached = {.uses = of->number}}));
  const std::size_t portal = bind.portal.size() + 1;
  append_message(tag::bind, {from.body.substr(0, portal), of->name, from.body.substr(portal)}, out.to_server);
}

/// A Describe of the client's unnamed statement; false: the server has it under that name.
bool session::pass_describe_unnamed(note kept, outbox& out) {
  const auto of = cached_ ? cached_->unnamed(batch_).value : nullptr;
  if (!of || of == cached_->unknown()) return false;
  static_cast<void>(
      ledger_.expect({.what = request::describe_statement, .kept = kept, .cached = {.uses = of->number}}));
  append_message(tag::describe, {"S", of->name, nothing}, out.to_server);
  return true;
}

void session::note_query(std::string_view sql) {
  const rules::parse_settings reads = reads_sql();
  if (!reads.ascii_safe_encoding || changes_meanings(sql, reads.standard_conforming_strings)) cached_->shut();
}

/// A simple query, a Close, or a Parse that is not looked at has just been sent: it takes the unnamed
/// statement away.
void session::forget_unnamed() {
  if (cached_ && cached_->unnamed_becomes(nullptr, batch_)) ledger_.mark_newest({.renames = true});
}

/// What an error has made the server drop, the first being what has failed; or what a COPY has read that
/// stood behind it, `place` older changes of the unnamed statement being owed.
void session::drop_cached(bool failed, std::size_t place) {
  using outcome = statement_cache::outcome;
  for (const owed& entry : ledger_.dropped()) {
    if (entry.cached.any()) cached_->settle(entry.cached, failed ? outcome::failed : outcome::skipped, place);
    failed = false;
  }
}

/// A name is not there any more, or what it stands for returns other columns or means nothing by now. Values
/// that are refused may be of a type that a column had when the statement was prepared.
void session::note_lost_names(const owed& subject, std::string_view sqlstate) {
  const bool by_name = subject.what == request::bind || subject.what == request::describe_statement;
  if (by_name && (sqlstate == "26000" || sqlstate == "0A000" || sqlstate.starts_with("42")))
    return cached_->forget();
  if (sqlstate.starts_with("22") || (by_name && sqlstate == "08P01")) cached_->forget(subject.cached.uses);
}

/// An error that names the statement of ours that it is about, which the client knows as the unnamed one.
/// False: it does not.
bool session::tell_unnamed(const frame_view& from, const owed& subject, outbox& out) {
  if (subject.cached.uses == 0 || subject.what == request::execute) return false;
  if (protocol::load_u32(from.wire.data() + 1) + std::size_t{1} != from.wire.size())
    return false;  // streamed
  const protocol::error_fields fields(from.body);
  std::string message(fields.text(protocol::error_code::message));
  const std::string name = '"' + (kept_name_prefix + std::to_string(subject.cached.uses)) + '"';
  const std::size_t at = message.find(name);
  if (at == std::string::npos) return false;
  if (fields.text(protocol::error_code::sqlstate) == "26000") {
    message = "unnamed prepared statement does not exist";
  } else {
    message.replace(at, name.size(), "\"\"");
  }
  const protocol::error_field told[] = {{protocol::error_code::message, message}};
  std::string frame;
  if (!protocol::rewrite_error(from.tag, from.body, {}, told, frame)) return false;
  out.to_client.append(frame);
  return true;
}

/// The server has answered what is marked; true: the client has been told.
bool session::tell_swapped(const ruling& answer, outbox& out) {
  if (!answer.settled) return false;
  cached_->settle(answer.subject.cached, statement_cache::outcome::done);
  if (!answer.subject.cached.swapped) return false;
  if (answer.subject.kept != note::none) settle_note(answer.subject, true);
  out.to_client.append(backend::parse_complete_frame);
  return true;
}

}  // namespace proxy::session
