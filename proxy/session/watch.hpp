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
#include "proxy/session/row_memory.hpp"
#include "proxy/session/row_shape.hpp"
#include "proxy/session/statement_rows.hpp"

namespace proxy::session {

/// One of plan::writes.
struct watched_write {
  const rules::write_note* note = nullptr;
  std::vector<named_row> rows;
  write_decision decision;
  std::vector<write_journal::moved> movements;
};

/// One of plan::reads.
struct watched_read {
  const rules::read_note* note = nullptr;
  std::vector<named_row> rows;
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
  std::vector<watched_read> reads;
  std::vector<watched_write> writes;

  // Where its rows are told: the extended protocol's shape is the prepared statement's.
  std::shared_ptr<prepared_statement> prepared;
  std::vector<std::int16_t> formats;
  std::vector<std::optional<row_reader>> readers;  // of reads, then of writes
  bool readers_made = false;

  hidden_run carried;  // its guard is null where the statement carries no check of ours

  [[nodiscard]] occasion at(clock::time_point now) const { return {now, lock, trace, shape, settled}; }
  [[nodiscard]] bool empty() const noexcept { return reads.empty() && writes.empty(); }
};

}  // namespace proxy::session
