// Which of PostgreSQL 15's own types can be put in order, hashed, or subtracted exactly.
// Judges by type OID (fixed in pg_type.dat); a user's own type is left to PostgreSQL.
#pragma once

#include <cstdint>

namespace rules {

/// Has a default B-tree operator class: rows can be locked in its order.
[[nodiscard]] bool is_ordered_type(std::uint32_t type_oid) noexcept;

/// Has a default hash operator class: hash_record_extended() accepts it.
[[nodiscard]] bool is_hashed_type(std::uint32_t type_oid) noexcept;

/// smallint, integer, bigint or numeric: a + (b - c) is exact.
[[nodiscard]] bool is_exact_number(std::uint32_t type_oid) noexcept;

}  // namespace rules
