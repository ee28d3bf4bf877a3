#include "rules/trace_comment.hpp"

#include <algorithm>
#include <optional>

namespace rules {
namespace {

constexpr std::string_view blanks = " \t\n\r\f\v";

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// W3C Trace Context knows lower case only.
bool is_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// "version-traceid-parentid-flags"; a version above 00 may say more behind the flags.
std::string_view trace_id(std::string_view parent) noexcept {
  constexpr std::size_t size = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (parent.size() < size || parent[2] != '-' || parent[35] != '-' || parent[52] != '-') return {};
  const auto version = parent.substr(0, 2);
  const auto trace = parent.substr(3, 32);
  const auto span = parent.substr(36, 16);
  const bool longer = parent.size() > size;
  if (longer && (version == "00" || parent[size] != '-')) return {};
  if (!is_hex(version) || version == "ff" || !is_hex(trace) || !is_hex(span) || !is_hex(parent.substr(53, 2)))
    return {};
  return is_zero(trace) || is_zero(span) ? std::string_view{} : trace;
}

/// Takes key='value' and the comma behind it off `rest`; nothing where it is not written so.
struct pair {
  std::string_view key;
  std::string_view value;  // as written, escapes included
};

std::optional<pair> take_pair(std::string_view& rest) noexcept {
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  pair found;
  found.key = trimmed(rest.substr(0, equals));
  rest = rest.substr(equals + 1);
  const auto open = rest.find_first_not_of(blanks);
  if (open == std::string_view::npos || rest[open] != '\'') return std::nullopt;
  std::size_t close = open + 1;
  while (close < rest.size() && rest[close] != '\'') close += rest[close] == '\\' ? 2 : 1;
  if (close >= rest.size()) return std::nullopt;
  found.value = rest.substr(open + 1, close - open - 1);
  rest = trimmed(rest.substr(close + 1));
  if (!rest.empty() && rest.front() != ',') return std::nullopt;
  if (!rest.empty()) rest.remove_prefix(1);
  return found;
}

std::string_view trace_in(std::string_view comment) noexcept {
  std::string_view rest = trimmed(comment);
  while (!rest.empty()) {
    const auto found = take_pair(rest);
    if (!found) return {};
    if (found->key == "traceparent") return trace_id(found->value);
  }
  return {};
}

}  // namespace

traced_text split_trace(std::string_view sql) noexcept {
  const traced_text none{sql, {}};
  const auto last = sql.find_last_not_of(" \t\n\r\f\v;");
  if (last == std::string_view::npos || last < 3 || sql[last] != '/' || sql[last - 1] != '*') return none;
  const auto open = sql.rfind("/*", last - 3);
  if (open == std::string_view::npos) return none;
  const auto comment = sql.substr(open + 2, last - 1 - (open + 2));
  // Comments nest: this one's beginning is further up.
  if (comment.find("*/") != std::string_view::npos) return none;
  const auto trace = trace_in(comment);
  if (trace.empty()) return none;
  const auto before = sql.substr(0, open);
  const auto end = before.find_last_not_of(blanks);
  return {before.substr(0, end == std::string_view::npos ? 0 : end + 1), trace};
}

}  // namespace rules
