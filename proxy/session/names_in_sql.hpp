// Statements recognised by their first words where nothing is parsed. Knows words, no grammar.
#pragma once

#include <string_view>

#include "proxy/session/block_tracker.hpp"

namespace proxy::session {

/// DISCARD ALL or RESET ALL stands in the string, as poolers and drivers send it between two users of a
/// connection.
[[nodiscard]] bool gives_connection_back(std::string_view sql);

/// SQL's EXECUTE: what it runs is not known.
[[nodiscard]] bool runs_prepared(std::string_view sql);

/// False only if the text frees no name of a prepared statement.
[[nodiscard]] bool may_free_names(std::string_view sql);

/// Something stands behind a semicolon.
[[nodiscard]] bool may_be_several(std::string_view sql);

/// False only if the string, run inside a transaction block or outside, makes nothing permanent by itself.
[[nodiscard]] bool may_commit(std::string_view sql, bool in_block);

/// False only if a statement that writes has no RETURNING.
[[nodiscard]] bool may_return_rows(std::string_view sql);

/// False only if the text does not change how the server reads SQL text: strings, encoding.
[[nodiscard]] bool may_change_reading(std::string_view sql);

/// False only if code in the text makes or renames no relation.
[[nodiscard]] bool may_make_relations(std::string_view sql);

/// It, or the string that begins with it, may have to come before anything that takes a snapshot, or outside
/// a transaction block.
[[nodiscard]] bool must_come_first(std::string_view sql);

/// False only if the string begins with a statement that uses no relation and calls no function.
[[nodiscard]] bool may_use_relations(std::string_view sql);

/// False only if no second relation stands in an UPDATE.
[[nodiscard]] bool may_join(std::string_view sql);

}  // namespace proxy::session
