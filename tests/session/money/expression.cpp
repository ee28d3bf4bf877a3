#include "tests/session/money/expression.hpp"

#include <cctype>
#include <utility>

namespace money {
namespace {

[[noreturn]] void cannot_read(std::string_view what, std::string_view where) {
  throw sql_error{"42601", "the model cannot read " + std::string(what) + " at " + std::string(where)};
}

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

std::string until_quote(std::string_view sql, std::size_t& at, char quote) {
  std::string inside;
  for (++at; at < sql.size(); ++at) {
    if (sql[at] != quote) {
      inside += sql[at];
    } else if (at + 1 < sql.size() && sql[at + 1] == quote) {
      inside += sql[at++];
    } else {
      ++at;
      return inside;
    }
  }
  cannot_read("a quote", sql);
}

token next_token(std::string_view sql, std::size_t& at) {
  const char letter = sql[at];
  if (letter == '\'') return {token::type::text, until_quote(sql, at, letter)};
  if (letter == '"') return {token::type::word, until_quote(sql, at, letter)};
  const std::size_t from = at;
  if (letter == '$') {
    while (++at < sql.size() && std::isdigit(static_cast<unsigned char>(sql[at])) != 0) {
    }
    return {token::type::parameter, std::string(sql.substr(from + 1, at - from - 1))};
  }
  if (is_word(letter)) {
    const bool digits = std::isdigit(static_cast<unsigned char>(letter)) != 0;
    while (at < sql.size() && (is_word(sql[at]) || (digits && sql[at] == '.'))) ++at;
    token made{digits ? token::type::number : token::type::word, std::string(sql.substr(from, at - from))};
    for (char& each : made.text) each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
    return made;
  }
  for (const std::string_view two : {"||", ">=", "<=", "<>"}) {
    if (sql.substr(at, 2) != two) continue;
    at += 2;
    return {token::type::symbol, std::string(two)};
  }
  return {token::type::symbol, std::string(1, sql[at++])};
}

}  // namespace

std::int64_t hundredths_of(std::string_view text) {
  const std::string whole(text);
  if (text == "NaN") return std::int64_t{1} << 60U;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t made = 0;
  int places = -1;
  for (const char digit : text) {
    if (digit == '.' && places < 0) {
      places = 0;
    } else if (std::isdigit(static_cast<unsigned char>(digit)) == 0 || places == 2) {
      throw sql_error{"22P02", "invalid input syntax for type integer: \"" + whole + "\""};
    } else {
      made = made * 10 + (digit - '0');
      if (places >= 0) ++places;
    }
  }
  if (text.empty()) throw sql_error{"22P02", "invalid input syntax for type integer: \"" + whole + "\""};
  for (int more = places < 0 ? 0 : places; more < 2; ++more) made *= 10;
  return negative ? -made : made;
}

std::string number_text(std::int64_t hundredths, int decimals) {
  const std::int64_t size = hundredths < 0 ? -hundredths : hundredths;
  std::string made = (hundredths < 0 ? "-" : "") + std::to_string(size / 100);
  if (decimals == 0) return made;
  const std::string cents = std::to_string(size % 100);
  return made + (cents.size() < 2 ? ".0" : ".") + cents;
}

std::vector<token> tokens_of(std::string_view sql) {
  std::vector<token> made;
  for (std::size_t at = 0; at < sql.size();) {
    if (std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else if (sql.substr(at, 2) == "/*") {
      at = sql.find("*/", at) + 2;
    } else {
      made.push_back(next_token(sql, at));
      // Of schema.table.column only the column counts.
      const std::size_t count = made.size();
      if (count < 3 || made[count - 2].text != "." || made.back().kind != token::type::word) continue;
      made[count - 3] = std::move(made.back());
      made.resize(count - 2);
    }
  }
  made.push_back({});
  return made;
}

bool expression_parser::sees(std::string_view word, std::size_t ahead) const {
  if (at_ + ahead >= tokens_.size()) return false;
  const token& there = tokens_[at_ + ahead];
  return there.text == word && (there.kind == token::type::word || there.kind == token::type::symbol);
}

bool expression_parser::take(std::string_view word) {
  if (!sees(word)) return false;
  ++at_;
  return true;
}

void expression_parser::expect(std::string_view word) {
  if (!take(word)) cannot_read(tokens_[at_].text, word);
}

std::string expression_parser::name() {
  if (tokens_[at_].kind != token::type::word) cannot_read(tokens_[at_].text, "a name");
  return tokens_[at_++].text;
}

namespace {

expression operation(std::string sign, std::vector<expression> of) {
  expression made;
  made.kind = expression::type::operation;
  made.text = std::move(sign);
  made.of = std::move(of);
  return made;
}

}  // namespace

expression expression_parser::any_of() {
  expression left = all_of();
  while (take("or")) {
    expression right = all_of();
    left = operation("or", {std::move(left), std::move(right)});
  }
  return left;
}

expression expression_parser::all_of() {
  expression left = negation();
  while (take("and")) {
    expression right = negation();
    left = operation("and", {std::move(left), std::move(right)});
  }
  return left;
}

expression expression_parser::negation() {
  if (!take("not")) return comparison();
  return operation("not", {negation()});
}

expression expression_parser::comparison() {
  expression left = joined();
  if (take("is")) return is_test(std::move(left));
  for (const char* sign : {"=", ">=", "<=", "<>", "<", ">"}) {
    if (!take(sign)) continue;
    expression right = joined();
    return operation(sign, {std::move(left), std::move(right)});
  }
  if (!take("in")) return left;
  expect("(");
  std::vector<expression> all{std::move(left)};
  do {
    all.push_back(parse());
  } while (take(","));
  expect(")");
  expression made = operation("in", std::move(all));
  made.kind = expression::type::either;
  return made;
}

expression expression_parser::is_test(expression left) {
  const bool negated = take("not");
  std::vector<expression> of{std::move(left)};
  std::string sign = "null";
  if (!take("null")) {
    expect("distinct");
    expect("from");
    of.push_back(joined());
    sign = "distinct";
  }
  expression made = operation(sign, std::move(of));
  return negated ? operation("not", {std::move(made)}) : made;
}

expression expression_parser::joined() {
  expression left = sum();
  while (take("||")) {
    expression right = sum();
    left = operation("||", {std::move(left), std::move(right)});
  }
  return left;
}

expression expression_parser::sum() {
  expression left = product();
  for (;;) {
    const std::string sign = sees("+") ? "+" : "-";
    if (!take(sign)) return left;
    expression right = product();
    left = operation(sign, {std::move(left), std::move(right)});
  }
}

expression expression_parser::product() {
  if (!take("-")) return primary();
  return operation("minus", {product()});
}

expression expression_parser::primary() {
  const token& here = tokens_[at_];
  expression made;
  switch (here.kind) {
    case token::type::text:
    case token::type::number:
      ++at_;
      if (here.kind == token::type::text) {
        made.constant = here.text;
      } else {
        made.constant = hundredths_of(here.text);
      }
      return made;
    case token::type::parameter:
      ++at_;
      made.kind = expression::type::parameter;
      made.parameter = static_cast<std::size_t>(std::stoul(here.text));
      return made;
    case token::type::symbol:
      if (take("(")) return parenthesis();
      cannot_read(here.text, "an expression");
    case token::type::word:
      break;
    case token::type::end:
      cannot_read("the end", "an expression");
  }
  if (take("null")) return made;
  if (take("true")) {
    made.constant = true;
    return made;
  }
  if (take("case")) return choice();
  std::string word = name();
  if (take("(")) return function_call(std::move(word));
  made.kind = expression::type::name;
  made.text = std::move(word);
  return made;
}

/// Behind "(": an expression, or SELECT expression FROM (SELECT expression AS name, … OFFSET 0) name.
expression expression_parser::parenthesis() {
  expression made;
  if (!take("select")) {
    made = parse();
    expect(")");
    return made;
  }
  made.kind = expression::type::inner;
  made.of.push_back(parse());
  expect("from");
  expect("(");
  expect("select");
  do {
    made.of.push_back(parse());
    expect("as");
    made.names.push_back(name());
  } while (take(","));
  expect("offset");
  ++at_;
  expect(")");
  static_cast<void>(name());
  expect(")");
  return made;
}

expression expression_parser::choice() {
  expression made;
  made.kind = expression::type::choice;
  while (take("when")) {
    made.of.push_back(parse());
    expect("then");
    made.of.push_back(parse());
  }
  made.of.push_back(take("else") ? parse() : expression{});
  expect("end");
  return made;
}

expression expression_parser::function_call(std::string function) {
  expression made;
  made.kind = function == "cast" ? expression::type::cast : expression::type::call;
  made.text = std::move(function);
  do {
    made.of.push_back(parse());
  } while (take(","));
  if (made.kind == expression::type::cast) {
    expect("as");
    made.text = name();
    if (take("(")) {
      while (!take(")")) ++at_;
    }
  }
  expect(")");
  return made;
}

}  // namespace money
