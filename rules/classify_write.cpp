#include "rules/classify_write.hpp"

#include "rules/statement_context.hpp"

namespace rules {
namespace {

bool has_column_or_query(const node* value) {
  bool found_one = false;
  walk(value, [&](const message* found) {
    found_one =
        found_one || as<PgQuery__ColumnRef>(found) != nullptr || as<PgQuery__SubLink>(found) != nullptr;
    return !found_one;
  });
  return found_one;
}

bool has_query_or_default(const node* value) {
  bool found_one = false;
  walk(value, [&](const message* found) {
    found_one = found_one || as<PgQuery__SubLink>(found) != nullptr ||
                as<PgQuery__SetToDefault>(found) != nullptr || as<PgQuery__MultiAssignRef>(found) != nullptr;
    return !found_one;
  });
  return found_one;
}

bool is_operator(const PgQuery__AExpr& expression, std::string_view name) {
  return expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && expression.n_name == 1 &&
         string_of(expression.name[0]) == name;
}

class value_reader {
 public:
  value_reader(std::string_view column, const relation& of, const scope& inside)
      : column_{column}, of_{of}, inside_{inside} {}

  // column ± e, COALESCE(column, constant) ± e, e + column, and chains of these.
  [[nodiscard]] bool is_relative(const node* value) const {
    const auto* sum = as<PgQuery__AExpr>(value);
    if (sum == nullptr || sum->lexpr == nullptr) return false;
    const bool plus = is_operator(*sum, "+");
    if (!plus && !is_operator(*sum, "-")) return false;
    if (is_base(sum->lexpr) && !has_column_or_query(sum->rexpr)) return true;
    return plus && is_base(sum->rexpr) && !has_column_or_query(sum->lexpr);
  }

 private:
  [[nodiscard]] bool is_base(const node* value) const {
    if (const auto* column = as<PgQuery__ColumnRef>(value)) return is_itself(*column);
    if (const auto* coalesce = as<PgQuery__CoalesceExpr>(value)) {
      const auto* column = coalesce->n_args == 2 ? as<PgQuery__ColumnRef>(coalesce->args[0]) : nullptr;
      return column != nullptr && is_itself(*column) && !has_column_or_query(coalesce->args[1]);
    }
    return is_relative(value);
  }

  [[nodiscard]] bool is_itself(const PgQuery__ColumnRef& written) const {
    const auto meanings = resolve(written, inside_);
    return meanings.size() == 1 && meanings.front().of == &of_ && meanings.front().column == column_;
  }

  std::string_view column_;
  const relation& of_;
  const scope& inside_;
};

}  // namespace

value_kind classify_value(const compiled_book& book, const node* value, std::string_view column,
                          const relation& of, const scope& inside) {
  value_kind found;
  found.repeatable = !has_query_or_default(value) && !calls_volatile(book, content(value));
  if (!found.repeatable) return found;
  if (!has_column_or_query(value)) {
    found.kind = statement_kind::absolute;
  } else if (value_reader{column, of, inside}.is_relative(value)) {
    found.kind = statement_kind::relative;
  }
  return found;
}

}  // namespace rules
