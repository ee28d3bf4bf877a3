// SQL expressions that preludes and insertions share: bounds, keys as text, a value put on the newest one.
// Knows the words; where they stand and what they mean for a statement is decided elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rules/compiled_book.hpp"
#include "rules/plan.hpp"

namespace rules {

/// SQL that is true, or null, if `value`, of the type of `assigned`, keeps the bound.
[[nodiscard]] std::string bound_holds(const std::string& value, const column& assigned,
                                      const bound_check& bound);

/// `value` as text that is never null.
[[nodiscard]] std::string as_text(const std::string& value);

/// The row's key for a marker; `column_of` names the key's column by its place.
template <class ColumnOf>
[[nodiscard]] std::string key_text(const guarded_table& guarded, ColumnOf column_of) {
  std::string sql;
  for (std::size_t i = 0; i < guarded.key.size(); ++i) {
    if (i > 0) sql += " || ',' || ";
    sql += as_text(column_of(i));
  }
  return sql;
}

/// `newest` moved by what the client changed: `value` - `read`. Numeric, whatever the column's type, so that
/// a difference does not overflow where the result fits.
[[nodiscard]] std::string moved_value(const std::string& newest, const std::string& value,
                                      const std::string& read);

/// What the client wrote where nothing was read, or where what was read is still there; else moved_value() as
/// `type`; `otherwise` where that is no finite number.
[[nodiscard]] std::string rebased_value(const std::string& newest, const std::string& value,
                                        const std::string& read, std::string_view type,
                                        std::string_view otherwise);

[[nodiscard]] std::string numbered(std::string_view name, std::size_t index);

}  // namespace rules
