// How a session's own writes move what it has on record, and how that is undone.
#include <algorithm>
#include <utility>

#include "proxy/session/limits.hpp"
#include "proxy/session/row_memory.hpp"

namespace proxy::session {
namespace {

bool is_too_long(const sql_value& value) {
  std::size_t bytes = 0;
  for (const auto& piece : value.pieces) {
    bytes += piece.text.size() + (piece.value && piece.value->bytes ? piece.value->bytes->size() : 0);
  }
  return value.pieces.size() > limits::moved_pieces || bytes > limits::moved_bytes;
}

/// What the column holds after the write, for each value that it may hold before. False: not known.
bool move_column(recorded_column& column, const rules::assigned_value& assigned,
                 const parameter_source& from) {
  static const std::vector<std::uint32_t> unknown;
  const auto& types = from.types == nullptr ? unknown : *from.types;
  std::vector<sql_value> after;
  if (assigned.kind == rules::statement_kind::absolute && !assigned.value.empty()) {
    if (auto value = evaluate(assigned.value, from.bind, types, nullptr)) after.push_back(std::move(*value));
  } else if (assigned.kind == rules::statement_kind::relative && !assigned.value.empty()) {
    for (const sql_value& before : column.any_of) {
      auto value = evaluate(assigned.value, from.bind, types, &before);
      if (!value) return false;
      after.push_back(std::move(*value));
    }
  }
  if (after.empty() || std::any_of(after.begin(), after.end(), is_too_long)) return false;
  column.any_of = std::move(after);
  return true;
}

}  // namespace

/// `certain`: the write means this very row. `held`: nobody else can have changed it since it was read.
std::optional<write_journal::moved> row_memory::move_one(recorded_reads& reads, const rules::write_note& note,
                                                         const row_id& row, recorded_read record,
                                                         const parameter_source& from, const occasion& when,
                                                         bool certain, bool held) {
  std::optional<recorded_read> after = std::move(record);
  const bool absolute = note.kind == rules::statement_kind::absolute;
  if (note.removes && certain) {
    after.reset();
  } else if (note.removes) {
    after->rebasable = false;
  } else {
    after->own_write = true;
    after->lock = held ? when.lock : 0;
    if (absolute && certain) {
      after->since = when.now;
      after->differed = false;
    }
    for (const rules::assigned_value& assigned : note.values) {
      recorded_column& column = after->columns[assigned.column];
      if (column.any_of.empty()) continue;
      const auto before = certain ? std::vector<sql_value>{} : column.any_of;
      const bool known = move_column(column, assigned, from);
      if (!known && !certain) {  // if it met the row, the next write is refused
        after->rebasable = false;
        continue;
      }
      if (!known && assigned.kind != rules::statement_kind::relative) {
        column.any_of.clear();  // what it is now, only the database knows
      } else if (!known) {
        after->differed = true;
      } else if (!certain) {
        after->rebasable = false;
        column.any_of.insert(column.any_of.begin(), before.begin(), before.end());
        if (column.any_of.size() > limits::possible_values) after->differed = true;
      }
    }
    const bool empty = std::all_of(after->columns.begin(), after->columns.end(),
                                   [](const recorded_column& column) { return column.any_of.empty(); });
    if (empty) after.reset();
  }
  const bool stays = after.has_value();
  moved movement{.row = row, .before = reads.put(row, std::move(after)), .version = 0, .owner = {}};
  if (const auto* known = stays ? reads.peek(row) : nullptr) movement.version = known->version;
  return movement;
}

/// correlate = "client": the write is that of one read; what others were told stands until they write.
std::optional<write_journal::moved> row_memory::take_one(recorded_reads& reads, const rules::write_note& note,
                                                         const row_id& row, const recorded_read& record,
                                                         const occasion& when) {
  const bool same_unit = when.lock != 0 && record.told_in == when.lock;
  // A relative write need not rest on any read.
  if (note.kind == rules::statement_kind::relative && !same_unit) return std::nullopt;
  if (record.differed) return std::nullopt;  // on which read it rests is not known
  std::optional<recorded_read> left;
  if (record.outstanding > 1) {
    left = record;
    --left->outstanding;
  }
  return moved{.row = row, .before = reads.put(row, std::move(left)), .version = 0, .owner = {}};
}

std::vector<write_journal::moved> row_memory::move(const rules::rule_book& book,
                                                   const rules::write_note& note, const named_rows& named,
                                                   const parameter_source& from, const occasion& when,
                                                   write_decision::type decided) {
  const rules::guarded_relation& relation = book.relations()[note.relation];
  const rules::rule& rule = book.rules()[relation.rule];
  const std::string owner = owner_of(rule, when.trace);
  std::vector<recorded_read> records = on_record(book, note, named, when);
  const bool certain = all_by_key(named);
  std::vector<moved> movements;
  for (const named_row& row : named) {
    if (row.by_key && when.lock != 0 && written_.size() < limits::transaction_rows) {
      written_.insert(row.id + '\0' + relation.recorded_as);
    }
  }
  for (recorded_read& record : records) {
    const row_id row = id_of(database_, relation, record.key) + '\0' + relation.recorded_as;
    const bool validated = certain && decided == write_decision::type::validate;
    const bool held = when.lock != 0 && (record.lock == when.lock || validated);
    with(owner, [&](recorded_reads& reads) {
      if (rule.correlate == rules::correlate::client) {
        // It may be of the same unit as a read that somebody will write upon, and may not.
        if (note.kind == rules::statement_kind::relative) {
          reads.doubt(row);
          record.rebasable = false;
        }
        auto movement = take_one(reads, note, row, record, when);
        if (!movement) return;
        movement->owner = owner;
        movements.push_back(std::move(*movement));
        return;
      }
      auto movement = move_one(reads, note, row, std::move(record), from, when, certain, held);
      if (!movement) return;
      movement->owner = owner;
      movements.push_back(std::move(*movement));
    });
  }
  return movements;
}

void row_memory::undo_one(const moved& movement, bool exact) {
  with(movement.owner, [&](recorded_reads& reads) {
    if (movement.owner.starts_with(of_client)) {
      if (movement.before) reads.give_back(movement.row, *movement.before);
      return;
    }
    const recorded_read* current = reads.peek(movement.row);
    // Lower: an earlier movement has been undone already, and with it this one.
    if ((current == nullptr ? 0 : current->version) < movement.version) return;
    auto before = movement.before;
    if (before && !exact) before->rebasable = false;
    reads.restore(movement.row, std::move(before));
  });
}

/// Of the rows that the write names it has met only some.
void row_memory::doubt(const std::vector<moved>& movements) {
  for (const moved& movement : movements) {
    with(movement.owner, [&](recorded_reads& reads) {
      const recorded_read* current = reads.peek(movement.row);
      if (!movement.before || (current != nullptr && current->version != movement.version)) return;
      recorded_read either = *movement.before;
      for (std::size_t i = 0; current != nullptr && i < either.columns.size(); ++i) {
        const auto& after = current->columns[i].any_of;
        auto& values = either.columns[i].any_of;
        if (!values.empty()) values.insert(values.end(), after.begin(), after.end());
      }
      either.own_write = true;
      either.rebasable = false;
      either.lock = 0;
      either.version = movement.version;
      reads.restore(movement.row, std::move(either));
    });
  }
}

void row_memory::doubt(std::uint32_t table, std::string_view trace) {
  const auto doubt_in = [&](recorded_reads& reads) {
    reads.doubt(table);
    return true;
  };
  own_.doubt(table);
  static_cast<void>(shared_.reads.any(pool_, doubt_in));
  const std::string named = owner_of_trace(trace);
  if (!named.empty()) static_cast<void>(shared_.reads.any(named, doubt_in));
  if (!last_trace_.empty() && last_trace_ != named)
    static_cast<void>(shared_.reads.any(last_trace_, doubt_in));
}

/// Too much of one transaction to be kept: what is on record stays, as the next writes are compared with it.
void row_memory::bound_journal() {
  if (journal_.size() <= limits::journal_entries) return;
  journal_.committed_all();
  doubt(0);
}

void row_memory::journal(moved movement) {
  static_cast<void>(journal_.add(std::move(movement)));
  bound_journal();
}

void row_memory::undo(const std::vector<moved>& movements) {
  for (auto each = movements.rbegin(); each != movements.rend(); ++each) undo_one(*each, true);
}

void row_memory::keep(std::vector<moved> movements) {
  for (moved& each : movements) journal(std::move(each));
}

void row_memory::ran(rules::block_effect savepoint_command, std::string_view name) {
  bound_journal();
  switch (savepoint_command) {
    case rules::block_effect::savepoint:
      static_cast<void>(journal_.add_savepoint(name));
      return;
    case rules::block_effect::release:
      static_cast<void>(journal_.add_release(name));
      return;
    case rules::block_effect::rollback_to:
      return journal_.rolled_back_to(journal_.add_rollback_to(name),
                                     [this](const moved& movement) { undo_one(movement, false); });
    default:
      return;
  }
}

void row_memory::rolled_back() {
  journal_.rolled_back_all([this](const moved& movement) { undo_one(movement, false); });
  written_.clear();
}

/// Compared as text: the error tells the key only so.
void row_memory::refused(const rules::rule_book& book, std::uint16_t relation_index, std::string_view key,
                         const std::vector<row_id>& named, const occasion& when, bool again) {
  const rules::guarded_relation& relation = book.relations()[relation_index];
  const rules::rule& rule = book.rules()[relation.rule];
  with(owner_of(rule, when.trace), [&](recorded_reads& reads) {
    const auto all = reads.of_table(database_, relation.oid, when.now, rule.read_ttl, record_limits{}.rows);
    std::vector<std::pair<row_id, recorded_read>> stale;
    for (const recorded_read* record : all.first) {
      if (record->rule != relation.recorded_as) continue;
      std::string joined;
      for (const std::string& part : record->key) joined += (joined.empty() ? "" : ",") + part;
      const row_id id = id_of(database_, relation, record->key);
      if (joined == key || (named.size() == 1 && named.front() == id)) stale.emplace_back(id, *record);
    }
    for (auto& [id, record] : stale) {
      if (rule.correlate != rules::correlate::client) {
        record.own_write = record.renewed = true;
      } else if (!record.other_since || when.now - *record.other_since > rule.read_ttl) {
        if (record.outstanding > 0 && !again) --record.outstanding;
      }
      reads.restore(id + '\0' + relation.recorded_as, std::move(record));
    }
  });
}

void row_memory::forget() {
  own_.clear();
  written_.clear();
  journal_.committed_all();
}

}  // namespace proxy::session
