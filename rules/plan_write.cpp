#include <algorithm>

#include "rules/classify_write.hpp"
#include "rules/conjuncts.hpp"
#include "rules/pins.hpp"
#include "rules/prelude_sql.hpp"
#include "rules/statement_context.hpp"

namespace rules {
namespace {

struct assignment {
  std::size_t index = 0;  // in the target list
  std::string_view column;
  const node* value = nullptr;
  bool whole = true;  // the column itself, not a field or element of it
};

// Sub-selects and functions on the right of (a, b) = … give no single value; MultiAssignRef stands for it.
const node* value_of(const PgQuery__ResTarget& target) {
  const auto* part = as<PgQuery__MultiAssignRef>(target.val);
  const auto* row = part == nullptr ? nullptr : as<PgQuery__RowExpr>(part->source);
  if (row == nullptr || part->colno < 1 || static_cast<std::size_t>(part->colno) > row->n_args)
    return target.val;
  return row->args[part->colno - 1];
}

std::vector<assignment> guarded_assignments(const PgQuery__UpdateStmt& update, const rule& guarding) {
  std::vector<assignment> found;
  for (std::size_t i = 0; i < update.n_target_list; ++i) {
    const auto* target = as<PgQuery__ResTarget>(update.target_list[i]);
    if (target == nullptr || !contains(guarding.columns, text_of(target->name))) continue;
    found.push_back({i, text_of(target->name), value_of(*target), target->n_indirection == 0});
  }
  return found;
}

std::vector<bound_check> bounds_of(const rule& guarding, std::string_view column) {
  std::vector<bound_check> checks;
  if (guarding.min) checks.push_back({std::string{column}, true, *guarding.min});
  if (guarding.max) checks.push_back({std::string{column}, false, *guarding.max});
  return checks;
}

bool has_current_of(const PgQuery__UpdateStmt& update) {
  return as<PgQuery__CurrentOfExpr>(update.where_clause);
}

class update_planner {
 public:
  update_planner(const statement_context& context, const PgQuery__UpdateStmt& update, plan& both)
      : context_{context}, update_{update}, both_{both} {
    add_relation(inside_, context.book, *update.relation, false);
    scope others = make_scope(context.book, update.from_clause, update.n_from_clause, nullptr, nullptr);
    for (auto& other : others.relations) inside_.relations.push_back(std::move(other));
  }

  void run() {
    // A WITH can hide or change what the names mean.
    for (const auto& guarding : inside_.relations.front().targets) plan_rule(guarding);
  }

 private:
  void plan_rule(const target& guarding) {
    const rule& configured = context_.book.rules[guarding.rule];
    const auto assigned = guarded_assignments(update_, configured);
    if (guarding.defect) return count(guarding, statement_kind::other, *guarding.defect);
    if (assigned.empty()) return returning(guarding, configured);

    const auto kind = kind_of(assigned);
    if (update_.with_clause != nullptr) return count(guarding, statement_kind::other, unguarded_reason::cte);
    if (has_current_of(update_)) return count(guarding, statement_kind::other, unguarded_reason::cursor);
    if (!repeatable_) return count(guarding, kind, unguarded_reason::expression);

    const bool bounded = configured.min || configured.max;
    touch counted;
    counted.rule = guarding.rule;
    counted.kind = kind;
    if (!bounded && one_row(guarding)) return add_touch(both_, counted);
    auto made = prelude_for(guarding, configured, assigned);
    if (!made) return count(guarding, kind, unguarded_reason::shape);
    // Its rows are checked as far as the prelude sees them, and no further.
    if (bounded && must_carry(guarding) && made->insertions.empty())
      count(guarding, kind, unguarded_reason::shape);
    counted.action = bounded ? statement_action::check : statement_action::lock;
    add_touch(both_, counted);
    add_prelude(both_, std::move(*made));
  }

  void count(const target& guarding, statement_kind kind, unguarded_reason reason) {
    add_touch(both_, unguarded(guarding.rule, kind, reason));
  }

  // The UPDATE itself locks the rows whose guarded columns it returns.
  void returning(const target& guarding, const rule& configured) {
    bool reads = false;
    walk_all(update_.returning_list, update_.n_returning_list, [&](const message* found) {
      if (const auto* column = as<PgQuery__ColumnRef>(found)) {
        for (const auto& meant : resolve(*column, inside_)) {
          reads = reads || (meant.of == &inside_.relations.front() && reaches_guarded(meant, configured));
        }
      }
      return true;
    });
    touch counted;
    counted.rule = guarding.rule;
    counted.kind = statement_kind::read;
    if (reads) add_touch(both_, counted);
  }

