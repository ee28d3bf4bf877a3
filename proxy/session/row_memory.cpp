#include "proxy/session/row_memory.hpp"

#include <algorithm>
#include <utility>

#include "proxy/session/limits.hpp"
#include "proxy/session/write_checks.hpp"

namespace proxy::session {
namespace {

/// A value that was read and not moved: `CAST(value AS type)` with nothing else around it.
const bound_value* plain_value(const recorded_column& column) {
  if (column.any_of.size() != 1) return nullptr;
  const auto& pieces = column.any_of.front().pieces;
  if (pieces.empty() || pieces.front().text != "CAST(" || !pieces.front().value) return nullptr;
  const bool alone = std::all_of(pieces.begin() + 1, pieces.end(),
                                 [](const sql_value::piece& piece) { return !piece.value; });
  return alone ? &*pieces.front().value : nullptr;
}

/// The record of a row under one rule.
row_id record_id(const row_id& row, const rules::guarded_relation& relation) {
  return row + '\0' + relation.recorded_as;
}

/// Of guarded_relation::recorded_as: which columns tell the row.
std::string_view key_part(std::string_view recorded_as) {
  const auto guarded = recorded_as.rfind('/');
  const auto key = recorded_as.rfind('/', guarded - 1);
  return recorded_as.substr(key, guarded - key);
}

bool is_held(const recorded_read& record, const occasion& when) {
  return when.lock != 0 && record.lock == when.lock;
}

void count_unguarded(const rules::rule& rule, rules::unguarded_reason reason, outbox& out) {
  out.events.push_back({.what = event::type::unguarded, .rule = rule.name, .reason = reason, .sqlstate = {}});
}

}  // namespace

void row_memory::belongs_to(std::string_view database, std::string_view client) {
  database_ = database;
  client_ = client;
  pool_ = std::string(of_client) + client_;
}

/// Empty where nothing names a trace.
std::string row_memory::owner_of_trace(std::string_view trace) const {
  return trace.empty() ? std::string() : "t/" + database_ + "/" + std::string(trace);
}

std::string row_memory::owner_of(const rules::rule& rule, std::string_view trace) const {
  if (rule.correlate == rules::correlate::client) return pool_;
  if (rule.correlate == rules::correlate::trace) return owner_of_trace(trace);
  return {};
}

std::uint64_t row_memory::turn_owner(const rules::rule& rule, std::string_view trace) const {
  const std::string owner = owner_of(rule, trace);
  // Sessions count from 1; other owners are told apart from them by the highest bit.
  return owner.empty() ? who_ : std::hash<std::string>{}(owner) | (std::uint64_t{1} << 63U);
}

/// False: neither the row nor the statement tells which row it is.
bool row_memory::identify(const rules::guarded_relation& relation, const named_rows& named,
                          const told_row& row) {
  told_.key.clear();
  if (row.key.empty() || row.key.front()) begin_row_name(database_, relation.oid, told_.record);
  for (std::size_t i = 0; i < row.key.size(); ++i) {
    if (!row.key[i]) break;
    const auto text = canonical(*row.key[i], relation.key[i].type_oid, speaker::server);
    if (!text) break;
    told_.key.add() = *text;
    append_column(relation.key[i].number, *text, told_.record);
  }
  if (told_.key.size() != relation.key.size()) {
    if (named.size() != 1 || !named.front().by_key) return false;
    told_.key = named.front().key;
    told_.record = named.front().id;
  }
  told_.row_size = told_.record.size();
  told_.record.append(1, '\0').append(relation.recorded_as);
  return true;
}

/// What identify() has found, and the values.
void row_memory::complete(recorded_read& record, const rules::guarded_relation& relation,
                          const told_row& row) const {
  record.table = relation.oid;
  record.rule = relation.recorded_as;
  record.key.assign(told_.key.begin(), told_.key.end());
  record.columns.resize(relation.columns.size());
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    if (!row.columns[i]) continue;
    record.columns[i].any_of.push_back(cast(kept(*row.columns[i]), relation.columns[i].type));
  }
}

void row_memory::told(const rules::rule_book& book, const rules::read_note& note, const named_rows& named,
                      const told_row& row, const occasion& when, outbox& out) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  if (!identify(relation, named, row)) return count_unguarded(rule, rules::unguarded_reason::key_unread, out);
  recorded_read record;
  record.since = when.now;
  record.lasts = rule.read_ttl;
  record.lock = note.locks ? when.lock : 0;
  record.told_in = when.lock;
  record.shape = when.shape;
  record.rebasable = when.settled;
  if (named.size() == 1 && !named.front().by_key) record.found_as = named.front().id;
  const row_id& id = told_.record;
  const std::string owner = owner_of(rule, when.trace);
  if (rule.correlate == rules::correlate::trace && owner != last_trace_) last_trace_ = owner;
  const bool trust_last = rule.reread == rules::reread::last;
  // What a transaction reads of its own uncommitted write goes with the write.
  const bool own = rule.correlate != rules::correlate::client && written_.contains(id);
  const bool forgot = with(owner, [&](recorded_reads& reads) {
    const bool pooled = rule.correlate == rules::correlate::client;
    const bool once = !pooled && !own;
    if (once && reads.told_again(id, record, row.columns, relation.columns, trust_last, rule.read_ttl))
      return false;
    complete(record, relation, row);
    if (pooled) return reads.told_to_client(id, std::move(record), rule.read_ttl);
    std::optional<recorded_read> before;
    if (const recorded_read* known = own ? reads.peek(id) : nullptr) before = *known;
    const bool any = reads.told(id, std::move(record), trust_last, rule.read_ttl);
    const recorded_read* now = own ? reads.peek(id) : nullptr;
    if (now != nullptr)
      journal({.row = id, .before = std::move(before), .version = now->version, .owner = owner});
    return any;
  });
  if (forgot) count_unguarded(rule, rules::unguarded_reason::forgotten, out);
  if (rule.strategy == rules::strategy::escrow) shared_.activity.read(client_, told_.row(), who_);
}

