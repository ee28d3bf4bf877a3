#include "proxy/ops/setting_values.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace proxy::ops {
namespace {

constexpr std::size_t longest_decimal = 200;
constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1
constexpr std::chrono::milliseconds longest_duration = std::chrono::hours{24};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The scanner's ident_start and ident_cont: letters, underscore, any byte above 127; then also digits and
// dollars.
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c) || c == '$';
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct name_part {
  std::string value;
  std::string problem;
  std::size_t used = 0;  // bytes of the text
};

name_part quoted_part(std::string_view text) {
  name_part part;
  std::size_t at = 1;
  for (;; ++at) {
    if (at >= text.size()) return {"", "a double quote is not closed", 0};
    if (text[at] != '"') {
      part.value.push_back(text[at]);
    } else if (at + 1 < text.size() && text[at + 1] == '"') {
      part.value.push_back('"');
      ++at;
    } else {
      break;
    }
  }
  part.used = at + 1;
  return part;
}

name_part plain_part(std::string_view text) {
  name_part part;
  if (!starts_name(text.front())) {
    return {"", "a name starts with a letter or an underscore; put any other name in double quotes", 0};
  }
  while (part.used < text.size() && continues_name(text[part.used]))
    part.value.push_back(folded(text[part.used++]));
  return part;
}

name_part next_part(std::string_view text) {
  if (text.empty()) return {"", "a name is missing", 0};
  name_part part = text.front() == '"' ? quoted_part(text) : plain_part(text);
  if (!part.problem.empty()) return part;
  if (part.value.empty()) part.problem = "a name must not be empty";
  if (part.value.find('\0') != std::string::npos) part.problem = "a name must not hold a NUL";
  if (part.value.size() > longest_name) part.problem = "a name has at most 63 bytes";
  return part;
}

struct decimal_parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
};

// Of a normal decimal: no plus, no leading zeros. Trailing zeros of the fraction do not count.
decimal_parts split(std::string_view text) {
  decimal_parts parts;
  if (!text.empty() && text.front() == '-') {
    parts.negative = true;
    text.remove_prefix(1);
  }
  const auto point = text.find('.');
  parts.whole = text.substr(0, point);
  if (point != std::string_view::npos) parts.fraction = text.substr(point + 1);
  while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.remove_suffix(1);
  if (parts.whole == "0" && parts.fraction.empty()) parts.negative = false;
  return parts;
}

}  // namespace

parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  const bool plain = !text.empty() && is_digit(text.front());
  if (plain && error == std::errc::result_out_of_range) return {std::nullopt, "is longer than 24 hours"};
  if (!plain || error != std::errc{}) {
    return {std::nullopt,
            R"(is no duration; write a whole number and a unit, such as "500ms", "5s" or "1m")"};
  }
  std::int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit.empty() && number == 0) factor = 1;
  if (factor == 0) {
    return {std::nullopt, unit.empty() ? R"(has no unit; write "ms", "s" or "m" after the number)"
                                       : R"(has an unknown unit; the units are "ms", "s" and "m")"};
  }
  if (number > longest_duration.count() / factor) return {std::nullopt, "is longer than 24 hours"};
  return {std::chrono::milliseconds{number * factor}, ""};
}

std::string to_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0";
  if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
  if (count % 1000 == 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count) + "ms";
}

parsed<std::string> parse_decimal(std::string_view text) {
  constexpr auto wrong =
      R"(is no decimal number; write digits with an optional sign and fraction, such as "-12.50")";
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto point = rest.find('.');
  std::string_view whole = rest.substr(0, point);
  const bool has_fraction = point != std::string_view::npos;
  const std::string_view fraction = has_fraction ? rest.substr(point + 1) : std::string_view{};
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit)) return {std::nullopt, wrong};
  if (has_fraction && (fraction.empty() || !std::all_of(fraction.begin(), fraction.end(), is_digit))) {
    return {std::nullopt, wrong};
  }
  if (text.size() > longest_decimal) return {std::nullopt, "has more than 200 characters"};
  while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
  const bool zero = whole == "0" && fraction.find_first_not_of('0') == std::string_view::npos;
  std::string value = negative && !zero ? "-" : "";
  value += whole;
  if (has_fraction) value.append(".").append(fraction);
  return {std::move(value), ""};
}

std::strong_ordering compare_decimals(std::string_view left, std::string_view right) noexcept {
  const decimal_parts a = split(left);
  const decimal_parts b = split(right);
  if (a.negative != b.negative)
    return a.negative ? std::strong_ordering::less : std::strong_ordering::greater;
  auto size = a.whole.size() <=> b.whole.size();  // no leading zeros: longer is larger
  if (size == 0) size = a.whole.compare(b.whole) <=> 0;
  if (size == 0) size = a.fraction.compare(b.fraction) <=> 0;  // digits after the point compare as text does
  return a.negative ? 0 <=> size : size;
}

parsed<relation_name> parse_relation_name(std::string_view text) {
  name_part first = next_part(text);
  if (!first.problem.empty()) return {std::nullopt, first.problem};
  std::string_view rest = text.substr(first.used);
  if (rest.empty()) return {relation_name{"", std::move(first.value)}, ""};
  if (rest.front() == '.') {
    name_part second = next_part(rest.substr(1));
    if (!second.problem.empty()) return {std::nullopt, second.problem};
    rest = rest.substr(1 + second.used);
    if (rest.empty()) return {relation_name{std::move(first.value), std::move(second.value)}, ""};
    if (rest.front() == '.')
      return {std::nullopt, "a table is named [schema.]table; use `databases` for the database"};
  }
  return {std::nullopt,
          "a name holds letters, digits, underscores and dollars; put any other name in double quotes"};
}

parsed<std::string> parse_name(std::string_view text) {
  name_part part = next_part(text);
  if (!part.problem.empty()) return {std::nullopt, part.problem};
  if (part.used == text.size()) return {std::move(part.value), ""};
  if (text[part.used] == '.') return {std::nullopt, "a column is named without its table"};
  return {std::nullopt,
          "a name holds letters, digits, underscores and dollars; put any other name in double quotes"};
}

std::string display_name(std::string_view name) {
  const bool plain =
      !name.empty() && starts_name(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return continues_name(c) && folded(c) == c; });
  if (plain) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace proxy::ops
