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

}  // namespace

void refuse_unavailable(const toml::table& root, problem_list& problems) {
  if (const auto* upstream = root["upstream"].as_table()) check_upstream(*upstream, problems);
}

}  // namespace proxy::ops
