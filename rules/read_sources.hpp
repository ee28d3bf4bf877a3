// Finds the SELECTs inside a statement whose guarded columns reach the client, and the rows each one reads.
// Does not decide which of them lock: it tells how each could, or why it cannot.
#pragma once

#include <optional>
#include <vector>

#include "rules/pins.hpp"
#include "rules/prelude_sql.hpp"
#include "rules/statement_context.hpp"

namespace rules {

/// One guarded relation, read at one query level, under one rule.
struct read_source {
  target meant;
  const PgQuery__RangeVar* named = nullptr;
  row_source rows;  // valid unless `obstacle`
  pinned_columns pinned;
  bool by_key_alone = false;  // a prelude for `rows` locks what is read, and nothing comes to be read besides
  pinned_columns named_by;    // pins that hold for every row that the client is told
  bool locks_itself = false;  // the client's own locking clause covers it
  bool hides_columns = false;  // columns or relation go by other names, so that pins cannot be told
  std::optional<unguarded_reason> obstacle;  // why a prelude cannot name its rows
};

[[nodiscard]] std::vector<read_source> find_read_sources(const statement_context& context,
                                                         const PgQuery__SelectStmt& top);

}  // namespace rules
