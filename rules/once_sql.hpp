// Writes the SQL behind [[once]]: lock the new keys, then look for rows that have them already.
// Decides nothing: which rows are looked at comes in as an argument.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/compiled_book.hpp"
#include "rules/insert_rows.hpp"
#include "rules/plan.hpp"

namespace rules {

struct once_request {
  std::uint16_t rule_index = 0;
  const guarded_table* guarded = nullptr;
  bool one_schema = true;
  std::string relation_sql;       // the table as the client names it
  std::vector<std::size_t> rows;  // whose keys are known
};

/// Takes advisory locks on the keys, in the order of their hashes, until the transaction ends.
[[nodiscard]] prelude write_once_lock(const insert_rows& rows, const once_request& request);

/// Raises duplicate_key where a row of the table has one of the keys, or the statement has it twice. To be
/// sent behind the lock: its snapshot must be newer.
[[nodiscard]] prelude write_once_lookup(const insert_rows& rows, const once_request& request);

/// Raises changed_row where the transaction's snapshot may be too old to show a row with the key: at
/// REPEATABLE READ and SERIALIZABLE, if any transaction that the snapshot does not show has committed.
[[nodiscard]] prelude write_once_doubt(const once_request& request);

}  // namespace rules
