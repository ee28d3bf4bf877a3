// Statements after which a session is as it was at its login, as far as words tell: those that another
// session's connection may stand in for. Knows words, no grammar; what it does not know counts as a change.
#pragma once

#include <string_view>

namespace proxy::session {

/// False where running the string may leave something behind that outlives its transaction: a setting, a
/// role, a lock, a cursor, a temporary table, or a call of a function of which nothing is known. Prepared
/// statements do not count, nor does application_name. Linear, allocates nothing.
[[nodiscard]] bool leaves_session_as_it_was(std::string_view sql, bool standard_strings) noexcept;

}  // namespace proxy::session
