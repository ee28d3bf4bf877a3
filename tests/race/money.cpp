#include "tests/race/money.hpp"

#include <cstddef>

namespace race {

std::string to_text(cents amount) {
  const bool negative = amount < 0;
  const cents size = negative ? -amount : amount;
  const cents rest = size % 100;
  return (negative ? "-" : "") + std::to_string(size / 100) + (rest < 10 ? ".0" : ".") + std::to_string(rest);
}

std::string to_grouped_text(cents amount) {
  std::string text = to_text(amount);
  const std::size_t first = amount < 0 ? 1 : 0;
  for (std::size_t at = text.size() - 3; at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

cents to_cents(std::string_view text) {
  const bool negative = text.starts_with('-');
  cents value = 0;
  int decimals = -1;  // none seen yet
  for (const char c : text) {
    if (c == '.') decimals = 0;
    if (c < '0' || c > '9' || decimals == 2) continue;
    value = value * 10 + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  for (int missing = decimals < 0 ? 2 : 2 - decimals; missing > 0; --missing) value *= 10;
  return negative ? -value : value;
}

}  // namespace race
