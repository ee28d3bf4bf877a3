#include "rules/name_filter.hpp"

#include <algorithm>
#include <cstring>

namespace rules {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Case is dropped by setting bit 5 of every byte; that some other characters meet in it costs only a look
// more.
std::uint32_t hash(std::uint32_t bytes, std::uint32_t mask) noexcept {
  return (((bytes | 0x20202020U) & mask) * 2654435761U) >> 20;  // 12 bits
}

std::uint32_t load(const char* at) noexcept {
  std::uint32_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

bool starts_with_folded(std::string_view text, std::string_view needle) noexcept {
  if (text.size() < needle.size()) return false;
  for (std::size_t i = 0; i < needle.size(); ++i) {
    if (lower(text[i]) != needle[i]) return false;
  }
  return true;
}

}  // namespace

std::string needle_of(std::string_view name) {
  std::string best;
  std::string run;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && static_cast<unsigned char>(name[i]) < 0x80) {
      if (name[i] == '"') run += '"';
      run += lower(name[i]);
      continue;
    }
    if (run.size() > best.size()) best = run;
    run.clear();
  }
  return best;
}

name_filter::name_filter(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    auto needle = needle_of(name);
    any_text_ = any_text_ || needle.empty();
    if (!needle.empty()) needles_.push_back(std::move(needle));
  }
  std::sort(needles_.begin(), needles_.end());
  needles_.erase(std::unique(needles_.begin(), needles_.end()), needles_.end());
  if (needles_.empty()) return;
  shortest_ = std::min_element(needles_.begin(), needles_.end(), [](const auto& a, const auto& b) {
                return a.size() < b.size();
              })->size();
  const std::size_t hashed = std::min<std::size_t>(shortest_, 4);
  step_ = shortest_ - hashed + 1;
  const std::array<unsigned char, 4> ones{0xFF, 0xFF, 0xFF, 0xFF};
  std::memcpy(&mask_, ones.data(), hashed);
  for (const auto& needle : needles_) {
    for (std::size_t at = 0; at < step_; ++at) {
      std::uint32_t bytes = 0;
      std::memcpy(&bytes, needle.data() + at, hashed);
      const auto bit = hash(bytes, mask_);
      grams_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }
}

// A needle whose bytes were met at `at` begins at most one step before.
bool name_filter::verify(std::string_view text, std::size_t at) const noexcept {
  for (std::size_t begin = at - std::min(at, step_ - 1); begin <= at; ++begin) {
    const char first = lower(text[begin]);
    for (const auto& needle : needles_) {
      if (needle.front() == first && starts_with_folded(text.substr(begin), needle)) return true;
    }
  }
  return false;
}

bool name_filter::may_name(std::string_view text) const noexcept {
  if (any_text_) return true;
  if (needles_.empty()) return false;
  if (has_escaped_name(text)) return true;
  if (text.size() < shortest_) return false;
  std::size_t at = step_ - 1;
  for (; at + 4 <= text.size(); at += step_) {
    const auto bit = hash(load(text.data() + at), mask_);
    if (((grams_[bit / 64] >> (bit % 64)) & 1) != 0 && verify(text, at)) return true;
  }
  // Names of less than four bytes also fit where four can no longer be loaded.
  for (; at + std::min<std::size_t>(shortest_, 4) <= text.size(); at += step_) {
    if (verify(text, at)) return true;
  }
  return false;
}

bool has_escaped_name(std::string_view text) noexcept {
  for (auto at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    if (at > 0 && lower(text[at - 1]) == 'u' && at + 1 < text.size() && text[at + 1] == '"') return true;
  }
  return false;
}

bool may_spell(std::string_view text, std::string_view name) noexcept {
  const auto odd = [](char c) { return static_cast<unsigned char>(c) >= 0x80 || c == '"'; };
  // Rare: such a name is not worth a needle here.
  if (std::any_of(name.begin(), name.end(), odd)) return true;
  const auto same = [](char left, char right) { return lower(left) == lower(right); };
  return std::search(text.begin(), text.end(), name.begin(), name.end(), same) != text.end();
}

}  // namespace rules
