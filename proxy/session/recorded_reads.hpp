// What somebody was told of guarded rows: for each row the first value of its guarded columns since his own
// last write, and whether a later read differed. A bounded map of values; who is meant, when a write may rest
// on them and what is done about it are decided elsewhere.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/session/outbox.hpp"
#include "proxy/session/values.hpp"
#include "rules/catalog.hpp"

namespace proxy::session {

/// Identity of a row in the proxy: database, table and the canonical text of the key's columns. Made by
/// row_name(); compared as bytes.
using row_id = std::string;

/// A row of a relation: `database`, the table's OID, then each column's number and canonical value.
[[nodiscard]] row_id row_name(std::string_view database, std::uint32_t table,
                              const std::vector<std::pair<std::int16_t, std::string>>& columns);

/// The same piece by piece: `name` becomes that of no column yet, then each is added.
void begin_row_name(std::string_view database, std::uint32_t table, row_id& name);
void append_column(std::int16_t number, std::string_view text, row_id& name);

/// What is known of one guarded column.
struct recorded_column {
  /// The values that the row may hold if nobody else wrote it: one, or two where an own write may or may not
  /// have met the row. Empty: the column has not been read.
  std::vector<sql_value> any_of;
  /// An own write moved it, and of the columns only others were read since: the next read counts.
  bool moved = false;
};

struct recorded_read {
  std::uint32_t table = 0;               // OID
  std::string rule;                      // name: rules on one table guard different columns
  std::vector<std::string> key;          // canonical text, by guarded_relation::key
  std::vector<recorded_column> columns;  // by guarded_relation::columns
  clock::time_point since;               // of the first read: it ends read_ttl later
  bool differed = false;                 // a later read showed something else: refused, never rebased
  bool own_write = false;                // an own write has moved it, or was refused: the next read counts
  bool renewed = false;                  // its unit of work has failed since it was read
  std::chrono::milliseconds lasts{};     // read_ttl of its rule
  std::uint64_t lock = 0;         // the lock under which the row has been held since the first read; 0 none
  std::uint64_t shape = 0;        // rules::statement::shape of the read
  row_id found_as;                // the row as the read named it, where that was not by key
  std::uint32_t outstanding = 1;  // correlate = "client": reads whose write has not come yet
  std::uint64_t told_in = 0;      // correlate = "client": the transaction that was told it last; 0 none
  std::optional<clock::time_point>
      other_since;            // correlate = "client": when somebody was last told another value
  bool rebasable = true;      // false: something may have moved the row that is not on record
  std::uint64_t version = 0;  // changes whenever the record does
};

struct record_limits {
  std::size_t rows = 1024;
  std::size_t bytes = std::size_t{256} << 10U;  // of names, keys, values and SQL text; `rows` bounds the rest
};

class recorded_reads {
 public:
  explicit recorded_reads(record_limits limits = {}) : limits_{limits} {}

  /// A row was told. If it is on record already (and not older than `ttl`), the first value stays, and
  /// `differed` is set where bytes of a column differ, in the same format and type, or in their text;
  /// `trust_last` (reread = "last") takes the new value instead. A record that an own write moved is
  /// compared by PostgreSQL only, so the new value is taken for it. `read.since` is now. True if another
  /// record had to be forgotten, or this one is too large to be kept.
  bool told(const row_id& row, recorded_read read, bool trust_last, std::chrono::milliseconds ttl);

  /// As told(), where what is told is what is on record already, so that no record need be made to compare it
  /// with: `now` is one but for its key and columns, which are told as `columns`, of the types of `known_as`.
  /// False: it is something else, and nothing has been done.
  [[nodiscard]] bool told_again(const row_id& row, recorded_read& now,
                                const std::vector<std::optional<value_view>>& columns,
                                const std::vector<rules::column>& known_as, bool trust_last,
                                std::chrono::milliseconds ttl);

