#include <algorithm>

#include "rules/named_rows.hpp"
#include "rules/prelude_sql.hpp"
#include "rules/statement_context.hpp"
#include "rules/written_rows.hpp"

namespace rules {
namespace {

class delete_planner {
 public:
  delete_planner(const statement_context& context, const PgQuery__DeleteStmt& removal, plan& both)
      : context_{context},
        removal_{removal},
        both_{both},
        rows_{context, *removal.relation, removal.where_clause, removal.using_clause,
              removal.n_using_clause} {}

  void run() {
    for (const auto& guarding : rows_.target_relation().targets) plan_rule(guarding);
  }

 private:
  void plan_rule(const target& guarding) {
    const rule& configured = context_.book.rules[guarding.rule];
    if (configured.columns.empty()) return;
    if (guarding.defect) {
      const bool view = guarding.defect == unguarded_reason::view;
      return count(guarding, statement_kind::other,
                   view ? unguarded_reason::view : unguarded_reason::delete_);
    }
    // A WITH can hide or change what the names mean.
    if (removal_.with_clause != nullptr || as<PgQuery__CurrentOfExpr>(removal_.where_clause) != nullptr) {
      const auto reason = removal_.with_clause != nullptr ? unguarded_reason::cte : unguarded_reason::cursor;
      count(guarding, statement_kind::other, reason);
      return add_all(notes_of_any_row(guarding, statement_kind::absolute), -1);
    }
    auto notes = rows_.notes(guarding, statement_kind::absolute);
    const bool compared = compares_itself(configured);
    for (auto& note : notes) note.compares = compared;
    guard_rows(guarding, std::move(notes), compared);
  }

  void guard_rows(const target& guarding, std::vector<write_note> notes, bool compared) {
    const bool one_row = rows_.one_row(guarding);
    touch counted;
    counted.rule = guarding.rule;
    counted.kind = statement_kind::absolute;
    if (one_row && compared) {
      add_touch(both_, counted);
      return add_all(std::move(notes), -1);
    }
    if (guarding.table->unprivileged) {
      count(guarding, counted.kind, unguarded_reason::privilege);
      return add_all(std::move(notes), -1);
    }
    const auto text = find_delete(context_.text, context_.tokens, removal_);
    auto request = text ? rows_.request(guarding, text->relation, text->others, text->where) : std::nullopt;
    if (!request) {
      count(guarding, counted.kind, unguarded_reason::delete_);
      return add_all(std::move(notes), -1);
    }
    request->removes = true;
    request->validates = !compared;
    prelude made = write_prelude(context_.text, *request);
    made.only_with_checks = one_row;
    made.tells_gone = request->validates && rows_.tells_gone(guarding, *request);
    counted.action = one_row ? statement_action::forward : statement_action::lock;
    add_touch(both_, counted);
    const auto index = add_prelude(both_, std::move(made));
    add_all(std::move(notes), compared ? std::int16_t{-1} : index);
  }

  [[nodiscard]] bool compares_itself(const rule& configured) const {
    const auto compared = [&](std::string_view column) { return compares(rows_.pinned(), column); };
    return std::any_of(configured.version.begin(), configured.version.end(), compared) ||
           std::all_of(configured.columns.begin(), configured.columns.end(), compared);
  }

  void add_all(std::vector<write_note> notes, std::int16_t prelude) {
    for (auto& note : notes) note.removes = true;
    add_notes(both_, std::move(notes), prelude);
  }

  void count(const target& guarding, statement_kind kind, unguarded_reason reason) {
    add_touch(both_, unguarded(guarding.rule, kind, reason));
  }

  const statement_context& context_;
  const PgQuery__DeleteStmt& removal_;
  plan& both_;
  written_rows rows_;
};

}  // namespace

void plan_delete(const statement_context& context, const PgQuery__DeleteStmt& removal, plan& both) {
  if (removal.relation != nullptr) delete_planner{context, removal, both}.run();
}

}  // namespace rules
