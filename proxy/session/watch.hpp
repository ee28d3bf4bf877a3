// A guarded statement that is about to run or is running: the rows that it names, how its writes are checked,
// and what is to be put on record when PostgreSQL answers. Plain values; the session acts on them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/session/hidden_run.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/reused.hpp"
#include "proxy/session/row_memory.hpp"
#include "proxy/session/row_shape.hpp"
#include "proxy/session/statement_rows.hpp"

namespace proxy::session {

/// One of plan::writes.
struct watched_write {
  const rules::write_note* note = nullptr;
  named_rows rows;
  write_decision decision;
  std::vector<write_journal::moved> movements;
};

/// One of plan::reads.
struct watched_read {
  const rules::read_note* note = nullptr;
  named_rows rows;
};

struct watch {
  std::shared_ptr<const rules::analysis> kept;
  std::shared_ptr<const rules::rule_book> book;
  const rules::plan* plan = nullptr;
  std::uint64_t shape = 0;  // rules::statement::shape
  std::string trace;
  std::uint64_t lock = 0;  // occasion::lock
  bool settled = true;     // occasion::settled
  clock::time_point sent{};
  bool executed = false;  // once before, and may have told rows then
  reused_list<watched_read> reads;
  std::vector<watched_write> writes;

  // Where its rows are told: the extended protocol's shape is the prepared statement's.
  std::shared_ptr<prepared_statement> prepared;
  std::vector<std::int16_t> formats;
  std::shared_ptr<const result_readers> readers;  // of reads, then of writes; null: no row was told yet

  hidden_run carried;  // its guard is null where the statement carries no check of ours

  [[nodiscard]] occasion at(clock::time_point now) const { return {now, lock, trace, shape, settled}; }

  /// For reuse_pool.
  [[nodiscard]] bool let_go() noexcept;
};

/// A statement's watch is made for every execution of it.
using watch_pool = reuse_pool<watch>;
using watch_ptr = watch_pool::handle;

/// Writes that have moved what is on record, or may put on record what they return, and that PostgreSQL has
/// not told the outcome of. A batch is a Query, or what is sent up to a Sync: it is undone as a whole,
/// whatever its statements were answered, until its ReadyForQuery has come.
class unanswered_writes {
 public:
  /// Batches come in ascending order.
  void add(std::uint64_t batch, std::uint32_t table, const named_rows& rows);
  /// The batches before this one have been answered.
  void answered(std::uint64_t before) noexcept;
  /// A write of `on`, in this batch, would meet a record that a write of an earlier one may leave or not.
  [[nodiscard]] bool concern(const watch& on, std::uint64_t batch) const;

 private:
  struct entry {
    std::uint64_t batch;
    std::uint32_t table;       // OID; 0: any
    std::vector<row_id> rows;  // empty: not named by their keys, or too many
  };
  std::vector<entry> entries_;
};

/// What a session's next statement is given by the last one.
struct statement_memory {
  watch_pool watches;
  unanswered_writes unanswered;
  portal_pool portals;                            // they have watches
  told_row told;                                  // that is being read
  turn_request asked;                             // that the turns are being asked
  std::shared_ptr<prepared_statement> described;  // what the last RowDescription of a simple query said
};

}  // namespace proxy::session
