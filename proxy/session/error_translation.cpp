#include "proxy/session/error_translation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "protocol/error_fields.hpp"
#include "rules/marker.hpp"

namespace proxy::session {
namespace {

namespace code = protocol::error_code;

bool starts_character(char byte, bool utf8) {
  return !utf8 || (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// Byte offset of the 1-based character `position`; the text's size if it is beyond the end.
std::size_t byte_offset(std::string_view text, std::size_t position, bool utf8) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i], utf8) && ++seen == position) return i;
  }
  return text.size();
}

std::size_t character_position(std::string_view text, std::size_t offset, bool utf8) {
  std::size_t seen = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (starts_character(text[i], utf8)) ++seen;
  }
  // `offset` is the start of a character, which has not been counted.
  return seen;
}

/// The position as the client would have got it, or nothing where it lies in text of ours.
std::string mapped_position(std::string_view position, const sent_text& text) {
  std::size_t at = 0;
  const auto parsed = std::from_chars(position.data(), position.data() + position.size(), at);
  if (parsed.ec != std::errc{} || at == 0 || text.copied == nullptr) return {};
  const std::size_t offset = byte_offset(text.sql, at, text.utf8);
  const auto mapped = client_offset(*text.copied, static_cast<std::uint32_t>(offset));
  if (!mapped) return {};
  return std::to_string(character_position(text.client_sql, *mapped, text.utf8));
}

void count_error(const refusal& what, outbox& out) {
  out.events.push_back({.what = event::type::error, .rule = what.rule, .sqlstate = what.sqlstate});
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

/// Where an error of a rule belongs.
struct blamed {
  const rules::rule& rule;
  std::string schema;
  std::string table;
};

refusal refusal_for(const blamed& on, std::string sqlstate, std::string message) {
  return {.sqlstate = std::move(sqlstate),
          .message = std::move(message),
          .detail = {},
          .hint = {},
          .rule = on.rule.name,
          .schema = on.schema,
          .table = on.table,
          .column = {}};
}

std::string row_of(const rules::raised& marker, const blamed& on) {
  return "Row (" + marker.key + ") of table " + quoted(on.table) + " is guarded by rule " +
         quoted(on.rule.name) + ".";
}

refusal broken_bound(const rules::raised& marker, const rules::bound_check& check, const blamed& on) {
  refusal made =
      refusal_for(on, "23514",
                  "new value of column " + quoted(check.column) + " would " +
                      (check.is_min ? "fall below the minimum " : "rise above the maximum ") + check.bound);
  made.column = check.column;
  made.detail = row_of(marker, on);
  if (marker.value) made.detail += " The value there is " + *marker.value + ".";
  made.hint = "Nothing was changed. Read the row again before deciding anew.";
  return made;
}

/// The column that the rule guards, where it is one.
std::string only_column(const rules::rule& rule) {
  return rule.columns.size() == 1 ? rule.columns.front() : std::string();
}

refusal stale_read(const rules::raised& marker, const blamed& on) {
  const bool gone = marker.check == rules::gone_row;
  refusal made = refusal_for(on, "40001",
                             "could not write a row of table " + quoted(on.table) + ": it was " +
                                 (gone ? "deleted" : "changed") + " after it was read");
  made.column = only_column(on.rule);
  made.detail = row_of(marker, on);
  if (marker.value) made.detail += " The value there is " + *marker.value + ".";
  made.hint = "Nothing was changed. Retry the whole unit of work, from its first read.";
  return made;
}

refusal duplicate(const rules::raised& marker, const blamed& on) {
  refusal made = refusal_for(on, "23505", "duplicate key value violates rule " + quoted(on.rule.name));
  std::string names;
  for (const std::string& column : on.rule.key) names += (names.empty() ? "" : ", ") + column;
  made.detail = "Key (" + names + ")=(" + marker.key + ") already exists in table " + quoted(on.table) + ".";
  return made;
}

refusal unread(const rules::raised& marker, const blamed& on) {
  refusal made = refusal_for(
      on, "42501", "rule " + quoted(on.rule.name) + " refuses a blind write of table " + quoted(on.table));
  made.column = only_column(on.rule);
  made.detail = "Row (" + marker.key + ") has not been read by this session, or too long ago.";
  made.hint = "Read the row first, or set on_blind_write = \"allow\".";
  return made;
}

refusal lock_timeout(const rules::prelude& guard, const rules::rule& rule) {
  refusal made{.sqlstate = "55P03",
               .message = {},
               .detail = {},
               .hint = {},
               .rule = rule.name,
               .schema = guard.schema,
               .table = guard.table,
               .column = {}};
  made.message = "could not lock a row of table " + quoted(guard.table) + " in time";
  made.detail = "Another transaction held it longer than the lock_timeout of rule " + quoted(rule.name) +
                " (" + std::to_string(rule.lock_timeout.count()) + " ms) or of this session.";
  made.hint = "Retry the transaction; if this is frequent, look for transactions that stay open.";
  return made;
}

/// Whatever else a hidden statement runs into, the client's own statement would have run into as well.
void pass_error(std::string_view body, const hidden_run& run, const sent_text& text, outbox& out) {
  const protocol::error_fields fields(body);
  const std::string_view sqlstate = fields.text(code::sqlstate);
  std::vector<protocol::error_field> replace;
  std::string drop{code::where, code::internal_position, code::internal_query};
  const std::string position = mapped_position(fields.text(code::position), text);
  if (position.empty()) {
    drop.push_back(code::position);
  } else {
    replace.push_back({code::position, position});
  }
  std::string frame;
  if (!protocol::rewrite_error('E', body, drop, replace, frame)) return;
  out.to_client.append(frame);
  if (run.guard != nullptr && (sqlstate == "42703" || sqlstate == "42P01")) {
    out.events.push_back({.what = event::type::catalog_doubt, .rule = {}, .sqlstate = {}});
  }
  if (run.guard != nullptr && (sqlstate == "40001" || sqlstate == "40P01")) {
    out.events.push_back({.what = event::type::conflict,
                          .rule = run.book->rules()[run.guard->rule].name,
                          .sqlstate = std::string(sqlstate)});
  }
}

void send(const refusal& what, outbox& out) {
  std::string frame;
  append_refusal(what, "ERROR", frame);
  out.to_client.append(frame);
  count_error(what, out);
}

void count_conflict(const blamed& on, std::string cause, outbox& out) {
  out.events.push_back({.what = event::type::conflict, .rule = on.rule.name, .sqlstate = std::move(cause)});
}

/// The prelude whose checks the marker's number means.
const rules::prelude* guard_of(const hidden_run& run, std::uint16_t rule) {
  if (run.guard != nullptr && run.guard->rule == rule) return run.guard;
  if (run.plan == nullptr) return nullptr;
  const auto found = std::find_if(run.plan->preludes.begin(), run.plan->preludes.end(),
                                  [&](const rules::prelude& guard) { return guard.rule == rule; });
  return found == run.plan->preludes.end() ? nullptr : &*found;
}

blamed blame(const hidden_run& run, std::uint16_t rule, const rules::prelude* guard) {
  blamed on{run.book->rules()[rule], {}, run.book->rules()[rule].table};
  if (guard != nullptr) on.schema = guard->schema;
  if (guard != nullptr) on.table = guard->table;
  return on;
}

/// False: the marker is none that this run can have raised.
bool tell_raised(const rules::raised& marker, const hidden_run& run, outbox& out) {
  if (!run.book || marker.rule >= run.book->rules().size()) return false;
  const rules::prelude* guard = guard_of(run, marker.rule);
  const blamed on = blame(run, marker.rule, guard);
  switch (marker.check) {
    case rules::changed_row:
    case rules::gone_row:
      count_conflict(on, marker.check == rules::gone_row ? "gone" : "changed", out);
      send(stale_read(marker, on), out);
      return true;
    case rules::unread_row:
      send(unread(marker, on), out);
      return true;
    case rules::duplicate_key:
      count_conflict(on, "duplicate", out);
      send(duplicate(marker, on), out);
      return true;
    default:
      if (guard == nullptr || marker.check >= guard->checks.size()) return false;
      out.events.push_back({.what = event::type::bounds_rejection, .rule = on.rule.name, .sqlstate = {}});
      send(broken_bound(marker, guard->checks[marker.check], on), out);
      return true;
  }
}

}  // namespace

