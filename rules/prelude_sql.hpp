// Writes the SQL of preludes: lock these rows in key order, within the rule's timeout, and raise if a bound
// breaks. Decides nothing: which rows, which columns and whether at all come in as arguments.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/clauses.hpp"
#include "rules/compiled_book.hpp"
#include "rules/plan.hpp"

namespace rules {

/// Rows as a part of the client's statement names them. All ranges are copied from its text.
struct row_source {
  std::string alias;  // of the guarded relation in `from`
  token_range with;
  token_range relation;  // UPDATE's target; goes before `from`
  token_range from;
  token_range where;
  // Where not empty, these conditions of `where` choose the rows to lock: a row that does not match the rest
  // yet must not come to match it between the prelude and the client's statement.
  std::vector<token_range> key_conditions;
  token_range targets;          // only where ORDER BY refers to them
  token_range order_and_limit;  // needs by_key
  bool few = false;             // the key names its rows
  bool by_key = false;          // a locking clause cannot stand in this query: lock the keys it finds
};

/// A new value of a guarded column, and what it must satisfy.
struct new_value {
  const column* assigned = nullptr;
  std::uint16_t place = 0;  // index into the rule's columns
  token_range expression;
  std::vector<bound_check> checks;  // may be empty where it is rebased
  bool untyped = false;             // a parameter or a constant, which takes its type from where it stands
  bool rebased = false;             // put on the newest value: see write_rebase()
};

struct prelude_request {
  std::uint16_t rule_index = 0;
  const rule* configured = nullptr;
  const guarded_table* guarded = nullptr;
  bool one_schema = true;
  std::string relation_sql;  // the guarded table as the client names it; for by_key
  std::vector<row_source> sources;
  std::vector<new_value> values;  // only with a single source that is not by_key
  bool write = false;
  bool removes = false;    // DELETE
  bool validates = false;  // leave a hole for checks, and show the guarded columns to it
  bool log_values = false;
};

[[nodiscard]] prelude write_prelude(const token_text& text, const prelude_request& request);

}  // namespace rules
