#include "rules/aggregates.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

// Common functions of one row. An aggregate can have any other name.
constexpr std::array<std::string_view, 40> scalar_functions{"abs",
                                                            "age",
                                                            "btrim",
                                                            "ceil",
                                                            "ceiling",
                                                            "char_length",
                                                            "concat",
                                                            "concat_ws",
                                                            "date",
                                                            "date_part",
                                                            "date_trunc",
                                                            "encode",
                                                            "extract",
                                                            "floor",
                                                            "format",
                                                            "initcap",
                                                            "jsonb_build_object",
                                                            "json_build_object",
                                                            "left",
                                                            "length",
                                                            "lower",
                                                            "lpad",
                                                            "ltrim",
                                                            "md5",
                                                            "mod",
                                                            "now",
                                                            "power",
                                                            "replace",
                                                            "right",
                                                            "round",
                                                            "rpad",
                                                            "rtrim",
                                                            "sign",
                                                            "sqrt",
                                                            "substr",
                                                            "substring",
                                                            "to_char",
                                                            "to_json",
                                                            "trunc",
                                                            "upper"};

bool may_aggregate(const PgQuery__FuncCall& call) {
  if (call.over != nullptr || call.agg_star || call.agg_distinct || call.agg_within_group ||
      call.agg_filter != nullptr || call.n_agg_order > 0 || call.n_funcname == 0) {
    return true;
  }
  const auto name = string_of(call.funcname[call.n_funcname - 1]);
  return std::find(scalar_functions.begin(), scalar_functions.end(), name) == scalar_functions.end();
}

}  // namespace

bool counts_groups(const PgQuery__SelectStmt& select) {
  if (select.n_group_clause > 0 || select.n_distinct_clause > 0 || select.having_clause != nullptr)
    return true;
  bool groups = false;
  walk_all(select.target_list, select.n_target_list, [&](const message* found) {
    const auto* call = as<PgQuery__FuncCall>(found);
    groups = groups || (call != nullptr && may_aggregate(*call));
    return as<PgQuery__SelectStmt>(found) == nullptr;
  });
  return groups;
}

bool orders_by_output(const PgQuery__SelectStmt& select) {
  const auto is_output = [&](std::string_view name) {
    return std::any_of(select.target_list, select.target_list + select.n_target_list, [&](const node* item) {
      const auto* target = as<PgQuery__ResTarget>(item);
      return target != nullptr && !text_of(target->name).empty() && text_of(target->name) == name;
    });
  };
  return std::any_of(select.sort_clause, select.sort_clause + select.n_sort_clause, [&](const node* item) {
    const auto* sort = as<PgQuery__SortBy>(item);
    if (sort == nullptr || as<PgQuery__AConst>(sort->node) != nullptr) return true;
    const auto* column = as<PgQuery__ColumnRef>(sort->node);
    return column != nullptr && column->n_fields == 1 && is_output(string_of(column->fields[0]));
  });
}

}  // namespace rules
