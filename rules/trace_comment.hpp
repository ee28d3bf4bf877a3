// Finds the trace that a statement belongs to in its trailing comment, as sqlcommenter writes it.
// Knows nothing else of comments or SQL.
#pragma once

#include <string_view>

namespace rules {

/// A statement's text and the trace it names.
struct traced_text {
  std::string_view sql;    // without the comment that names the trace and the white space before it
  std::string_view trace;  // the trace-id of `traceparent` (W3C Trace Context: 32 hex digits); empty: none
};

/// Reads `… /*key='value',traceparent='00-<trace-id>-<parent-id>-<flags>'*/` at the end of `sql`, a semicolon
/// behind it allowed. An invalid or all-zero trace-id is none. Linear from the end, allocates nothing.
[[nodiscard]] traced_text split_trace(std::string_view sql) noexcept;

}  // namespace rules
