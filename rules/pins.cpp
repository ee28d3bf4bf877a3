#include "rules/pins.hpp"

#include <algorithm>

namespace rules {
namespace {

bool is_equals(const PgQuery__AExpr& expression) noexcept {
  return expression.n_name > 0 && string_of(expression.name[expression.n_name - 1]) == "=";
}

class pin_reader {
 public:
  pin_reader(const relation& of, const scope& inside, pinned_columns& pinned)
      : of_{of}, inside_{inside}, pinned_{pinned} {}

  void conjunct(const node* expression) {
    const auto* junction = as<PgQuery__BoolExpr>(expression);
    if (junction != nullptr && junction->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
      for (std::size_t i = 0; i < junction->n_args; ++i) conjunct(junction->args[i]);
      return;
    }
    const std::size_t before = pinned_.entries().size();
    condition(expression);
    const auto& entries = pinned_.entries();
    const bool known = entries.size() > before &&
                       std::all_of(entries.begin() + static_cast<std::ptrdiff_t>(before), entries.end(),
                                   [](const auto& added) { return !added.values.empty(); });
    if (expression != nullptr && !known && !is_true(expression)) pinned_.leaves_out();
  }

  /// Join conditions below `item` that restrict the relation. Returns whether the relation is in there.
  bool joins(const node* item) {
    pinned_.leaves_out();
    return joined(item);
  }

 private:
  // 1 = 1, as query builders write it.
  [[nodiscard]] static bool is_true(const node* expression) {
    const auto* comparison = as<PgQuery__AExpr>(expression);
    if (comparison == nullptr || comparison->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP ||
        !is_equals(*comparison))
      return false;
    const auto* left = as<PgQuery__AConst>(comparison->lexpr);
    const auto* right = as<PgQuery__AConst>(comparison->rexpr);
    return left != nullptr && right != nullptr && left->val_case == PG_QUERY__A__CONST__VAL_IVAL &&
           right->val_case == PG_QUERY__A__CONST__VAL_IVAL && left->ival->ival == right->ival->ival;
  }

  void condition(const node* expression) {
    if (const auto* comparison = as<PgQuery__AExpr>(expression)) {
      compare(*comparison);
    } else if (const auto* link = as<PgQuery__SubLink>(expression)) {
      // x IN (SELECT …) has no operator name; x = ANY (SELECT …) has "=".
      const bool equality =
          link->n_oper_name == 0 || string_of(link->oper_name[link->n_oper_name - 1]) == "=";
      if (link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK && equality)
        side(link->testexpr, pin::join);
    }
  }

  bool joined(const node* item) {
    if (const auto* sample = as<PgQuery__RangeTableSample>(item)) return joined(sample->relation);
    if (const auto* named = as<PgQuery__RangeVar>(item)) return named == of_.named;
    const auto* join = as<PgQuery__JoinExpr>(item);
    if (join == nullptr) return false;
    const bool left = joined(join->larg);
    const bool right = !left && joined(join->rarg);
    const auto type = join->jointype;
    const bool restricts = type == PG_QUERY__JOIN_TYPE__JOIN_INNER ||
                           (type == PG_QUERY__JOIN_TYPE__JOIN_LEFT && right) ||
                           (type == PG_QUERY__JOIN_TYPE__JOIN_RIGHT && left);
    if ((left || right) && restricts) {
      conjunct(join->quals);
      for (std::size_t i = 0; i < join->n_using_clause; ++i) {
        pinned_.add(string_of(join->using_clause[i]), pin::join);
      }
      if (join->is_natural) pinned_.add({}, pin::join);
    }
    return left || right;
  }

  void compare(const PgQuery__AExpr& comparison) {
    switch (comparison.kind) {
      case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        if (is_equals(comparison)) equal(comparison.lexpr, comparison.rexpr);
        break;
      case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
        // Matches any number of NULLs, even in a unique index.
        side(comparison.lexpr, std::min(value_of(comparison.rexpr), pin::list), one(comparison.rexpr), true);
        side(comparison.rexpr, std::min(value_of(comparison.lexpr), pin::list), one(comparison.lexpr), true);
        break;
      case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
        if (is_equals(comparison)) {
          side(comparison.lexpr, std::min(value_of(comparison.rexpr), pin::list),
               given_values_of(comparison.rexpr));
        }
        break;
      case PG_QUERY__A__EXPR__KIND__AEXPR_IN:  // NOT IN has the name "<>"
        if (is_equals(comparison)) in(comparison);
        break;
      default:
        break;
    }
  }

