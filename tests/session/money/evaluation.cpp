// How expressions are computed.
#include <utility>

#include "tests/session/money/expression.hpp"

namespace money {
namespace {

bool is_null(const value& what) {
  return std::holds_alternative<std::monostate>(what);
}

std::int64_t number_of(const value& what) {
  if (const auto* text = std::get_if<std::string>(&what)) return hundredths_of(*text);
  return std::get<std::int64_t>(what);
}

std::string text_of(const value& what) {
  if (const auto* text = std::get_if<std::string>(&what)) return *text;
  const std::int64_t number = std::get<std::int64_t>(what);
  return number_text(number, number % 100 == 0 ? 0 : 2);
}

class evaluator {
 public:
  evaluator(const surroundings& names, const std::vector<std::optional<std::string>>& parameters)
      : names_(names), parameters_(parameters) {}

  value of(const expression& what) {
    switch (what.kind) {
      case expression::type::constant:
        return what.constant;
      case expression::type::parameter:
        return parameter(what.parameter);
      case expression::type::name:
        return named(what.text);
      case expression::type::operation:
        return operation(what);
      case expression::type::call:
        return call(what);
      case expression::type::cast:
        return cast(of(what.of[0]), what.text);
      case expression::type::choice:
        for (std::size_t i = 0; i + 1 < what.of.size(); i += 2) {
          if (is_true(of(what.of[i]))) return of(what.of[i + 1]);
        }
        return of(what.of.back());
      case expression::type::either:
        return either(what);
      case expression::type::inner:
        return inner(what);
    }
    return {};
  }

 private:
  value parameter(std::size_t number) {
    if (number == 0 || number > parameters_.size()) throw sql_error{"42P02", "there is no such parameter"};
    const auto& given = parameters_[number - 1];
    if (!given) return {};
    return *given;
  }

  value named(const std::string& name) {
    const value* found = names_.find(name);
    if (found == nullptr) throw sql_error{"42703", "the model knows no column " + name};
    return *found;
  }

  value operation(const expression& what) {
    const std::string& sign = what.text;
    if (sign == "and" || sign == "or") return logic(what, sign == "and");
    const value left = of(what.of[0]);
    if (sign == "null") return is_null(left);
    if (sign == "not") return is_null(left) ? value{} : value{!std::get<bool>(left)};
    if (sign == "minus") return is_null(left) ? value{} : value{-number_of(left)};
    const value right = of(what.of[1]);
    if (sign == "distinct") {
      if (is_null(left) || is_null(right)) return is_null(left) != is_null(right);
      return compare(left, right, "<>");
    }
    if (is_null(left) || is_null(right)) return {};
    if (sign == "||") return text_of(left) + text_of(right);
    if (sign == "+") return number_of(left) + number_of(right);
    if (sign == "-") return number_of(left) - number_of(right);
    return compare(left, right, sign);
  }

  value logic(const expression& what, bool both) {
    bool unknown = false;
    for (const expression& each : what.of) {
      const value got = of(each);
      if (is_null(got)) {
        unknown = true;
      } else if (std::get<bool>(got) != both) {
        return !both;
      }
    }
    return unknown ? value{} : value{both};
  }

  static bool compare(const value& left, const value& right, const std::string& sign) {
    const std::int64_t one = number_of(left);
    const std::int64_t other = number_of(right);
    if (sign == "=") return one == other;
    if (sign == "<>") return one != other;
    if (sign == ">=") return one >= other;
    if (sign == "<=") return one <= other;
    return sign == "<" ? one < other : one > other;
  }

  value either(const expression& what) {
    const value left = of(what.of[0]);
    for (std::size_t i = 1; i < what.of.size(); ++i) {
      const value each = of(what.of[i]);
      if (!is_null(left) && !is_null(each) && compare(left, each, "=")) return true;
    }
    return false;
  }

  value call(const expression& what) {
    if (what.text == "coalesce") {
      for (const expression& each : what.of) {
        if (value got = of(each); !is_null(got)) return got;
      }
      return {};
    }
    // Keys are numbers here, so that there is nothing to escape in them.
    if (what.text == "replace") return of(what.of[0]);
    throw sql_error{"42883", "the model knows no function " + what.text};
  }

  static value cast(const value& what, const std::string& type) {
    if (is_null(what)) return {};
    if (type == "text") return text_of(what);
    if (type == "numeric") return number_of(what);
    if (type != "int4" && type != "int" && type != "integer" && type != "bigint")
      throw sql_error{"42704", "the model knows no type " + type};
    const std::int64_t number = number_of(what);
    if (number % 100 != 0) throw sql_error{"22P02", "the model rounds no numbers"};
    return number;
  }

  value inner(const expression& what) {
    surroundings more = names_;
    for (std::size_t i = 0; i < what.names.size(); ++i) more.give(what.names[i], of(what.of[i + 1]));
    return evaluate(what.of[0], more, parameters_);
  }

  const surroundings& names_;
  const std::vector<std::optional<std::string>>& parameters_;
};

}  // namespace

value evaluate(const expression& what, const surroundings& names,
               const std::vector<std::optional<std::string>>& parameters) {
  return evaluator{names, parameters}.of(what);
}

bool is_true(const value& what) {
  const bool* truth = std::get_if<bool>(&what);
  return truth != nullptr && *truth;
}

}  // namespace money
