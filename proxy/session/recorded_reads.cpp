#include "proxy/session/recorded_reads.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace proxy::session {
namespace {

bool is_fresh(const recorded_read& read, clock::time_point now, std::chrono::milliseconds ttl) {
  return now - read.since <= ttl;
}

/// Whether both are the same values in the same text; what cannot be compared is not the same.
bool same(const recorded_column& one, const recorded_column& other) {
  if (one.any_of.size() != 1 || other.any_of.size() != 1) return false;
  const auto& left = one.any_of.front().pieces;
  const auto& right = other.any_of.front().pieces;
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const sql_value::piece& a, const sql_value::piece& b) {
                      if (a.text != b.text || a.value.has_value() != b.value.has_value()) return false;
                      return !a.value || same_value(*a.value, *b.value);
                    });
}

/// Of the columns that both tell.
bool shows_same(const recorded_read& one, const recorded_read& other) {
  if (one.columns.size() != other.columns.size()) return false;
  for (std::size_t i = 0; i < one.columns.size(); ++i) {
    const bool both = !one.columns[i].any_of.empty() && !other.columns[i].any_of.empty();
    if (both && !same(one.columns[i], other.columns[i])) return false;
  }
  return true;
}

std::size_t size_of(const row_id& row, const recorded_read& read) {
  constexpr std::size_t each = 16;  // so that many empty pieces are not free
  std::size_t size = row.size() + read.found_as.size();
  for (const std::string& part : read.key) size += each + part.size();
  for (const recorded_column& column : read.columns) {
    for (const sql_value& value : column.any_of) {
      for (const sql_value::piece& piece : value.pieces) {
        size += each + piece.text.size();
        if (piece.value && piece.value->bytes) size += piece.value->bytes->size();
      }
    }
  }
  return size;
}

/// What holds of the whole record. `anew`: what is told now counts as the first read. `whole`: every column
/// that was on record has been told.
void merge_whole(recorded_read& known, recorded_read& now, bool anew, bool whole) {
  if (anew) {
    known.since = now.since;
    known.shape = now.shape;
    known.differed = now.differed;
    known.own_write = now.own_write;
    known.renewed = now.renewed;
    known.lasts = now.lasts;
    if (!whole) known.lock = 0;
    if (whole && now.lock != 0) known.lock = now.lock;
    known.rebasable = now.rebasable && (whole || known.rebasable);
  }
  known.differed = known.differed || now.differed;
  known.rebasable = known.rebasable && now.rebasable;
  if (known.found_as.empty() || (anew && !now.found_as.empty())) known.found_as = std::move(now.found_as);
  const auto room = std::numeric_limits<std::uint32_t>::max() - known.outstanding;
  known.outstanding += std::min(room, now.outstanding);
}

void merge(recorded_read& known, recorded_read now, bool trust_last) {
  const bool anew = trust_last || known.own_write;
  bool whole = true;
  for (std::size_t i = 0; i < known.columns.size(); ++i) {
    recorded_column& was = known.columns[i];
    recorded_column& is = now.columns[i];
    if (is.any_of.empty()) {
      was.moved = was.moved || (known.own_write && !was.any_of.empty());
      whole = whole && was.any_of.empty();
    } else if (anew || was.moved || was.any_of.empty()) {
      was = std::move(is);
    } else if (!same(was, is)) {
      known.differed = true;
    }
  }
  merge_whole(known, now, anew, whole);
}

/// The column is on record as this very value; `exactly`: also in format and type.
bool shows(const recorded_column& column, const value_view& told, std::string_view type, bool exactly) {
  if (column.moved || column.any_of.size() != 1) return false;
  const bound_value* const known = cast_value(column.any_of.front(), type);
  if (known == nullptr) return false;
  return exactly ? value_view(*known) == told : same_value(*known, told);
}

}  // namespace

/// What the names of all rows of a table begin with. No name of a database has a zero byte.
void begin_row_name(std::string_view database, std::uint32_t table, row_id& name) {
  const char number[] = {0, static_cast<char>(table >> 24U), static_cast<char>(table >> 16U),
                         static_cast<char>(table >> 8U), static_cast<char>(table)};
  name.assign(database).append(number, sizeof number);
}

