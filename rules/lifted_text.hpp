// Finds the literals in a SQL text that stand where a value may stand, and the text around them: what texts
// have in common that differ in values only. Knows no grammar: what a literal means, and whether a plan
// depends on it, is decided elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

/// Two literals of a class are read alike by PostgreSQL's grammar, but for their value.
enum class literal_class : std::uint8_t {
  integer = 1,  // fits an int4, without leading zeros, not 0
  wide,         // an integer beyond int4, at most 18 digits
  decimal,      // digits on both sides of the point, at most 18 each
  string,       // between single quotes: printable ASCII but for quotes and backslashes, not empty
};

struct lifted_literal {
  literal_class of = literal_class::integer;
  std::uint32_t begin = 0;  // in the text; a string's quotes are not part of it
  std::uint32_t size = 0;
};

/// One text taken apart. Made to be used again: taking another text apart allocates nothing once it has seen
/// one as long.
class lifted_text {
 public:
  /// Longer texts, and those with more literals, are left alone.
  static constexpr std::size_t longest_text = 8192;
  static constexpr std::size_t most_literals = 64;
  /// Longer strings are part of the text around them.
  static constexpr std::size_t longest_string = 128;

  /// False where nothing may be lifted out: no literal; or comments, parameters, dollar quotes, backslashes,
  /// doubled quotes in strings, strings with a prefix or in several parts, numbers with exponents, control
  /// characters, or anything beyond ASCII. Linear. `sql` must outlive the use of what is told of it.
  [[nodiscard]] bool take(std::string_view sql);

  /// The text with a byte for each literal, that of its class. The same for two texts if, and only if, they
  /// differ in literals of the same classes only.
  [[nodiscard]] std::string_view frame() const noexcept { return frame_; }
  [[nodiscard]] const std::vector<lifted_literal>& literals() const noexcept { return literals_; }
  [[nodiscard]] std::string_view value(std::size_t literal) const noexcept {
    return sql_.substr(literals_[literal].begin, literals_[literal].size);
  }
  [[nodiscard]] std::string_view sql() const noexcept { return sql_; }

  /// The text with other literals in place of its own, one for each.
  [[nodiscard]] std::string with(const std::vector<std::string>& values) const;

 private:
  bool take_number();
  bool take_string();
  bool take_name();
  void lift(literal_class of, std::size_t begin, std::size_t end);
  [[nodiscard]] char at(std::size_t offset) const noexcept {
    return offset < sql_.size() ? sql_[offset] : '\0';
  }

  std::string_view sql_;
  std::string frame_;
  std::vector<lifted_literal> literals_;
  std::size_t at_ = 0;      // what comes next
  std::size_t copied_ = 0;  // up to here the frame is made
  bool value_follows_ = false;
  bool behind_string_ = false;
};

}  // namespace rules