  void equal(const node* left, const node* right) {
    const auto* left_row = as<PgQuery__RowExpr>(left);
    const auto* right_row = as<PgQuery__RowExpr>(right);
    if (left_row != nullptr && right_row != nullptr && left_row->n_args == right_row->n_args) {
      for (std::size_t i = 0; i < left_row->n_args; ++i) equal(left_row->args[i], right_row->args[i]);
      pinned_.leaves_out();
      return;
    }
    side(left, value_of(right), one(right));
    side(right, value_of(left), one(left));
  }

  void in(const PgQuery__AExpr& comparison) {
    const auto* items = as<PgQuery__List>(comparison.rexpr);
    // IN (x) is = x, to PostgreSQL as well.
    const pin most = items != nullptr && items->n_items == 1 ? pin::value : pin::list;
    side(comparison.lexpr, std::min(value_of(comparison.rexpr), most), given_values_of(comparison.rexpr));
  }

  [[nodiscard]] static std::vector<given_value> one(const node* value) {
    std::vector<given_value> values;
    if (auto given = given_value_of(value)) values.push_back(std::move(*given));
    return values;
  }

  // How narrowly being equal to `value` pins: none if it has a column of the relation itself.
  [[nodiscard]] pin value_of(const node* value) const {
    pin how = pin::value;
    walk(value, [&](const message* found) {
      if (as<PgQuery__SubLink>(found) != nullptr) how = std::min(how, pin::join);
      if (const auto* column = as<PgQuery__ColumnRef>(found)) {
        how = std::min(how, pin::join);
        for (const auto& meant : resolve(*column, inside_)) {
          if (meant.of == &of_) how = pin::none;
        }
      }
      return true;
    });
    return how;
  }

  void side(const node* expression, pin how, std::vector<given_value> values = {}, bool or_null = false) {
    if (how == pin::none) return;
    if (const auto* row = as<PgQuery__RowExpr>(expression)) {
      for (std::size_t i = 0; i < row->n_args; ++i) side(row->args[i], how);
      return;
    }
    const auto* column = as<PgQuery__ColumnRef>(expression);
    if (column == nullptr) return;
    for (const auto& meant : resolve(*column, inside_)) {
      if (meant.of == &of_ && !meant.column.empty()) pinned_.add(meant.column, how, values, or_null);
    }
  }

  const relation& of_;
  const scope& inside_;
  pinned_columns& pinned_;
};

}  // namespace

void pinned_columns::add(std::string_view column, pin how, std::vector<given_value> values, bool or_null) {
  for (auto& known : columns_) {
    if (known.column != column) continue;
    if (how > known.how || known.values.empty()) {
      known.values = std::move(values);
      known.or_null = or_null;
    }
    known.how = std::max(known.how, how);
    says_all_ = false;  // two conditions for one column
    return;
  }
  columns_.push_back({std::string{column}, how, std::move(values), or_null});
}

bool pinned_columns::all(const std::vector<std::string>& columns, pin how) const noexcept {
  if (columns.empty()) return false;
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& wanted) {
    return std::any_of(columns_.begin(), columns_.end(),
                       [&](const entry& known) { return known.column == wanted && known.how >= how; });
  });
}

bool pins_unique(const pinned_columns& pinned, const guarded_table& guarded, pin how) {
  const auto& unique = guarded.table.unique_keys;
  // Without a catalog, the key is taken at its word.
  return (!guarded.table.complete && pinned.all(guarded.key, how)) ||
         pinned.all(guarded.table.primary_key, how) ||
         std::any_of(unique.begin(), unique.end(),
                     [&](const auto& columns) { return pinned.all(columns, how); });
}

bool pins_key(const pinned_columns& pinned, const guarded_table& guarded, pin how) {
  const auto& unique = guarded.table.unique_keys;
  return pinned.all(guarded.key, how) || pinned.all(guarded.table.primary_key, how) ||
         std::any_of(unique.begin(), unique.end(),
                     [&](const auto& columns) { return pinned.all(columns, how); });
}

pinned_columns pins_of(const relation& of, const scope& inside, const node* where, node* const* from,
                       std::size_t count) {
  pinned_columns pinned;
  pin_reader reader{of, inside, pinned};
  reader.conjunct(where);
  for (std::size_t i = 0; i < count; ++i) (void)reader.joins(from[i]);
  return pinned;
}

}  // namespace rules
