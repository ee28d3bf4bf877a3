#include <algorithm>

#include "rules/classify_write.hpp"
#include "rules/given_values.hpp"
#include "rules/insertion_sql.hpp"
#include "rules/named_rows.hpp"
#include "rules/prelude_sql.hpp"
#include "rules/statement_context.hpp"
#include "rules/value_text.hpp"
#include "rules/written_rows.hpp"

namespace rules {
namespace {

struct assignment {
  std::size_t index = 0;     // in the target list
  std::uint16_t column = 0;  // index into the rule's columns
  std::string_view name;
  const node* value = nullptr;
  bool whole = true;  // the column itself, not a field or element of it
  statement_kind kind = statement_kind::computed;
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
    if (target == nullptr) continue;
    const auto name = text_of(target->name);
    const auto place = std::find(guarding.columns.begin(), guarding.columns.end(), name);
    if (place == guarding.columns.end()) continue;
    const auto column = static_cast<std::uint16_t>(place - guarding.columns.begin());
    found.push_back({i, column, name, value_of(*target), target->n_indirection == 0});
  }
  return found;
}

bool assigns_key(const PgQuery__UpdateStmt& update, const guarded_table& guarded) {
  return std::any_of(update.target_list, update.target_list + update.n_target_list, [&](const node* item) {
    const auto* target = as<PgQuery__ResTarget>(item);
    return target != nullptr && contains(guarded.key, text_of(target->name));
  });
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

// Types whose differences are exact.
bool is_exact(const column& assigned) {
  return number_type_of(assigned) == number_type::integer || assigned.type_oid == 1700;
}

// A constant or parameter that takes its type from where it stands.
bool is_untyped(const node* value) {
  const auto* constant = as<PgQuery__AConst>(value);
  if (constant != nullptr) return constant->val_case != PG_QUERY__A__CONST__VAL_BOOLVAL;
  return as<PgQuery__ParamRef>(value) != nullptr;
}

class update_planner {
 public:
  update_planner(const statement_context& context, const PgQuery__UpdateStmt& update, plan& both)
      : context_{context},
        update_{update},
        both_{both},
        rows_{context, *update.relation, update.where_clause, update.from_clause, update.n_from_clause},
        text_{find_update(context.text, context.tokens, update)} {}

  void run() {
    for (const auto& guarding : rows_.target_relation().targets) plan_rule(guarding);
  }

 private:
  void plan_rule(const target& guarding) {
    const rule& configured = context_.book.rules[guarding.rule];
    if (configured.columns.empty()) return;
    auto assigned = guarded_assignments(update_, configured);
    if (guarding.defect) return count(guarding, statement_kind::other, *guarding.defect);
    if (assigned.empty()) return returning(guarding, configured);

    const bool repeatable = classify(assigned);
    const auto kind = kind_of(assigned);
    // A WITH can hide or change what the names mean.
    if (update_.with_clause != nullptr || has_current_of(update_)) {
      const auto reason = update_.with_clause != nullptr ? unguarded_reason::cte : unguarded_reason::cursor;
      count(guarding, statement_kind::other, reason);
      return add_notes(both_, with_values(notes_of_any_row(guarding, kind), guarding, assigned, false), -1);
    }
    auto notes =
        with_values(rows_.notes(guarding, kind), guarding, assigned, !assigns_key(update_, *guarding.table));
    const bool compared = compares_itself(configured, assigned);
    for (auto& note : notes) note.compares = compared;
    if (!repeatable) {
      count(guarding, kind, unguarded_reason::expression);
      return add_notes(both_, std::move(notes), -1);
    }
    guard_rows(guarding, configured, assigned, std::move(notes));
  }

  void guard_rows(const target& guarding, const rule& configured, const std::vector<assignment>& assigned,
                  std::vector<write_note> notes) {
    const auto kind = kind_of(assigned);
    const bool bounded = configured.min || configured.max;
    const bool one_row = rows_.one_row(guarding);
    const bool compared = compares_itself(configured, assigned);
    const bool validates = kind != statement_kind::relative && !compared;
    touch counted;
    counted.rule = guarding.rule;
    counted.kind = kind;
    if (!bounded && one_row && !validates) {
      add_touch(both_, counted);
      return add_notes(both_, std::move(notes), -1);
    }
    auto request = request_for(guarding, configured, assigned, validates);
    if (!request) {
      count(guarding, kind, unguarded_reason::shape);
      return add_notes(both_, std::move(notes), -1);
    }
    prelude made = write_prelude(context_.text, *request);
    made.only_with_checks = one_row && !bounded;
    made.tells_gone = validates && rows_.tells_gone(guarding, *request);
    const bool carries = bounded && must_carry(one_row);
    if (carries && !is_taken(*request)) made.insertions = write_insertions(context_.text, *request);
    if (rebases(*request)) {
      for (auto& note : notes) note.rebase = write_rebase(context_.text, *request, carries);
    } else if (carries && made.insertions.empty()) {
      // Its rows are checked as far as the prelude sees them, and no further.
      count(guarding, kind, unguarded_reason::shape);
    }
    counted.action = bounded   ? statement_action::check
                     : one_row ? statement_action::forward
                               : statement_action::lock;
    add_touch(both_, counted);
    const auto index = add_prelude(both_, std::move(made));
    add_notes(both_, std::move(notes), validates ? index : std::int16_t{-1});
  }

  void count(const target& guarding, statement_kind kind, unguarded_reason reason) {
    add_touch(both_, unguarded(guarding.rule, kind, reason));
  }

  // The UPDATE itself locks the rows whose guarded columns it returns.
  void returning(const target& guarding, const rule& configured) {
    bool reads = false;
    walk_all(update_.returning_list, update_.n_returning_list, [&](const message* found) {
      if (const auto* column = as<PgQuery__ColumnRef>(found)) {
        for (const auto& meant : resolve(*column, rows_.inside())) {
          reads = reads || (meant.of == &rows_.target_relation() && reaches_guarded(meant, configured));
        }
      }
      return true;
    });
    if (!reads) return;
    touch counted;
    counted.rule = guarding.rule;
    counted.kind = statement_kind::read;
    add_touch(both_, counted);
    for (const auto& note : rows_.notes(guarding, statement_kind::read)) {
      const bool twice = !rows_.alone();  // FROM may bring the same table again
      both_.reads.push_back({note.relation, note.rows, twice, true});
    }
  }

  // Whether all values are the same when they are computed twice.
  [[nodiscard]] bool classify(std::vector<assignment>& assigned) const {
    bool repeatable = true;
    for (auto& item : assigned) {
      const auto found =
          classify_value(context_.book, item.value, item.name, rows_.target_relation(), rows_.inside());
      repeatable = repeatable && found.repeatable && item.whole;
      item.kind = found.kind;
    }
    return repeatable;
  }

  // The kind that needs most care: absolute before computed before relative.
  [[nodiscard]] static statement_kind kind_of(const std::vector<assignment>& assigned) {
    const auto has = [&](statement_kind kind) {
      return std::any_of(assigned.begin(), assigned.end(),
                         [kind](const assignment& item) { return item.kind == kind; });
    };
    if (has(statement_kind::absolute)) return statement_kind::absolute;
    return has(statement_kind::computed) ? statement_kind::computed : statement_kind::relative;
  }

  [[nodiscard]] std::vector<write_note> with_values(std::vector<write_note> notes, const target& guarding,
                                                    const std::vector<assignment>& assigned,
                                                    bool certain) const {
    for (const auto& item : assigned) {
      assigned_value value{item.column, item.kind, {}};
      const auto* known = find_column(guarding.table->table, item.name);
      if (certain && text_ && known != nullptr && item.whole && item.kind != statement_kind::computed)
        value.value = value_expression(context_.text, text_->values[item.index], item.value, known->type);
      for (auto& note : notes) note.values.push_back(value);
    }
    return notes;
  }

  // A version, or every guarded column that it assigns.
  [[nodiscard]] bool compares_itself(const rule& configured, const std::vector<assignment>& assigned) const {
    const auto compared = [&](std::string_view column) { return compares(rows_.pinned(), column); };
    return std::any_of(configured.version.begin(), configured.version.end(), compared) ||
           std::all_of(assigned.begin(), assigned.end(),
                       [&](const assignment& item) { return compared(item.name); });
  }

  // Whether the statement can update a row, or compute a value, that its prelude has not seen: its snapshot
  // is newer, and only a row pinned by key, on nothing but its own columns, is held still by the lock.
  [[nodiscard]] bool must_carry(bool one_row) const {
    if (!one_row || update_.n_from_clause > 0) return true;
    bool open = false;
    auto look = [&](const message* found) {
      open = open || as<PgQuery__FuncCall>(found) != nullptr || as<PgQuery__SubLink>(found) != nullptr;
      return !open;
    };
    walk(content(update_.where_clause), look);
    walk_all(update_.target_list, update_.n_target_list, look);
    return open;
  }

  [[nodiscard]] std::optional<prelude_request> request_for(const target& guarding, const rule& configured,
                                                           const std::vector<assignment>& assigned,
                                                           bool validates) const {
    if (!text_) return std::nullopt;
    auto request = rows_.request(guarding, text_->relation, text_->from, text_->where);
    if (!request) return std::nullopt;
    request->validates = validates;
    for (const auto& item : assigned) {
      new_value value;
      value.assigned = find_column(guarding.table->table, item.name);
      value.place = item.column;
      value.expression = text_->values[item.index];
      value.checks = bounds_of(configured, item.name);
      value.untyped = is_untyped(item.value);
      if (value.assigned == nullptr || value.expression.empty()) {
        if (value.checks.empty()) continue;
        return std::nullopt;
      }
      request->values.push_back(std::move(value));
    }
    if (validates && guarding.one_schema && configured.strategy == strategy::escrow)
      mark_rebased(*request, assigned);
    return request;
  }

  // All of the client's own values, or none: what is not rebased is validated.
  void mark_rebased(prelude_request& request, const std::vector<assignment>& assigned) const {
    if (request.values.size() != assigned.size() || is_taken(request)) return;
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      const bool fits = is_exact(*request.values[i].assigned) && is_number(assigned[i].value);
      if (assigned[i].kind == statement_kind::absolute && !fits) return;
    }
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      request.values[i].rebased = assigned[i].kind == statement_kind::absolute;
    }
  }