void append_refusal(const refusal& what, std::string_view severity, std::string& out) {
  protocol::error_message error;
  error.severity = severity;
  error.sqlstate = what.sqlstate;
  error.message = what.message;
  error.detail = what.detail;
  error.hint = what.hint;
  error.schema = what.schema;
  error.table = what.table;
  error.column = what.column;
  error.constraint = what.rule;
  // Fields come from configuration and from a server message, neither of which can hold a zero byte.
  static_cast<void>(protocol::encode_error(error, out));
}

bool is_raised(std::string_view body) {
  const protocol::error_fields fields(body);
  return fields.text(code::sqlstate) == "22P02" &&
         rules::parse_marker(fields.text(code::message)).has_value();
}

void translate_error(std::string_view body, const hidden_run& run, const sent_text& text, outbox& out) {
  const protocol::error_fields fields(body);
  const std::string_view sqlstate = fields.text(code::sqlstate);
  const std::string_view message = fields.text(code::message);
  if (run.refused) {
    // In a failed transaction PostgreSQL refuses first, for a reason of its own.
    if (sqlstate == "22P02") return send(*run.refused, out);
    return pass_error(body, run, text, out);
  }
  const auto marker = sqlstate == "22P02" ? rules::parse_marker(message) : std::nullopt;
  if (marker && tell_raised(*marker, run, out)) return;
  if (sqlstate == "55P03" && run.guard != nullptr) {
    const rules::rule& rule = run.book->rules()[run.guard->rule];
    out.events.push_back({.what = event::type::conflict, .rule = rule.name, .sqlstate = "55P03"});
    return send(lock_timeout(*run.guard, rule), out);
  }
  pass_error(body, run, text, out);
}

void map_error_position(std::string_view body, const sent_text& text, outbox& out) {
  const protocol::error_fields fields(body);
  const auto position = fields.get(code::position);
  std::string frame;
  if (position) {
    const std::string mapped = mapped_position(*position, text);
    const std::array<protocol::error_field, 1> replace{{{code::position, mapped}}};
    const bool known = !mapped.empty();
    const std::string_view drop = known ? "" : "P";
    const std::span<const protocol::error_field> replaced(replace.data(), known ? 1 : 0);
    if (!protocol::rewrite_error('E', body, drop, replaced, frame)) return;
  } else if (!protocol::rewrite_error('E', body, "", {}, frame)) {
    return;
  }
  out.to_client.append(frame);
}

}  // namespace proxy::session