void append_column(std::int16_t number, std::string_view text, row_id& name) {
  const auto column = static_cast<std::uint16_t>(number);
  const auto size = static_cast<std::uint32_t>(text.size());
  const char head[] = {static_cast<char>(column >> 8U), static_cast<char>(column),
                       static_cast<char>(size >> 24U),  static_cast<char>(size >> 16U),
                       static_cast<char>(size >> 8U),   static_cast<char>(size)};
  name.append(head, sizeof head).append(text);
}

row_id row_name(std::string_view database, std::uint32_t table,
                const std::vector<std::pair<std::int16_t, std::string>>& columns) {
  row_id name;
  begin_row_name(database, table, name);
  for (const auto& [number, text] : columns) append_column(number, text, name);
  return name;
}

bool recorded_reads::told(const row_id& row, recorded_read read, bool trust_last,
                          std::chrono::milliseconds ttl) {
  if (item* const found = look(row); found != nullptr) {
    recorded_read& known = found->read;
    // After a reload of the rules the same row may have other guarded columns.
    if (is_fresh(known, read.since, ttl) && known.columns.size() == read.columns.size()) {
      merge(known, std::move(read), trust_last);
      read = std::move(known);
    }
  }
  read.version = next_version_++;
  set(row, std::move(read));
  return trim();
}

bool recorded_reads::told_again(const row_id& row, recorded_read& now,
                                const std::vector<std::optional<value_view>>& columns,
                                const std::vector<rules::column>& known_as, bool trust_last,
                                std::chrono::milliseconds ttl) {
  const auto found = by_row_.find(row);
  if (found == by_row_.end()) return false;
  recorded_read& known = found->second->read;
  if (!is_fresh(known, now.since, ttl) || known.columns.size() != columns.size()) return false;
  if (!now.found_as.empty() && now.found_as != known.found_as) return false;
  const bool anew = trust_last || known.own_write;
  bool whole = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool on_record = !known.columns[i].any_of.empty();
    if (columns[i]) {
      if (!shows(known.columns[i], *columns[i], known_as[i].type, anew)) return false;
    } else if (known.own_write && on_record) {
      return false;
    } else {
      whole = whole && !on_record;
    }
  }
  merge_whole(known, now, anew, whole);
  known.version = next_version_++;
  recent_.splice(recent_.begin(), recent_, found->second);
  return true;
}

bool recorded_reads::told_to_client(const row_id& row, recorded_read read, std::chrono::milliseconds ttl) {
  if (item* const found = look(row); found != nullptr) {
    recorded_read& known = found->read;
    if (is_fresh(known, read.since, ttl)) {
      read.other_since = known.other_since;
      // A transaction that reads again is the same unit of work.
      const bool again = read.told_in != 0 && known.told_in == read.told_in;
      if (known.outstanding > 0 && !shows_same(known, read)) {
        read.other_since = known.since;
      } else if (known.outstanding > 0) {
        read.outstanding = known.outstanding + (again ? 0U : 1U);
        for (std::size_t i = 0; i < read.columns.size(); ++i) {
          if (read.columns[i].any_of.empty()) read.columns[i] = std::move(known.columns[i]);
        }
      }
    }
  }
  read.version = next_version_++;
  set(row, std::move(read));
  return trim();
}

void recorded_reads::give_back(const row_id& row, recorded_read before) {
  before.outstanding = 1;
  if (const recorded_read* current = peek(row); current != nullptr) {
    recorded_read given = *current;
    if (shows_same(given, before)) {
      ++given.outstanding;
      given.since = std::max(given.since, before.since);
    } else {
      given.other_since = std::max(given.other_since.value_or(before.since), before.since);
    }
    before = std::move(given);
  }
  restore(row, std::move(before));
}

recorded_reads::item* recorded_reads::look(const row_id& row) const {
  const auto found = by_row_.find(row);
  return found == by_row_.end() ? nullptr : &*found->second;
}

const recorded_read* recorded_reads::find(const row_id& row, clock::time_point now,
                                          std::chrono::milliseconds ttl) {
  const auto found = by_row_.find(row);
  if (found == by_row_.end()) return nullptr;
  if (is_fresh(found->second->read, now, ttl)) return &found->second->read;
  erase(found->second);
  return nullptr;
}

const recorded_read* recorded_reads::peek(const row_id& row) const {
  const item* const found = look(row);
  return found == nullptr ? nullptr : &found->read;
}

