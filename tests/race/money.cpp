#include "tests/race/money.hpp"

#include <cstddef>

namespace race {

std::string to_text(cents amount) {
  const cents size = amount < 0 ? -amount : amount;
  std::string text;
  if (amount < 0) text += '-';
  text += std::to_string(size / 100);
  text += size % 100 < 10 ? ".0" : ".";
  text += std::to_string(size % 100);
  return text;
}

std::string to_grouped_text(cents amount) {
  std::string grouped;
  const std::string plain = to_text(amount);
  const std::size_t point = plain.size() - 3;
  for (std::size_t at = 0; at < plain.size(); ++at) {
    const bool after_digit = !grouped.empty() && grouped.back() != '-';
    if (after_digit && at < point && (point - at) % 3 == 0) grouped += ',';
    grouped += plain[at];
  }
  return grouped;
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
