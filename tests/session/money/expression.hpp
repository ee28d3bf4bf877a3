// SQL expressions as far as the simulation's clients and the proxy write them: cut into tokens, parsed,
// evaluated with three-valued logic. Knows no tables and no statements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace money {

/// NULL, a truth value, a number in hundredths, text.
using value = std::variant<std::monostate, bool, std::int64_t, std::string>;

/// What PostgreSQL would answer with an ErrorResponse.
struct sql_error {
  std::string sqlstate;
  std::string message;
};

/// Hundredths of "12", "-0.5", "7.25"; throws 22P02 for anything else.
[[nodiscard]] std::int64_t hundredths_of(std::string_view text);
/// Always with `decimals` places, 0 or 2.
[[nodiscard]] std::string number_text(std::int64_t hundredths, int decimals);

struct token {
  enum class type : std::uint8_t { word, text, number, parameter, symbol, end };
  type kind = type::end;
  std::string text;  // a word in lower case, unless quoted; of a dotted name the last part
};
[[nodiscard]] std::vector<token> tokens_of(std::string_view sql);

struct expression {
  enum class type : std::uint8_t { constant, parameter, name, operation, call, cast, choice, either, inner };
  type kind = type::constant;
  std::string text;  // the operator, function, type or name
  money::value constant;
  std::size_t parameter = 0;
  std::vector<expression> of;      // operands; of a choice: condition, result, …, and the one behind ELSE
  std::vector<std::string> names;  // inner: what `of` (all but the first) is called in the first
};

/// Reads expressions off a list of tokens.
class expression_parser {
 public:
  explicit expression_parser(const std::vector<token>& tokens) : tokens_(tokens) {}

  [[nodiscard]] expression parse() { return any_of(); }
  [[nodiscard]] bool take(std::string_view word);
  void expect(std::string_view word);
  [[nodiscard]] std::string name();
  [[nodiscard]] bool sees(std::string_view word) const { return sees(word, 0); }
  [[nodiscard]] bool sees(std::string_view word, std::size_t ahead) const;
  [[nodiscard]] bool at_end() const { return tokens_[at_].kind == token::type::end; }
  [[nodiscard]] const token& here() const { return tokens_[at_]; }
  void skip() { ++at_; }

 private:
  expression any_of();
  expression all_of();
  expression negation();
  expression comparison();
  expression is_test(expression left);
  expression joined();
  expression sum();
  expression product();
  expression primary();
  expression parenthesis();
  expression choice();
  expression function_call(std::string function);

  const std::vector<token>& tokens_;
  std::size_t at_ = 0;
};

/// What names mean, the last given first. Few, and the names outlive it.
class surroundings {
 public:
  void give(std::string_view name, value what) { all_.emplace_back(name, std::move(what)); }
  void give_null(std::string_view name) { all_.emplace_back(name, std::monostate{}); }
  [[nodiscard]] const value* find(std::string_view name) const {
    for (auto each = all_.rbegin(); each != all_.rend(); ++each) {
      if (each->first == name) return &each->second;
    }
    return nullptr;
  }

 private:
  std::vector<std::pair<std::string_view, value>> all_;
};

/// `parameters`: the values of $1, $2…
[[nodiscard]] value evaluate(const expression& what, const surroundings& names,
                             const std::vector<std::optional<std::string>>& parameters);
[[nodiscard]] bool is_true(const value& what);

}  // namespace money
