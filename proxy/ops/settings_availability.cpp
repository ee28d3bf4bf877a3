// One line a feature: take the line away when the feature is there.
#include "proxy/ops/settings_sections.hpp"

namespace proxy::ops {
namespace {

constexpr std::string_view later = " is not available in this version; ";

void refuse(const toml::table& from, std::string_view key, problem_list& problems, const std::string& what,
            std::string_view instead) {
  problems.add(from.get(key)->source(), what + std::string(later) + std::string(instead));
}

void check_upstream(const toml::table& upstream, problem_list& problems) {
  const auto* cache = upstream.get("statement_cache");
  if (cache != nullptr && cache->value_or(std::int64_t{0}) > 0) {
    refuse(upstream, "statement_cache", problems, "statement_cache above 0", "leave the key out");
  }
}

void check_rule(const toml::table& rule, problem_list& problems) {
  const auto* group = rule.get("group_commit");
  if (group != nullptr && group->value_or(false)) {
    refuse(rule, "group_commit", problems, "group_commit = true", "write false");
  }
}

}  // namespace

void refuse_unavailable(const toml::table& root, problem_list& problems) {
  if (const auto* upstream = root["upstream"].as_table()) check_upstream(*upstream, problems);
  if (const auto* list = root["rule"].as_array()) {
    for (const auto& rule : *list) {
      if (const auto* table = rule.as_table()) check_rule(*table, problems);
    }
  }
}

}  // namespace proxy::ops
