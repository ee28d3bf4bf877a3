// Messages too large to be looked at whole, which stream through. Their names stand at their front; what they
// say is not known.
#include <array>

#include "protocol/reader.hpp"
#include "proxy/session/commit_sharing.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {

namespace tag = protocol::frontend_tag;

namespace {

/// The front of a message with `more` put in.
void append_large(const protocol::frame_view& front, std::uint32_t body_size, std::size_t place,
                  std::string_view more, channel& to) {
  const std::size_t size = body_size + more.size() + 4;
  const std::array<char, protocol::header_size> header{
      front.tag, static_cast<char>(size >> 24U), static_cast<char>(size >> 16U),
      static_cast<char>(size >> 8U), static_cast<char>(size)};
  to.append({header.data(), header.size()});
  to.append(front.body.substr(0, place));
  to.append(more);
  to.append(front.body.substr(place));
}

}  // namespace

void session::take_head(const protocol::piece& head, outbox& out) {
  const frame_view& from = head.frame;
  const bool statement = from.tag == tag::query || from.tag == tag::parse;
  if (phase_ == session_phase::authenticating && from.tag != tag::password) {
    return end_with("08P01", "message too large before authentication", "", out);
  }
  if (sharing_) sharing_->touch();
  if (statement) prelude_names_->lose(true);
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
  if (cached_ && (from.tag == tag::query || from.tag == tag::function_call)) cached_->shut();
  switch (from.tag) {
    case tag::query:
      block_.query_sent(rules::block_effect::none);
      note_transaction_command(rules::block_effect::end);
      memory_.doubt(0);
      ledger_.commits_next();
      return pass(from, request::query, out);
    case tag::parse:
      if (cached_ && !will_not_run()) {
        pass(from, request::parse, out);
        return note_large_parse(from.body);
      }
      return pass(from, request::parse, out);
    case tag::bind:
      return take_large_bind(head, out);
    case tag::function_call:
      if (!block_.surely_inside()) ledger_.commits_next();
      return pass(from, request::function_call, out);
    default:
      return out.to_server.forward(from.wire);
  }
}

void session::note_large_parse(std::string_view front) {
  protocol::reader names(front);
  const std::string_view name = names.c_string();
  named_changes_ = named_changes_ || !names.ok() || !name.empty();
  if (name.empty() && cached_->unnamed_becomes(cached_->unknown(), batch_))
    ledger_.mark_newest({.renames = true});
}

void session::take_large_bind(const protocol::piece& head, outbox& out) {
  const frame_view& from = head.frame;
  protocol::reader names(from.body);
  const std::string_view portal = names.c_string();
  const std::string_view name = names.c_string();
  const auto [prepared, certain] = statements_.find(name, batch_);
  // Where the front is too short to tell, it may be the unnamed one.
  const auto unnamed = cached_ && name.empty() ? cached_->unnamed(batch_) : statement_cache::meaning{};
  const bool kept = unnamed.value && unnamed.value != cached_->unknown();
  const bool hidden = !names.ok() && (rules_ || kept);
  const bool guarded = !certain || (prepared && prepared->guarded() != nullptr) || (!names.ok() && rules_);
  if (hidden || guarded || !unnamed.certain) {
    raise({.sqlstate = "54000",
           .message = guarded ? "parameters are too large to guard the statement"
                              : "parameters are too large while it is not known which statement they are for",
           .detail = {},
           .hint = {},
           .rule = {},
           .schema = {},
           .table = {},
           .column = {}},
          out);
  } else if (kept) {
    note_bound(name);
    static_cast<void>(ledger_.expect({.what = request::bind, .cached = {.uses = bound_}}));
    const std::size_t place = portal.size() + 1;
    return append_large(from, head.body_size, place, unnamed.value->name, out.to_server);
  }
  if (cached_) note_bound(name);
  pass(from, request::bind, out);
}

}  // namespace proxy::session
