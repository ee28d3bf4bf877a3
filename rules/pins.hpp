// Which columns of a relation a statement's predicates fix to given values, and so how narrow its rows are.
// Looks at conjuncts only; how narrow is narrow enough is decided by the rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/given_values.hpp"
#include "rules/parse_tree.hpp"
#include "rules/scope.hpp"

namespace rules {

enum class pin : std::uint8_t {
  none,
  join,   // equal to another relation's column, or in a sub-select
  list,   // in a list or array of values
  value,  // equal to one value
};

/// The pinned columns of one relation, each with its narrowest pin.
class pinned_columns {
 public:
  struct entry {
    std::string column;  // empty: some column that NATURAL chose
    pin how;
    std::vector<given_value> values;  // that it may have; empty: they are not known here
    bool or_null = false;             // IS NOT DISTINCT FROM: NULL is a value like any other
  };

  void add(std::string_view column, pin how, std::vector<given_value> values = {}, bool or_null = false);
  [[nodiscard]] bool empty() const noexcept { return columns_.empty(); }
  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return columns_; }

  /// WHERE was seen whole in the entries' values: a row that has them is chosen by it, whatever else it has.
  [[nodiscard]] bool says_all() const noexcept { return says_all_; }
  void leaves_out() noexcept { says_all_ = false; }

  /// All of `columns` are pinned at least as narrowly as `how`.
  [[nodiscard]] bool all(const std::vector<std::string>& columns, pin how) const noexcept;

 private:
  std::vector<entry> columns_;
  bool says_all_ = true;
};

/// At most one row is meant: a unique index of the table is pinned. A rule's own key may not be unique.
[[nodiscard]] bool pins_unique(const pinned_columns& pinned, const guarded_table& guarded, pin how);

/// The rows are those of the key, or of a unique index of the table.
[[nodiscard]] bool pins_key(const pinned_columns& pinned, const guarded_table& guarded, pin how);

/// Pins of `of`, a relation of `inside`, by WHERE and by the join conditions that restrict it.
[[nodiscard]] pinned_columns pins_of(const relation& of, const scope& inside, const node* where,
                                     node* const* from, std::size_t count);

}  // namespace rules
