// Prepared text with its holes filled: by what a session has on record, as parameters or as constants.
// Knows text, holes and offsets; not why a value goes where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/values.hpp"
#include "rules/plan.hpp"

namespace proxy::session {

/// What goes into the holes.
struct filling {
  sql_value checks;                              // empty: nothing
  std::vector<std::optional<bound_value>> read;  // by column; none, or too short: NULL
};

struct filled_text {
  std::string sql;
  std::vector<rules::copied_text> copied;  // moved by what was put in before them
};

/// With values as parameters, appended to `parameters`; without it, as constants. Nothing if a value cannot
/// be written as a constant.
[[nodiscard]] std::optional<filled_text> fill(std::string_view text, const std::vector<rules::hole>& holes,
                                              const std::vector<rules::copied_text>& copied,
                                              const filling& with, parameter_list* parameters);

/// Client's text with insertions of ours in it, and where it went.
struct changed_text {
  std::string sql;
  std::vector<rules::copied_text> copied;
  std::vector<std::uint32_t> placed;  // where each insertion begins in `sql`
};

/// The client's SQL string as the server is to see it; `insertions` in the order of their offsets, filled.
[[nodiscard]] changed_text insert_into(std::string_view client_sql,
                                       const std::vector<rules::insertion>& insertions);

}  // namespace proxy::session