void row_memory::returned(const rules::rule_book& book, const rules::write_note& note,
                          const named_rows& named, const told_row& row, const occasion& when) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  if (note.removes || rule.correlate == rules::correlate::client) return;
  if (!identify(relation, named, row)) return;
  recorded_read told;
  complete(told, relation, row);
  if (named.size() == 1 && !named.front().by_key) told.found_as = named.front().id;
  const row_id& id = told_.record;
  const std::string owner = owner_of(rule, when.trace);
  with(owner, [&](recorded_reads& reads) {
    std::optional<recorded_read> after;
    if (const auto* known = reads.find(id, when.now, rule.read_ttl)) after = *known;
    const bool fresh = !after || after->columns.size() != told.columns.size();
    for (std::size_t i = 0; !fresh && i < told.columns.size(); ++i) {
      if (!told.columns[i].any_of.empty()) after->columns[i] = std::move(told.columns[i]);
    }
    if (fresh) after = std::move(told);
    after->since = when.now;
    after->rebasable = when.settled && (fresh || after->rebasable);
    if (fresh) after->lock = when.lock;
    if (fresh) after->shape = when.shape;
    if (fresh) after->lasts = rule.read_ttl;
    moved movement{.row = id, .before = reads.put(id, std::move(after)), .version = 0, .owner = owner};
    const recorded_read* known = reads.peek(id);
    movement.version = known == nullptr ? 0 : known->version;
    journal(std::move(movement));
  });
}

void row_memory::not_there(const rules::rule_book& book, const rules::read_note& note, const named_row& row,
                           const occasion& when) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  if (rule.correlate == rules::correlate::client) return;
  const row_id id = record_id(row.id, relation);
  with(owner_of(rule, when.trace), [&](recorded_reads& reads) {
    const recorded_read* known = reads.find(id, when.now, rule.read_ttl);
    if (known == nullptr) return;
    std::optional<recorded_read> after;
    if (!known->own_write) {
      after = *known;
      after->differed = true;
    }
    static_cast<void>(reads.put(id, std::move(after)));
  });
}

/// A reload may give a rule other columns, or its reads to somebody else. What was put on record before lies
/// where no write looks for it now, and a write that rests on it would pass as if nothing had been read. It
/// may do so although the row has been read since, too: unless its unit of work had failed before that.
bool row_memory::may_rest_on_outdated(const rules::rule_book& book, const rules::guarded_relation& relation,
                                      const named_rows& named, const occasion& when) {
  using rules::correlate;
  using remainder = recorded_reads::remainder;
  const bool exact = all_by_key(named);
  current_.clear();
  const auto is_left_in = [&](recorded_reads& reads, auto&& belongs_here) {
    for (const rules::guarded_relation& each : book.relations()) {
      const bool here = each.oid == relation.oid && belongs_here(book.rules()[each.rule].correlate);
      if (here) current_.emplace_back(each.recorded_as);
    }
    const auto current = [&](std::string_view rule) {
      return std::find(current_.begin(), current_.end(), rule) != current_.end();
    };
    const auto judge = [&](const row_id& record, const recorded_read& read) {
      const row_id row = record.substr(0, record.size() - 1 - read.rule.size());
      const bool same_key = key_part(read.rule) == key_part(relation.recorded_as);
      const auto is_it = [&](const named_row& each) { return each.id == row; };
      if (exact && same_key && std::none_of(named.begin(), named.end(), is_it))
        return remainder::of_no_concern;
      const recorded_read* anew = reads.peek(record_id(row, relation));
      return read.renewed && anew != nullptr && !anew->renewed ? remainder::done_with : remainder::stands;
    };
    const bool left =
        reads.any_but(current, judge, relation.oid, when.now, book.rules()[relation.rule].read_ttl);
    current_.clear();
    return left;
  };
  const auto of_session = [](correlate of) { return of != correlate::client; };  // no trace named, or by it
  const auto of_trace = [](correlate of) { return of == correlate::trace; };
  const auto of_pool = [](correlate of) { return of == correlate::client; };
  if (own_.size() > 0 && is_left_in(own_, of_session)) return true;
  const std::string trace = owner_of_trace(when.trace);
  const auto in_trace = [&](recorded_reads& reads) {
    // A trace may run through several users; what is the session's or its client's is of one.
    for (const rules::foreign_record& each : book.of_others()) {
      if (each.oid == relation.oid) current_.emplace_back(each.recorded_as);
    }
    return is_left_in(reads, of_trace);
  };
  if (!trace.empty() && shared_.reads.any(trace, in_trace)) return true;
  return shared_.reads.any(pool_, [&](recorded_reads& reads) { return is_left_in(reads, of_pool); });
}

