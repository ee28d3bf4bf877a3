// Rule sets and a catalog that the tests of rules/ share, by name.
// Matches tests/rules/schema.sql; knows nothing of what is tested with them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rule_book.hpp"

namespace rules::testing {

/// The tables of schema.sql.
[[nodiscard]] catalog shop_catalog();

/// The same, with more views, a parent, a temporary view and functions over wallets.
[[nodiscard]] catalog corpus_catalog();

/// A rule over wallets.balance with everything else at its default.
[[nodiscard]] rule wallet_rule();

/// The rules of a named situation; an unknown name is an empty set.
[[nodiscard]] rule_set situation(std::string_view name);

/// The situation's rules compiled for user "app" against shop_catalog().
[[nodiscard]] std::shared_ptr<const rule_book> book_of(std::string_view situation_name);

}  // namespace rules::testing
