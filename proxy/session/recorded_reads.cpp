#include "proxy/session/recorded_reads.hpp"

#include <algorithm>
#include <limits>

namespace proxy::session {
namespace {

void append_number(std::string& to, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>((number >> shift) & 0xFFU);
}

/// What the names of all rows of a table begin with. No name of a database has a zero byte.
std::string table_prefix(std::string_view database, std::uint32_t table) {
  std::string prefix(database);
  prefix += '\0';
  append_number(prefix, table);
  return prefix;
}

bool is_fresh(const recorded_read& read, clock::time_point now, std::chrono::milliseconds ttl) {
  return now - read.since <= ttl;
}

bool same_value(const bound_value& one, const bound_value& other) {
  if (!one.bytes || !other.bytes) return !one.bytes && !other.bytes;
  if (one.format == other.format && one.type == other.type) return one.bytes == other.bytes;
  const auto text = text_of(one);
  return text && text == text_of(other);
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

void merge(recorded_read& known, recorded_read now, bool trust_last) {
  const bool anew = trust_last || known.own_write;
  bool whole = true;  // every column that was on record has been read again
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
  if (anew) {
    known.since = now.since;
    known.shape = now.shape;
    known.differed = now.differed;
    known.own_write = now.own_write;
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

}  // namespace

row_id row_name(std::string_view database, std::uint32_t table,
                const std::vector<std::pair<std::int16_t, std::string>>& columns) {
  row_id name = table_prefix(database, table);
  for (const auto& [number, text] : columns) {
    name += static_cast<char>((static_cast<std::uint16_t>(number) >> 8U) & 0xFFU);
    name += static_cast<char>(static_cast<std::uint16_t>(number) & 0xFFU);
    append_number(name, static_cast<std::uint32_t>(text.size()));
    name += text;
  }
  return name;
}

bool recorded_reads::told(const row_id& row, recorded_read read, bool trust_last,
                          std::chrono::milliseconds ttl) {
  if (const auto found = by_row_.find(row); found != by_row_.end()) {
    recorded_read& known = found->second.read;
    // After a reload of the rules the same row may have other guarded columns.
    if (is_fresh(known, read.since, ttl) && known.columns.size() == read.columns.size()) {
      merge(known, std::move(read), trust_last);
      read = std::move(known);
    }
    erase(found);
  }
  read.version = next_version_++;
  insert(row, std::move(read));
  return trim();
}

bool recorded_reads::told_to_client(const row_id& row, recorded_read read, std::chrono::milliseconds ttl) {
  if (const auto found = by_row_.find(row); found != by_row_.end()) {
    recorded_read& known = found->second.read;
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
    erase(found);
  }
  read.version = next_version_++;
  insert(row, std::move(read));
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

const recorded_read* recorded_reads::find(const row_id& row, clock::time_point now,
                                          std::chrono::milliseconds ttl) {
  const auto found = by_row_.find(row);
  if (found == by_row_.end()) return nullptr;
  if (is_fresh(found->second.read, now, ttl)) return &found->second.read;
  erase(found);
  return nullptr;
}

const recorded_read* recorded_reads::peek(const row_id& row) const {
  const auto found = by_row_.find(row);
  return found == by_row_.end() ? nullptr : &found->second.read;
}

std::pair<std::vector<const recorded_read*>, bool> recorded_reads::of_table(std::string_view database,
                                                                            std::uint32_t table,
                                                                            clock::time_point now,
                                                                            std::chrono::milliseconds ttl,
                                                                            std::size_t most) {
  const std::string prefix = table_prefix(database, table);
  std::vector<const recorded_read*> all;
  for (auto each = by_row_.lower_bound(prefix); each != by_row_.end() && each->first.starts_with(prefix);) {
    const auto here = each++;
    if (!is_fresh(here->second.read, now, ttl)) {
      erase(here);
      continue;
    }
    if (all.size() == most) return {std::move(all), true};
    all.push_back(&here->second.read);
  }
  return {std::move(all), false};
}

std::optional<recorded_read> recorded_reads::put(const row_id& row, std::optional<recorded_read> record) {
  std::optional<recorded_read> before;
  if (const auto found = by_row_.find(row); found != by_row_.end()) before = found->second.read;
  if (record) record->version = next_version_++;
  restore(row, std::move(record));
  return before;
}

void recorded_reads::restore(const row_id& row, std::optional<recorded_read> record) {
  if (const auto found = by_row_.find(row); found != by_row_.end()) erase(found);
  if (!record) return;
  insert(row, std::move(*record));
  static_cast<void>(trim());
}

void recorded_reads::renew() {
  for (auto& [row, known] : by_row_) known.read.own_write = true;
}

void recorded_reads::doubt(std::uint32_t table) {
  for (auto& [row, known] : by_row_) {
    if (table == 0 || known.read.table == table) known.read.rebasable = false;
  }
}

void recorded_reads::clear() {
  by_row_.clear();
  ages_.clear();
  bytes_ = 0;
}

/// The row must not be on record.
void recorded_reads::insert(const row_id& row, recorded_read read) {
  const std::size_t size = size_of(row, read);
  ages_.push_front(row);
  by_row_.emplace(row, item{std::move(read), ages_.begin(), size});
  bytes_ += size;
}

/// Keeps within the limits after an insert.
bool recorded_reads::trim() {
  const std::uint64_t before = forgotten_;
  const auto forget = [this](const row_id& row) {
    erase(by_row_.find(row));
    ++forgotten_;
  };
  // One record that is too large must not cost all the others.
  if (by_row_.find(ages_.front())->second.bytes > limits_.bytes) forget(ages_.front());
  while (by_row_.size() > limits_.rows || bytes_ > limits_.bytes) forget(ages_.back());
  return forgotten_ != before;
}

void recorded_reads::erase(std::map<row_id, item, std::less<>>::iterator which) {
  bytes_ -= which->second.bytes;
  ages_.erase(which->second.age);
  by_row_.erase(which);
}

}  // namespace proxy::session
