#include "proxy/session/script.hpp"

#include <algorithm>
#include <utility>

namespace proxy::session {
namespace {

const rules::plan& untouched() {
  static const rules::plan forward;
  return forward;
}

}  // namespace

const rules::plan& plan_for(const rules::statement& statement, const block_tracker& at) {
  const rules::plan& plan = at.now() == block::outside ? statement.autonomous : statement.in_block;
  // A read only reads. A write keeps its guard: if the transaction really is READ ONLY, PostgreSQL refuses
  // both.
  const bool only_reads = std::all_of(plan.preludes.begin(), plan.preludes.end(),
                                      [](const rules::prelude& guard) { return guard.before_bind; });
  if (plan.kind == rules::plan_kind::wrap && only_reads && at.read_only()) return untouched();
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

changed_text insert_into(std::string_view client_sql, const std::vector<rules::insertion>& insertions) {
  changed_text made;
  std::uint32_t from = 0;
  const auto copy_until = [&](std::uint32_t end) {
    made.copied.push_back({static_cast<std::uint32_t>(made.sql.size()), from, end - from});
    made.sql.append(client_sql.substr(from, end - from));
    from = end;
  };
  for (const rules::insertion& ours : insertions) {
    copy_until(ours.client_offset);
    made.placed.push_back(static_cast<std::uint32_t>(made.sql.size()));
    made.sql.append(ours.text);
  }
  copy_until(static_cast<std::uint32_t>(client_sql.size()));
  return made;
}

const rules::prelude* carried_by(const rules::plan& plan) {
  const auto found = std::find_if(plan.preludes.begin(), plan.preludes.end(),
                                  [](const rules::prelude& guard) { return !guard.insertions.empty(); });
  return found == plan.preludes.end() ? nullptr : &*found;
}

script compose_script(std::shared_ptr<const rules::analysis> analysed,
                      std::shared_ptr<const rules::rule_book> book, const chosen_plans& chosen,
                      clock::time_point now) {
  script made;
  std::vector<rules::insertion> all;          // hidden statements are insertions, too
  std::vector<const rules::prelude*> hidden;  // by insertion: the prelude that it is, or null
  for (std::size_t i = 0; i < analysed->statements.size(); ++i) {
    const rules::statement& statement = analysed->statements[i];
    const rules::plan& plan = *chosen.plans[i];
    const auto add_hidden = [&](std::string_view sql, hidden_run run) {
      all.push_back({statement.begin, std::string(sql) + ";\n"});
      hidden.push_back(run.guard);
      made.hidden.push_back(true);
      made.runs.emplace_back(std::move(run));
    };
    if (plan.kind == rules::plan_kind::reject) {
      add_hidden(raising_sql, {analysed, book, nullptr, refusal_of(plan, *book), now});
    }
    const rules::prelude* carried = nullptr;
    if (plan.kind == rules::plan_kind::wrap) {
      for (const rules::prelude& guard : plan.preludes) {
        add_hidden(guard.sql, {analysed, book, &guard, std::nullopt, now});
      }
      carried = carried_by(plan);
    }
    made.hidden.push_back(false);
    made.runs.emplace_back();
    if (carried == nullptr) continue;
    all.insert(all.end(), carried->insertions.begin(), carried->insertions.end());
    hidden.resize(all.size(), nullptr);
    made.runs.back() = hidden_run{analysed, book, carried, std::nullopt, now};
  }
  changed_text text = insert_into(analysed->text, all);
  made.sql = std::move(text.sql);
  made.copied = std::move(text.copied);
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    if (hidden[i] == nullptr) continue;
    for (rules::copied_text piece : hidden[i]->copied) {
      piece.prelude_offset += text.placed[i];
      made.copied.push_back(piece);
    }
  }
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
