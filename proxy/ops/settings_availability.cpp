// One line a feature: take the line away when the feature is there.
#include <algorithm>
#include <span>

#include "proxy/ops/settings_sections.hpp"

namespace proxy::ops {
namespace {

constexpr std::string_view later = " is not available in this version; ";

// The string under a key, or empty.
std::string_view text_of(const toml::table& from, std::string_view key) {
  const auto* node = from.get(key);
  const auto* text = node == nullptr ? nullptr : node->as_string();
  return text == nullptr ? std::string_view{} : std::string_view(text->get());
}

void refuse(const toml::table& from, std::string_view key, problem_list& problems, const std::string& what,
            std::string_view instead) {
  problems.add(from.get(key)->source(), what + std::string(later) + std::string(instead));
}

void refuse_words(const toml::table& from, std::string_view key, std::span<const std::string_view> words,
                  std::string_view instead, problem_list& problems) {
  const auto found = std::find(words.begin(), words.end(), text_of(from, key));
  if (found != words.end()) refuse(from, key, problems, std::string(key) + " = " + shown(*found), instead);
}

void check_listen(const toml::table& listen, problem_list& problems) {
  constexpr std::string_view require[] = {"require"};
  for (const std::string_view key : {"tls_cert_file", "tls_key_file"}) {
    if (!text_of(listen, key).empty()) refuse(listen, key, problems, "TLS for clients", "leave the key out");
  }
  refuse_words(listen, "tls_mode", require, R"(leave the key out)", problems);
}

void check_upstream(const toml::table& upstream, problem_list& problems) {
  constexpr std::string_view modes[] = {"require", "verify-ca", "verify-full"};
  refuse_words(upstream, "sslmode", modes, R"(write "prefer" or "disable")", problems);
  if (!text_of(upstream, "sslrootcert").empty()) {
    refuse(upstream, "sslrootcert", problems, "TLS to PostgreSQL", "leave the key out");
  }
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
  if (const auto* listen = root["listen"].as_table()) check_listen(*listen, problems);
  if (const auto* upstream = root["upstream"].as_table()) check_upstream(*upstream, problems);
  if (const auto* list = root["rule"].as_array()) {
    for (const auto& rule : *list) {
      if (const auto* table = rule.as_table()) check_rule(*table, problems);
    }
  }
}

}  // namespace proxy::ops