  /// The same as told() for correlate = "client": any session of the client may have asked, and any may
  /// write. The newest value is on record, with the number of those who were told it; `other_since` says that
  /// some were told another.
  bool told_to_client(const row_id& row, recorded_read read, std::chrono::milliseconds ttl);

  /// correlate = "client": a write that took one of the reads in `before` has been undone.
  void give_back(const row_id& row, recorded_read before);

  /// Null if the row is not on record or was read longer ago than `ttl`; then it is forgotten.
  [[nodiscard]] const recorded_read* find(const row_id& row, clock::time_point now,
                                          std::chrono::milliseconds ttl);

  /// The same whatever its age.
  [[nodiscard]] const recorded_read* peek(const row_id& row) const;

  /// All records of the table that are not older than `ttl`, at most `most`; the flag says there were more.
  /// The pointers, like find's, hold until something is told, put or forgotten.
  [[nodiscard]] std::pair<std::vector<const recorded_read*>, bool> of_table(std::string_view database,
                                                                            std::uint32_t table,
                                                                            clock::time_point now,
                                                                            std::chrono::milliseconds ttl,
                                                                            std::size_t most);

  enum class remainder : std::uint8_t { stands, of_no_concern, done_with };
  /// Whether one of the table's records under rules that are not `current` still `stands`, as `judge` says.
  /// Those that are done with, or older than `ttl` and their own rule's, are forgotten, so that nothing is
  /// looked for where there are none.
  template <class Current, class Judge>
  [[nodiscard]] bool any_but(Current&& current, Judge&& judge, std::uint32_t table, clock::time_point now,
                             std::chrono::milliseconds ttl) {
    const auto rules = rules_.find(table);
    if (rules == rules_.end()) return false;
    const auto is_current = [&](const auto& each) { return current(each.first); };
    if (std::all_of(rules->second.begin(), rules->second.end(), is_current)) return false;
    for (auto each = recent_.begin(); each != recent_.end();) {
      const auto here = each++;
      const recorded_read& read = here->read;
      if (read.table != table || current(read.rule)) continue;
      const bool ended = now - read.since > std::max(ttl, read.lasts);
      const remainder found = ended ? remainder::done_with : judge(here->row, read);
      if (found == remainder::stands) return true;
      if (found == remainder::done_with) erase(here);
    }
    return false;
  }

  /// Gives the row this record, or none; returns what was there before. Its version changes. May make others
  /// be forgotten, like told.
  std::optional<recorded_read> put(const row_id& row, std::optional<recorded_read> record);

  /// As put(), but the record keeps the version that it had.
  void restore(const row_id& row, std::optional<recorded_read> record);

  /// The next read of each row counts as its first: what was told before is known to be stale. Until then it
  /// still is what a write rests on.
  void renew();

  /// Something may have moved rows of the table without its being on record: they are not rebased any more
  /// until they are read again. `table` 0: of any table.
  void doubt(std::uint32_t table);
  void doubt(const row_id& row);

  void clear();
  [[nodiscard]] std::size_t size() const noexcept { return by_row_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// How many records the limits have cost so far.
  [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

 private:
  struct item {
    row_id row;
    recorded_read read;
    std::size_t bytes = 0;
  };
  using items = std::list<item>;

  [[nodiscard]] item* look(const row_id& row) const;
  void set(const row_id& row, recorded_read read);
  void weigh(item& which);
  void count(const recorded_read& under);
  void uncount(const recorded_read& under);
  bool trim();
  void erase(items::iterator which);

  record_limits limits_;
  items recent_;                                                  // most recently told first
  std::unordered_map<std::string_view, items::iterator> by_row_;  // names live in the items
  std::map<std::uint32_t, std::vector<std::pair<std::string, std::size_t>>>
      rules_;  // by table; records of each
  std::size_t bytes_ = 0;
  std::uint64_t next_version_ = 1;
  std::uint64_t forgotten_ = 0;
};

}  // namespace proxy::session