  // The kind that needs most care: absolute before computed before relative.
  statement_kind kind_of(const std::vector<assignment>& assigned) {
    repeatable_ = true;
    bool absolute = false;
    bool computed = false;
    for (const auto& item : assigned) {
      const auto found =
          classify_value(context_.book, item.value, item.column, inside_.relations.front(), inside_);
      repeatable_ = repeatable_ && found.repeatable && item.whole;
      absolute = absolute || found.kind == statement_kind::absolute;
      computed = computed || found.kind == statement_kind::computed;
    }
    if (absolute) return statement_kind::absolute;
    return computed ? statement_kind::computed : statement_kind::relative;
  }

  [[nodiscard]] bool one_row(const target& guarding) const {
    const auto pinned = pins_of(inside_.relations.front(), inside_, update_.where_clause, nullptr, 0);
    return pins_unique(pinned, *guarding.table, pin::value);
  }

  // Whether the statement can update a row, or compute a value, that its prelude has not seen: its snapshot
  // is newer, and only a row pinned by key, on nothing but its own columns, is held still by the lock.
  [[nodiscard]] bool must_carry(const target& guarding) const {
    if (!one_row(guarding) || update_.n_from_clause > 0) return true;
    bool open = false;
    auto look = [&](const message* found) {
      open = open || as<PgQuery__FuncCall>(found) != nullptr || as<PgQuery__SubLink>(found) != nullptr;
      return !open;
    };
    walk(content(update_.where_clause), look);
    walk_all(update_.target_list, update_.n_target_list, look);
    return open;
  }

  [[nodiscard]] std::optional<prelude> prelude_for(const target& guarding, const rule& configured,
                                                   const std::vector<assignment>& assigned) const {
    const auto text = find_update(context_.text, context_.tokens, update_);
    if (!text || calls_volatile(context_.book, content(update_.where_clause)) ||
        calls_volatile(context_.book, update_.from_clause, update_.n_from_clause) || has_twin()) {
      return std::nullopt;
    }
    prelude_request request;
    request.rule_index = guarding.rule;
    request.configured = &configured;
    request.guarded = guarding.table;
    request.one_schema = guarding.one_schema;
    request.write = true;
    request.log_values = context_.book.log_values;
    row_source rows;
    rows.alias = inside_.relations.front().alias;
    rows.relation = text->relation;
    rows.from = text->from;
    rows.where = text->where;
    if (inside_.relations.size() == 1) {
      rows.key_conditions = key_conditions(context_.text, text->where, update_.where_clause,
                                           inside_.relations.front(), inside_, *guarding.table);
      // The whole condition is the key's: nothing is left to hold besides.
      if (is_key_alone(rows)) rows.key_conditions.clear();
    }
    request.sources.push_back(std::move(rows));
    for (const auto& item : assigned) {
      auto checks = bounds_of(configured, item.column);
      if (checks.empty()) continue;
      new_value value;
      value.assigned = find_column(guarding.table->table, item.column);
      value.expression = text->values[item.index];
      value.checks = std::move(checks);
      value.untyped =
          as<PgQuery__ParamRef>(item.value) != nullptr || as<PgQuery__AConst>(item.value) != nullptr;
      if (value.assigned == nullptr || value.expression.empty()) return std::nullopt;
      request.values.push_back(std::move(value));
    }
    prelude made = write_prelude(context_.text, request);
    // One rule's markers only: a second one's could not be told from them.
    const bool carried = std::any_of(both_.preludes.begin(), both_.preludes.end(),
                                     [](const prelude& other) { return !other.insertions.empty(); });
    if (must_carry(guarding) && !carried) made.insertions = write_insertions(context_.text, request);
    return made;
  }

  static bool is_key_alone(const row_source& rows) {
    if (rows.key_conditions.empty()) return false;
    std::size_t tokens = rows.key_conditions.size() - 1;  // the ANDs
    for (const auto& each : rows.key_conditions) tokens += each.last - each.first;
    return tokens == rows.where.last - rows.where.first;
  }

  [[nodiscard]] bool has_twin() const {
    const auto& all = inside_.relations;
    return std::any_of(all.begin() + 1, all.end(),
                       [&](const relation& other) { return other.alias == all.front().alias; });
  }

  const statement_context& context_;
  const PgQuery__UpdateStmt& update_;
  plan& both_;
  scope inside_;
  bool repeatable_ = true;
};

}  // namespace

void plan_update(const statement_context& context, const PgQuery__UpdateStmt& update, plan& both) {
  if (update.relation != nullptr) update_planner{context, update, both}.run();
}

}  // namespace rules
