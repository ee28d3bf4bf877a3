// The rules under which the simulation plays. Knows nothing of how.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/session/plan_cache.hpp"
#include "rules/rule.hpp"

namespace money {

struct variant {
  std::string name;
  int decimals = 2;  // numeric(12,2), else integer
  std::shared_ptr<const rules::rule_set> rules;
  std::vector<proxy::session::book_ptr> books;  // the same, and what reloads make of the rule

  [[nodiscard]] const rules::rule& rule() const { return rules->rules.front(); }
};

/// All of them, made once.
[[nodiscard]] const std::vector<variant>& variants();

}  // namespace money
