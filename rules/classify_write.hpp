// What kind of value an UPDATE gives a guarded column: relative, absolute or computed.
// Looks at one assignment's expression; what follows from the kind is decided elsewhere.
#pragma once

#include <string_view>

#include "rules/parse_tree.hpp"
#include "rules/plan.hpp"
#include "rules/scope.hpp"

namespace rules {

struct value_kind {
  statement_kind kind = statement_kind::computed;
  bool repeatable = true;  // evaluated twice in one transaction it gives the same value
};

/// `value` is what `column` of the relation `of` is set to.
[[nodiscard]] value_kind classify_value(const compiled_book& book, const node* value, std::string_view column,
                                        const relation& of, const scope& inside);

}  // namespace rules
