#include "rules/liftable.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "rules/statement_context.hpp"

// Why these places, and no others: analysis code looks at a constant's value where it stands alone under a
// sign, where an array is written as a string, and where it is compared with another constant (1 = 1); the
// grammar itself looks at it in the lengths of some types. Elsewhere only its kind counts, and that it is
// copied.

namespace rules {
namespace {

const node* behind_casts(const node* value) {
  while (const auto* cast = as<PgQuery__TypeCast>(value)) {
    if (cast->type_name == nullptr || cast->type_name->n_array_bounds > 0) return nullptr;
    value = cast->arg;
  }
  return value;
}

bool is_plain_operator(const PgQuery__AExpr& expression) {
  constexpr std::array<std::string_view, 13> plain{
      "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||"};
  if (expression.kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || expression.n_name != 1) return false;
  return std::find(plain.begin(), plain.end(), string_of(expression.name[0])) != plain.end();
}

bool is_arithmetic(const PgQuery__AExpr& expression) {
  constexpr std::string_view signs = "+-*/%";
  const auto name = string_of(expression.name[0]);
  return name.size() == 1 && signs.find(name.front()) != std::string_view::npos;
}

bool is_list_operator(const PgQuery__AExpr& expression) {
  return expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_IN ||
         expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN ||
         expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN;
}

bool is_constant(const node* value) {
  return as<PgQuery__AConst>(behind_casts(value)) != nullptr;
}

class place_reader {
 public:
  explicit place_reader(const std::vector<std::string>& values) : places_(values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) numbers_.emplace(values[i], i);
  }

  bool statement(const message* parsed) {
    known_ =
        known_ && (as<PgQuery__SelectStmt>(parsed) != nullptr || as<PgQuery__UpdateStmt>(parsed) != nullptr ||
                   as<PgQuery__InsertStmt>(parsed) != nullptr || as<PgQuery__DeleteStmt>(parsed) != nullptr ||
                   as<PgQuery__TransactionStmt>(parsed) != nullptr);
    walk(parsed, [&](const message* found) {
      visit(found);
      return known_;
    });
    return known_;
  }

  // The tree may show one literal in two places: then it is not known which one decides.
  [[nodiscard]] std::vector<bool> take() const {
    std::vector<bool> may(places_.size());
    for (std::size_t i = 0; known_ && i < may.size(); ++i)
      may[i] = places_[i].seen == 1 && places_[i].plain == 1;
    return may;
  }

 private:
  struct place {
    std::size_t seen = 0;
    std::size_t plain = 0;
  };

  void visit(const message* found) {
    if (const auto* constant = as<PgQuery__AConst>(found)) {
      if (auto* known = place_of(*constant)) ++known->seen;
    } else if (const auto* call = as<PgQuery__FuncCall>(found)) {
      known_ = known_ && !runs_text(*call);
    } else if (const auto* expression = as<PgQuery__AExpr>(found)) {
      operands(*expression);
    } else if (const auto* select = as<PgQuery__SelectStmt>(found)) {
      for (std::size_t i = 0; i < select->n_values_lists; ++i) items(select->values_lists[i]);
    } else if (const auto* update = as<PgQuery__UpdateStmt>(found)) {
      for (std::size_t i = 0; i < update->n_target_list; ++i) {
        const auto* target = as<PgQuery__ResTarget>(update->target_list[i]);
        if (target != nullptr) allow(target->val);
      }
    }
  }

  void operands(const PgQuery__AExpr& expression) {
    if (is_list_operator(expression)) return items(expression.rexpr);
    if (!is_plain_operator(expression) || expression.lexpr == nullptr || expression.rexpr == nullptr) return;
    const bool computes = is_arithmetic(expression);
    if (computes || !is_constant(expression.lexpr)) allow(expression.rexpr);
    if (computes || !is_constant(expression.rexpr)) allow(expression.lexpr);
  }

  void items(const node* list) {
    const auto* known = as<PgQuery__List>(list);
    for (std::size_t i = 0; known != nullptr && i < known->n_items; ++i) allow(known->items[i]);
  }

  void allow(const node* value) {
    const auto* constant = as<PgQuery__AConst>(behind_casts(value));
    if (constant == nullptr) return;
    if (auto* known = place_of(*constant)) ++known->plain;
  }

  // The grammar has put a number's sign to it.
  [[nodiscard]] place* place_of(const PgQuery__AConst& constant) {
    std::string text;
    switch (constant.val_case) {
      case PG_QUERY__A__CONST__VAL_IVAL:
        text = std::to_string(constant.ival->ival);
        break;
      case PG_QUERY__A__CONST__VAL_FVAL:
        text = text_of(constant.fval->fval);
        break;
      case PG_QUERY__A__CONST__VAL_SVAL:
        text = text_of(constant.sval->sval);
        break;
      default:
        return nullptr;
    }
    const bool sign = constant.val_case != PG_QUERY__A__CONST__VAL_SVAL && text.starts_with('-');
    const auto found = numbers_.find(text.substr(sign ? 1 : 0));
    return found == numbers_.end() ? nullptr : &places_[found->second];
  }

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<place> places_;
  bool known_ = true;
};

}  // namespace

std::vector<bool> liftable(const parse_tree& tree, const std::vector<std::string>& values) {
  place_reader reader{values};
  for (std::size_t i = 0; i < tree.root().n_stmts; ++i) {
    if (!reader.statement(content(tree.root().stmts[i]->stmt))) break;
  }
  return reader.take();
}

}  // namespace rules
