#include "rules/marker.hpp"

#include <charconv>

namespace rules {
namespace {

constexpr std::string_view opening = "pgteller/";

/// Cuts `rest` at the next slash and returns what was before it.
std::optional<std::string_view> take_field(std::string_view& rest) noexcept {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto field = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return field;
}

std::optional<std::string> unescaped(std::string_view key) {
  std::string plain;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != '!') {
      plain += key[i];
    } else if (++i < key.size() && (key[i] == '0' || key[i] == '1')) {
      plain += key[i] == '0' ? '!' : '/';
    } else {
      return std::nullopt;
    }
  }
  return plain;
}

bool read_number(std::string_view digits, std::uint16_t& into) noexcept {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  return error == std::errc{} && end == digits.data() + digits.size();
}

std::optional<raised> parse_fields(std::string_view rest) {
  const auto rule = take_field(rest);
  const auto check = take_field(rest);
  const auto key = take_field(rest);
  const auto value = take_field(rest);
  if (!rule || !check || !key || !value) return std::nullopt;
  raised found;
  if (!read_number(*rule, found.rule) || !read_number(*check, found.check)) return std::nullopt;
  auto plain = unescaped(*key);
  if (!plain) return std::nullopt;
  found.key = std::move(*plain);
  if (!value->empty()) found.value = std::string{*value};
  return found;
}

}  // namespace

std::optional<raised> parse_marker(std::string_view error_message) {
  for (auto at = error_message.find(opening); at != std::string_view::npos;
       at = error_message.find(opening, at + 1)) {
    if (auto found = parse_fields(error_message.substr(at + opening.size()))) return found;
  }
  return std::nullopt;
}

std::string marker_sql(std::uint16_t rule, std::size_t check, std::string_view key, std::string_view value) {
  std::string sql = "'pgteller/" + std::to_string(rule) + "/" + std::to_string(check) +
                    "/' || pg_catalog.replace(pg_catalog.replace(";
  sql.append(key).append(", '!', '!0'), '/', '!1') || ");
  if (value.empty()) return sql += "'//'";
  return sql.append("'/' || ").append(value).append(" || '/'");
}

}  // namespace rules
