// Which of PostgreSQL's own functions answer differently, or do something, each time they run.
// The catalog adds a database's own functions; this list holds where no catalog has been read.
#pragma once

#include <string_view>

namespace rules {

/// Built-in functions with provolatile = 'v' in PostgreSQL 15, common extensions', and every pg_… function.
[[nodiscard]] bool is_volatile_builtin(std::string_view function) noexcept;

}  // namespace rules
