// A fast test of whether a SQL text can contain any of a set of names.
// Errs on the side of yes; knows nothing of SQL beyond how a name may be spelled.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

/// Case-insensitive substring search for several names at once. Immutable; searching allocates nothing and
/// reads each byte at most once, save where a name's first bytes match.
class name_filter {
 public:
  name_filter() = default;
  explicit name_filter(const std::vector<std::string>& names);

  /// False only if no name of the set can be meant anywhere in `text`: neither plain, nor in other case, nor
  /// quoted with doubled quotes. A Unicode-escaped identifier counts as any name.
  [[nodiscard]] bool may_name(std::string_view text) const noexcept;

 private:
  [[nodiscard]] bool verify(std::string_view text, std::size_t at) const noexcept;

  std::vector<std::string> needles_;  // folded ASCII, sorted
  std::array<std::uint64_t, 64>
      grams_{};             // a bit for each hash of the bytes that may be met at a sampled place
  std::uint32_t mask_ = 0;  // the bytes that are hashed: as many as every needle has, at most 4
  std::size_t shortest_ = 0;
  std::size_t step_ =
      1;  // a needle is at least this much longer than what is hashed, so every step_th place will do
  bool any_text_ = false;  // a name without ASCII may be spelled in ways that depend on the encoding
};

/// Whether `text` has a Unicode-escaped identifier, U&"…".
[[nodiscard]] bool has_escaped_name(std::string_view text) noexcept;

/// Whether one name may be meant in `text`, as name_filter has it; Unicode escapes apart. For a single look
/// where no filter has been made. Allocates nothing.
[[nodiscard]] bool may_spell(std::string_view text, std::string_view name) noexcept;

/// What must be in a text for `name` to be named in it: lower case, quotes doubled, and only the longest
/// stretch of ASCII, because other bytes depend on client_encoding. Empty: every text may name it.
[[nodiscard]] std::string needle_of(std::string_view name);

}  // namespace rules
