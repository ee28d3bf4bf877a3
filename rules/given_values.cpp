#include "rules/given_values.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

// One of PostgreSQL's own types, written without a schema or as the grammar writes it; no array, no length.
std::string_view plain_type_of(const PgQuery__TypeCast& cast) noexcept {
  const auto* type = cast.type_name;
  if (type == nullptr || type->n_names == 0 || type->n_names > 2 || type->n_typmods > 0 ||
      type->n_array_bounds > 0 || type->setof) {
    return {};
  }
  if (type->n_names == 2 && string_of(type->names[0]) != "pg_catalog") return {};
  return string_of(type->names[type->n_names - 1]);
}

bool keeps_text(std::string_view type) noexcept {
  constexpr std::array types{std::string_view{"int2"}, std::string_view{"int4"},
                             std::string_view{"int8"}, std::string_view{"numeric"},
                             std::string_view{"text"}, std::string_view{"varchar"},
                             std::string_view{"uuid"}, std::string_view{"unknown"}};
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_number_type(const PgQuery__TypeCast& cast) noexcept {
  constexpr std::array types{std::string_view{"int2"},    std::string_view{"int4"},
                             std::string_view{"int8"},    std::string_view{"numeric"},
                             std::string_view{"float4"},  std::string_view{"float8"},
                             std::string_view{"decimal"}, std::string_view{"int"}};
  const auto* type = cast.type_name;
  if (type == nullptr || type->n_names == 0 || type->n_names > 2 || type->n_array_bounds > 0) return false;
  if (type->n_names == 2 && string_of(type->names[0]) != "pg_catalog") return false;
  return std::find(types.begin(), types.end(), string_of(type->names[type->n_names - 1])) != types.end();
}

std::optional<given_value> constant_of(const PgQuery__AConst& constant) {
  if (constant.isnull) return std::nullopt;
  switch (constant.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return given_value{0, std::to_string(constant.ival->ival)};
    case PG_QUERY__A__CONST__VAL_FVAL:
      return given_value{0, std::string{text_of(constant.fval->fval)}};
    case PG_QUERY__A__CONST__VAL_SVAL:
      return given_value{0, std::string{text_of(constant.sval->sval)}};
    default:
      return std::nullopt;
  }
}

bool is_sign(const PgQuery__AExpr& sum, std::string_view sign) {
  return sum.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && sum.lexpr == nullptr && sum.n_name == 1 &&
         string_of(sum.name[0]) == sign;
}

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The grammar folds the sign of a bare number; -5::int is the negative of a cast.
std::optional<given_value> signed_value(const PgQuery__AExpr& sum) {
  const bool minus = is_sign(sum, "-");
  if (!minus && !is_sign(sum, "+")) return std::nullopt;
  auto given = given_value_of(sum.rexpr);
  if (!given || given->parameter != 0) return std::nullopt;
  auto& text = given->constant;
  const bool negative = text.starts_with('-');
  if (!is_digits(std::string_view{text}.substr(negative ? 1 : 0))) return std::nullopt;
  if (minus && negative) {
    text.erase(0, 1);
  } else if (minus) {
    text.insert(0, 1, '-');
  }
  return given;
}

std::vector<given_value> from_array_text(std::string_view text) {
  std::vector<given_value> values;
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return values;
  text = text.substr(1, text.size() - 2);
  for (;;) {
    const auto comma = text.find(',');
    const auto item = text.substr(0, comma);
    if (!is_digits(item.substr(item.starts_with('-') ? 1 : 0)) || values.size() >= most_given_values)
      return {};
    values.push_back({0, std::string{item}});
    if (comma == std::string_view::npos) return values;
    text.remove_prefix(comma + 1);
  }
}

std::vector<given_value> each_of(node* const* items, std::size_t count) {
  std::vector<given_value> values;
  if (count > most_given_values) return values;
  for (std::size_t i = 0; i < count; ++i) {
    auto given = given_value_of(items[i]);
    if (!given) return {};
    values.push_back(std::move(*given));
  }
  return values;
}

bool all_numbers(node* const* items, std::size_t count) {
  return std::all_of(items, items + count, [](const node* item) { return is_number(item); });
}

bool is_arithmetic(const PgQuery__AExpr& sum) {
  constexpr std::array signs{std::string_view{"+"}, std::string_view{"-"}, std::string_view{"*"},
                             std::string_view{"/"}, std::string_view{"%"}};
  return sum.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && sum.n_name == 1 &&
         std::find(signs.begin(), signs.end(), string_of(sum.name[0])) != signs.end() &&
         (sum.lexpr == nullptr || is_number(sum.lexpr)) && is_number(sum.rexpr);
}

bool is_rounding(const PgQuery__FuncCall& call) {
  constexpr std::array names{std::string_view{"round"},   std::string_view{"trunc"},
                             std::string_view{"abs"},     std::string_view{"ceil"},
                             std::string_view{"ceiling"}, std::string_view{"floor"}};
  return call.n_funcname == 1 && all_numbers(call.args, call.n_args) &&
         std::find(names.begin(), names.end(), string_of(call.funcname[0])) != names.end();
}

}  // namespace

std::optional<given_value> given_value_of(const node* value) {
  if (const auto* constant = as<PgQuery__AConst>(value)) return constant_of(*constant);
  if (const auto* parameter = as<PgQuery__ParamRef>(value)) {
    if (parameter->number < 1 || parameter->number > 0xFFFF) return std::nullopt;
    return given_value{static_cast<std::uint16_t>(parameter->number), {}};
  }
  if (const auto* cast = as<PgQuery__TypeCast>(value)) {
    return keeps_text(plain_type_of(*cast)) ? given_value_of(cast->arg) : std::nullopt;
  }
  if (const auto* sum = as<PgQuery__AExpr>(value)) return signed_value(*sum);
  return std::nullopt;
}

std::vector<given_value> given_values_of(const node* values) {
  if (const auto* list = as<PgQuery__List>(values)) return each_of(list->items, list->n_items);
  if (const auto* array = as<PgQuery__AArrayExpr>(values)) return each_of(array->elements, array->n_elements);
  if (const auto* cast = as<PgQuery__TypeCast>(values)) {
    const auto* type = cast->type_name;
    return type != nullptr && type->n_array_bounds == 1 && type->n_typmods == 0 ? given_values_of(cast->arg)
                                                                                : std::vector<given_value>{};
  }
  if (const auto* constant = as<PgQuery__AConst>(values);
      constant != nullptr && constant->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
    return from_array_text(text_of(constant->sval->sval));
  }
  return {};
}

bool is_number(const node* value) {
  if (const auto* constant = as<PgQuery__AConst>(value)) {
    return constant->isnull || constant->val_case == PG_QUERY__A__CONST__VAL_IVAL ||
           constant->val_case == PG_QUERY__A__CONST__VAL_FVAL ||
           constant->val_case == PG_QUERY__A__CONST__VAL_SVAL;
  }
  if (as<PgQuery__ParamRef>(value) != nullptr) return true;
  if (const auto* cast = as<PgQuery__TypeCast>(value)) return is_number_type(*cast);
  if (const auto* sum = as<PgQuery__AExpr>(value)) return is_arithmetic(*sum);
  if (const auto* call = as<PgQuery__FuncCall>(value)) return is_rounding(*call);
  if (const auto* most = as<PgQuery__MinMaxExpr>(value)) return all_numbers(most->args, most->n_args);
  if (const auto* first = as<PgQuery__CoalesceExpr>(value)) return all_numbers(first->args, first->n_args);
  return false;
}

}  // namespace rules
