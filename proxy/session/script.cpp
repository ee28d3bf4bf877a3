#include "proxy/session/script.hpp"

#include <utility>

namespace proxy::session {
namespace {

const rules::plan& untouched() {
  static const rules::plan forward;
  return forward;
}

void add_hidden(script& to, std::string_view sql, hidden_run run) {
  to.sql.append(sql).append(";\n");
  to.hidden.push_back(true);
  to.runs.emplace_back(std::move(run));
}

}  // namespace

const rules::plan& plan_for(const rules::statement& statement, const block_tracker& at) {
  const rules::plan& plan = at.now() == block::outside ? statement.autonomous : statement.in_block;
  // A write will be refused by PostgreSQL itself; a read only reads.
  if (plan.kind == rules::plan_kind::wrap && at.read_only()) return untouched();
  return plan;
}

chosen_plans choose_plans(const rules::analysis& analysed, block_tracker at_start) {
  chosen_plans chosen;
  for (const rules::statement& statement : analysed.statements) {
    const rules::plan& plan = plan_for(statement, at_start);
    chosen.plans.push_back(&plan);
    if (plan.kind != rules::plan_kind::forward) chosen.wrapped = true;
    at_start.statement_sent(statement.effect);
  }
  return chosen;
}

refusal refusal_of(const rules::plan& rejecting, const rules::rule_book& book) {
  refusal refused{.sqlstate = "42501",
                  .message = rejecting.refusal,
                  .detail = {},
                  .hint = {},
                  .rule = {},
                  .schema = {},
                  .table = {},
                  .column = {}};
  if (rejecting.touches.empty()) return refused;
  const rules::rule& rule = book.rules()[rejecting.touches.front().rule];
  refused.rule = rule.name;
  refused.schema = rule.schema;
  refused.table = rule.table;
  return refused;
}

script compose_script(std::shared_ptr<const rules::analysis> analysed,
                      std::shared_ptr<const rules::rule_book> book, const chosen_plans& chosen,
                      clock::time_point now) {
  script made;
  std::uint32_t copied_to = 0;  // of the client's text
  const auto copy_until = [&](std::uint32_t end) {
    const auto at = static_cast<std::uint32_t>(made.sql.size());
    made.copied.push_back({at, copied_to, end - copied_to});
    made.sql.append(analysed->text, copied_to, end - copied_to);
    copied_to = end;
  };
  for (std::size_t i = 0; i < analysed->statements.size(); ++i) {
    const rules::statement& statement = analysed->statements[i];
    const rules::plan& plan = *chosen.plans[i];
    if (plan.kind != rules::plan_kind::forward) copy_until(statement.begin);
    if (plan.kind == rules::plan_kind::reject) {
      add_hidden(made, raising_sql, {analysed, book, nullptr, refusal_of(plan, *book), now});
    }
    if (plan.kind == rules::plan_kind::wrap) {
      for (const rules::prelude& guard : plan.preludes) {
        // The server counts positions from the start of the whole string.
        const auto at = static_cast<std::uint32_t>(made.sql.size());
        for (const rules::copied_text& piece : guard.copied) {
          made.copied.push_back({at + piece.prelude_offset, piece.client_offset, piece.size});
        }
        add_hidden(made, guard.sql, {analysed, book, &guard, std::nullopt, now});
      }
    }
    made.hidden.push_back(false);
    made.runs.emplace_back(std::nullopt);
  }
  copy_until(static_cast<std::uint32_t>(analysed->text.size()));
  made.kept = std::move(analysed);
  return made;
}

std::optional<std::uint32_t> client_offset(const std::vector<rules::copied_text>& copied,
                                           std::uint32_t offset) {
  for (const rules::copied_text& piece : copied) {
    if (offset >= piece.prelude_offset && offset - piece.prelude_offset <= piece.size) {
      return piece.client_offset + (offset - piece.prelude_offset);
    }
  }
  return std::nullopt;
}

}  // namespace proxy::session