std::vector<recorded_read> row_memory::on_record(const rules::rule_book& book, const rules::write_note& note,
                                                 const named_rows& named, const occasion& when) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  return with(owner_of(rule, when.trace), [&](recorded_reads& reads) {
    std::vector<recorded_read> found;
    const auto add = [&](const recorded_read& record) {
      found.push_back(record);
      // Whose write this is, is not known.
      if (record.other_since && when.now - *record.other_since <= rule.read_ttl) found.back().differed = true;
    };
    if (all_by_key(named)) {
      for (const named_row& row : named) {
        if (const auto* record = reads.find(record_id(row.id, relation), when.now, rule.read_ttl))
          add(*record);
      }
      return found;
    }
    const auto all = reads.of_table(database_, relation.oid, when.now, rule.read_ttl, limits::compared_rows);
    for (const recorded_read* record : all.first) {
      if (record->rule == relation.recorded_as) add(*record);
    }
    return found;
  });
}

bool row_memory::try_rebase(const rules::rule_book& book, const rules::write_note& note,
                            const named_rows& named, const recorded_read& record, const occasion& when,
                            write_decision& decision) const {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  if (rule.strategy != rules::strategy::escrow || note.rebase.empty() ||
      note.kind != rules::statement_kind::absolute)
    return false;
  const bool others = rule.correlate == rules::correlate::client && record.outstanding > 1;
  if (record.differed || others || !record.rebasable || !when.settled) return false;
  const session_id last = shared_.activity.last_reader(client_, named.front().id);
  if (rule.correlate == rules::correlate::session && last != who_) return false;
  std::vector<std::optional<bound_value>> read(relation.columns.size());
  for (const rules::assigned_value& assigned : note.values) {
    if (assigned.kind == rules::statement_kind::relative) continue;
    const bound_value* value = plain_value(record.columns[assigned.column]);
    if (assigned.kind != rules::statement_kind::absolute || value == nullptr || !value->bytes) return false;
    bound_value sent = *value;
    if (sent.format != 0 && sent.type != relation.columns[assigned.column].type_oid) return false;
    if (sent.format == 0) sent.type = 0;
    read[assigned.column] = std::move(sent);
  }
  decision.read = std::move(read);
  decision.what = write_decision::type::rebase;
  return true;
}

write_decision row_memory::decide(const rules::rule_book& book, const rules::write_note& note,
                                  const rules::prelude* guard, const named_rows& named,
                                  const occasion& when) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  write_decision decision;
  std::vector<recorded_read> records = on_record(book, note, named, when);
  const bool exact = all_by_key(named);
  for (const recorded_read& record : records) {
    const bool same_way = !named.empty() && record.found_as == named.front().id;
    if (!exact && !same_way && records.size() > 1) continue;
    if (!decision.read_at || record.since < *decision.read_at) decision.read_at = record.since;
    decision.shapes.push_back(record.shape);
    if (!record.found_as.empty()) decision.found_as.push_back(record.found_as);
    if (!exact) decision.found_as.push_back(id_of(database_, relation, record.key));
  }
  const bool absolute = note.kind == rules::statement_kind::absolute;
  if (note.kind == rules::statement_kind::relative || note.compares) return decision;
  if (!absolute && rule.strategy == rules::strategy::pessimistic) return decision;
  const bool enforced = rule.mode == rules::mode::enforce;
  if (enforced && may_rest_on_outdated(book, relation, named, when)) {
    decision.what = write_decision::type::outdated;
    return decision;
  }
  decision.blind = absolute && (records.empty() || (exact && records.size() < named.size()));
  const bool reject = absolute && rule.on_blind_write == rules::policy::reject;
  if (decision.blind && reject) {
    decision.what = write_decision::type::refuse;
    return decision;
  }
  const bool one_row = exact && named.size() == 1;
  if (one_row && records.size() == 1 && try_rebase(book, note, named, records.front(), when, decision)) {
    return decision;
  }
  check_request request{book, relation, {}, one_row, guard != nullptr && guard->tells_gone, reject && !exact};
  for (const recorded_read& record : records) {
    if (request.reject_unread || !is_held(record, when)) request.records.push_back(&record);
  }
  if (request.records.empty()) return decision;
  // What is only observed has no prelude.
  if (rule.mode == rules::mode::observe && !note.compares) decision.what = write_decision::type::validate;
  if (guard == nullptr) return decision;
  decision.checks = write_checks(request);
  decision.what = write_decision::type::validate;
  return decision;
}

}  // namespace proxy::session