  [[nodiscard]] static bool rebases(const prelude_request& request) {
    return std::any_of(request.values.begin(), request.values.end(),
                       [](const new_value& value) { return value.rebased; });
  }

  // Another rule's text already stands around a value.
  [[nodiscard]] bool is_taken(const prelude_request& request) const {
    const auto& tokens = context_.text.tokens();
    const auto here = [&](const insertion& known) {
      return std::any_of(request.values.begin(), request.values.end(), [&](const new_value& value) {
        return tokens[value.expression.first].begin == known.client_offset;
      });
    };
    const auto holds = [&](std::uint16_t rule, const std::vector<insertion>& known) {
      return context_.book.rules[rule].mode == mode::enforce && std::any_of(known.begin(), known.end(), here);
    };
    return std::any_of(both_.preludes.begin(), both_.preludes.end(),
                       [&](const prelude& other) { return holds(other.rule, other.insertions); }) ||
           std::any_of(both_.writes.begin(), both_.writes.end(), [&](const write_note& other) {
             return holds(context_.book.relations[other.relation].rule, other.rebase);
           });
  }

  const statement_context& context_;
  const PgQuery__UpdateStmt& update_;
  plan& both_;
  written_rows rows_;
  std::optional<update_text> text_;
};

}  // namespace

void plan_update(const statement_context& context, const PgQuery__UpdateStmt& update, plan& both) {
  if (update.relation != nullptr) update_planner{context, update, both}.run();
}

}  // namespace rules
