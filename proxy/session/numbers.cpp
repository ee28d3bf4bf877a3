#include "proxy/session/numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "protocol/reader.hpp"

namespace proxy::session {
namespace {

constexpr std::string_view spaces = " \t\n\v\f\r";
constexpr std::string_view ten = "0123456789";

/// `fixed_below`: the exponent from which PostgreSQL writes one.
template <class Float>
std::string shortest_text(Float number, int fixed_below) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::array<char, 64> room{};
  char* const begin = room.data();
  const auto scientific = std::to_chars(begin, begin + room.size(), number, std::chars_format::scientific);
  const std::string text(begin, scientific.ptr);
  const std::string_view exponent = std::string_view(text).substr(text.find('e') + 1);
  int power = 0;
  const std::size_t sign = exponent.starts_with('+') ? 1 : 0;
  static_cast<void>(std::from_chars(exponent.data() + sign, exponent.data() + exponent.size(), power));
  if (power < -4 || power >= fixed_below) return text;
  const auto fixed = std::to_chars(begin, begin + room.size(), number, std::chars_format::fixed);
  return {begin, fixed.ptr};
}

/// Digits before and after the point: without leading zeros there, at least one.
std::string joined(bool negative, std::string_view whole, std::string_view fraction) {
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  const bool zero = whole.empty() && fraction.find_first_not_of('0') == std::string_view::npos;
  std::string text = negative && !zero ? "-" : "";
  text += whole.empty() ? "0" : whole;
  if (!fraction.empty()) text.append(".").append(fraction);
  return text;
}

/// Takes the digits that `text` begins with.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of(ten));
  text.remove_prefix(digits.size());
  return digits;
}

/// Takes "e-5" and the like; 0 if there is none.
std::optional<int> take_exponent(std::string_view& text) {
  if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return 0;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  const auto power = int64_in(digits);
  if (!power || *power > 1000) return std::nullopt;
  return static_cast<int>(negative ? -*power : *power);
}

}  // namespace

std::optional<std::string> numeric_text(std::string_view bytes) {
  protocol::reader in(bytes);
  const std::size_t count = in.u16();
  const int weight = in.i16();
  const std::uint16_t sign = in.u16();
  const std::uint16_t scale = in.u16();
  if (!in.ok() || in.left().size() != count * 2 || scale > 0x3FFF) return std::nullopt;
  std::string digits;
  digits.reserve(count * 4);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t group = in.u16();
    if (group > 9999) return std::nullopt;
    for (const int unit : {1000, 100, 10, 1}) digits += ten[group / unit % 10];
  }
  if (sign == 0xC000) return "NaN";
  if (sign == 0xD000) return "Infinity";
  if (sign == 0xF000) return "-Infinity";
  if (sign != 0 && sign != 0x4000) return std::nullopt;
  // The point stands behind the group of weight 0; `scale` digits behind it are shown, also where more came.
  std::string whole;
  std::string fraction;
  if (count > 0) {
    const int shift = (weight + 1) * 4;
    if (shift < 0) {
      fraction.assign(std::min(static_cast<std::size_t>(-shift), std::size_t{scale}), '0');
      fraction += digits;
    } else {
      const auto point = static_cast<std::size_t>(shift);
      if (digits.size() < point) digits.resize(point, '0');
      whole = digits.substr(0, point);
      fraction = digits.substr(point);
    }
  }
  fraction.resize(scale, '0');
  return joined(sign == 0x4000, whole, fraction);
}

std::string shortest(float number) {
  return shortest_text(number, 6);
}

std::string shortest(double number) {
  return shortest_text(number, 15);
}

std::optional<std::string> decimal_form(std::string_view text) {
  text = trimmed(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string word = lower_case(text.substr(0, 9));
  if (word == "nan") return negative ? std::nullopt : std::optional<std::string>("NaN");
  if (word == "inf" || word == "infinity") return negative ? "-Infinity" : "Infinity";

  std::string digits(take_digits(text));
  const std::size_t before_point = digits.size();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += take_digits(text);
  }
  if (digits.empty()) return std::nullopt;
  const auto exponent = take_exponent(text);
  if (!exponent || !text.empty()) return std::nullopt;
  const std::ptrdiff_t point = static_cast<std::ptrdiff_t>(before_point) + *exponent;
  if (point < 0) digits.insert(0, static_cast<std::size_t>(-point), '0');
  const auto whole = static_cast<std::size_t>(std::max<std::ptrdiff_t>(point, 0));
  if (digits.size() < whole) digits.resize(whole, '0');
  digits.erase(std::max(digits.find_last_not_of('0') + 1, whole));
  return joined(negative, std::string_view(digits).substr(0, whole), std::string_view(digits).substr(whole));
}

std::optional<std::int64_t> int64_in(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace proxy::session