std::pair<std::vector<const recorded_read*>, bool> recorded_reads::of_table(std::string_view database,
                                                                            std::uint32_t table,
                                                                            clock::time_point now,
                                                                            std::chrono::milliseconds ttl,
                                                                            std::size_t most) {
  row_id prefix;
  begin_row_name(database, table, prefix);
  std::vector<const item*> there;
  for (auto each = recent_.begin(); each != recent_.end();) {
    const auto here = each++;
    if (!here->row.starts_with(prefix)) continue;
    if (is_fresh(here->read, now, ttl)) {
      there.push_back(&*here);
    } else if (!is_fresh(here->read, now, here->read.lasts)) {  // another rule's may last longer
      erase(here);
    }
  }
  std::sort(there.begin(), there.end(), [](const item* a, const item* b) { return a->row < b->row; });
  const bool more = there.size() > most;
  if (more) there.resize(most);
  std::vector<const recorded_read*> all;
  all.reserve(there.size());
  for (const item* each : there) all.push_back(&each->read);
  return {std::move(all), more};
}

std::optional<recorded_read> recorded_reads::put(const row_id& row, std::optional<recorded_read> record) {
  std::optional<recorded_read> before;
  if (item* const found = look(row); found != nullptr) {
    before = record ? std::move(found->read) : found->read;  // erased, it says under which rule it was
  }
  if (record) record->version = next_version_++;
  restore(row, std::move(record));
  return before;
}

void recorded_reads::restore(const row_id& row, std::optional<recorded_read> record) {
  if (record) {
    set(row, std::move(*record));
    static_cast<void>(trim());
  } else if (const auto found = by_row_.find(row); found != by_row_.end()) {
    erase(found->second);
  }
}

void recorded_reads::renew() {
  for (item& each : recent_) each.read.own_write = each.read.renewed = true;
}

void recorded_reads::doubt(std::uint32_t table) {
  for (item& each : recent_) {
    if (table == 0 || each.read.table == table) each.read.rebasable = false;
  }
}

void recorded_reads::doubt(const row_id& row) {
  if (item* const found = look(row); found != nullptr) found->read.rebasable = false;
}

void recorded_reads::clear() {
  by_row_.clear();
  recent_.clear();
  rules_.clear();
  bytes_ = 0;
}

/// Gives the row this record; it counts as told last.
void recorded_reads::set(const row_id& row, recorded_read read) {
  const auto found = by_row_.find(row);
  if (found != by_row_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
  } else {
    recent_.emplace_front().row = row;
    by_row_.emplace(recent_.front().row, recent_.begin());
    count(read);
  }
  recent_.front().read = std::move(read);
  weigh(recent_.front());
}

/// A row's name ends with the rule's: its record never comes under another one.
void recorded_reads::count(const recorded_read& under) {
  auto& rules = rules_[under.table];
  const auto known =
      std::find_if(rules.begin(), rules.end(), [&](const auto& each) { return each.first == under.rule; });
  if (known != rules.end()) {
    ++known->second;
  } else {
    rules.emplace_back(under.rule, 1);
  }
}

void recorded_reads::uncount(const recorded_read& under) {
  auto& rules = rules_[under.table];
  const auto known =
      std::find_if(rules.begin(), rules.end(), [&](const auto& each) { return each.first == under.rule; });
  if (known != rules.end() && --known->second == 0) rules.erase(known);
  if (rules.empty()) rules_.erase(under.table);
}

void recorded_reads::weigh(item& which) {
  bytes_ -= which.bytes;
  which.bytes = size_of(which.row, which.read);
  bytes_ += which.bytes;
}

/// Keeps within the limits after a record was set.
bool recorded_reads::trim() {
  const std::uint64_t before = forgotten_;
  const auto forget = [this](items::iterator which) {
    erase(which);
    ++forgotten_;
  };
  // One record that is too large must not cost all the others.
  if (recent_.front().bytes > limits_.bytes) forget(recent_.begin());
  while (by_row_.size() > limits_.rows || bytes_ > limits_.bytes) forget(std::prev(recent_.end()));
  return forgotten_ != before;
}

void recorded_reads::erase(items::iterator which) {
  bytes_ -= which->bytes;
  uncount(which->read);
  by_row_.erase(which->row);
  recent_.erase(which);
}

}  // namespace proxy::session
