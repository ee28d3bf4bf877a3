#include "proxy/session/script.hpp"

#include <algorithm>
#include <utility>

namespace proxy::session {

const rules::plan& plan_for(const rules::statement& statement, const block_tracker& at) {
  const rules::plan& plan = at.now() == block::outside ? statement.autonomous : statement.in_block;
  // A read only reads. A write keeps its guard: if the transaction really is READ ONLY, PostgreSQL refuses
  // both.
  const bool only_reads = std::all_of(plan.preludes.begin(), plan.preludes.end(),
                                      [](const rules::prelude& guard) { return guard.before_bind; });
  // What it is told stays on record: the write may come in the next transaction.
  if (plan.kind == rules::plan_kind::wrap && only_reads && at.read_only()) return statement.autonomous;
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

const watched_write* write_of(const watch* watched, std::size_t prelude) {
  if (watched == nullptr) return nullptr;
  for (const watched_write& write : watched->writes) {
    if (write.note->prelude == static_cast<std::int16_t>(prelude)) return &write;
  }
  return nullptr;
}

bool is_idle(const rules::prelude& guard, const watched_write* write) {
  return guard.only_with_checks &&
         (write == nullptr || write->decision.what != write_decision::type::validate);
}

bool has_preludes(const rules::plan& plan, bool before_bind) {
  return plan.kind == rules::plan_kind::wrap &&
         std::any_of(plan.preludes.begin(), plan.preludes.end(),
                     [&](const rules::prelude& guard) { return guard.before_bind == before_bind; });
}

namespace {

class script_writer {
 public:
  explicit script_writer(script_request request) : request_(std::move(request)) {}

  std::optional<script> write() {
    const auto& statements = request_.analysed->statements;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (!add(statements[i], *request_.chosen.plans[i], request_.watches[i])) return std::nullopt;
    }
    changed_text text = insert_into(request_.analysed->text, all_);
    made_.sql = std::move(text.sql);
    made_.sql.append(request_.rest);
    made_.copied = std::move(text.copied);
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      for (rules::copied_text piece : hidden_[i]) {
        piece.prelude_offset += text.placed[i];
        made_.copied.push_back(piece);
      }
    }
    made_.kept = std::move(request_.analysed);
    return std::move(made_);
  }

 private:
  bool add(const rules::statement& statement, const rules::plan& plan, watch_ptr& watched) {
    if (plan.kind == rules::plan_kind::reject) {
      add_hidden(statement, raising_sql, {}, run_of(nullptr, refusal_of(plan, *request_.book), plan));
    }
    const watch* seen = watched.get();
    std::vector<rules::insertion> inside;
    if (plan.kind == rules::plan_kind::wrap && !add_preludes(statement, plan, seen, inside)) return false;
    if (!add_rebased(seen, inside)) return false;
    made_.hidden.push_back(false);
    made_.runs.emplace_back();
    if (!inside.empty()) {
      made_.runs.back() = run_of(nullptr, std::nullopt, plan);
      if (seen != nullptr) {
        for (const watched_write& write : seen->writes) {
          for (const named_row& row : write.rows) made_.runs.back()->rows.push_back(row.id);
        }
      }
      std::stable_sort(inside.begin(), inside.end(), [](const auto& one, const auto& other) {
        return one.client_offset < other.client_offset;
      });
      all_.insert(all_.end(), inside.begin(), inside.end());
      hidden_.resize(all_.size());
    }
    made_.watches.resize(made_.hidden.size());
    made_.watches.back() = std::move(watched);
    return true;
  }

  [[nodiscard]] hidden_run run_of(const rules::prelude* guard, std::optional<refusal> refused,
                                  const rules::plan& plan) const {
    hidden_run run{request_.analysed, request_.book, guard, std::move(refused), request_.now};
    run.plan = &plan;
    return run;
  }

  void add_hidden(const rules::statement& statement, std::string sql, std::vector<rules::copied_text> copied,
                  hidden_run run) {
    sql += ";\n";
    all_.push_back({statement.begin, std::move(sql)});
    hidden_.push_back(std::move(copied));
    made_.hidden.push_back(true);
    made_.runs.emplace_back(std::move(run));
  }

  bool add_preludes(const rules::statement& statement, const rules::plan& plan, const watch* seen,
                    std::vector<rules::insertion>& inside) {
    for (std::size_t i = 0; i < plan.preludes.size(); ++i) {
      const rules::prelude& guard = plan.preludes[i];
      const watched_write* write = write_of(seen, i);
      inside.insert(inside.end(), guard.insertions.begin(), guard.insertions.end());
      if (is_idle(guard, write)) continue;
      filling with;
      if (write != nullptr) with = {write->decision.checks, write->decision.read};
      auto filled = fill(guard.sql, guard.holes, guard.copied, with, nullptr);
      if (!filled) return false;
      hidden_run run = run_of(&guard, std::nullopt, plan);
      if (write != nullptr) {
        for (const named_row& row : write->rows) run.rows.push_back(row.id);
      }
      add_hidden(statement, std::move(filled->sql), std::move(filled->copied), std::move(run));
    }
    return true;
  }

  /// Also where nothing is on record: the bounds that the statement carries may be in it.
  bool add_rebased(const watch* seen, std::vector<rules::insertion>& inside) const {
    if (seen == nullptr) return true;
    for (const watched_write& write : seen->writes) {
      const rules::rule& rule = request_.book->rules()[request_.book->relations()[write.note->relation].rule];
      if (rule.mode != rules::mode::enforce) continue;
      filling with;
      if (write.decision.what == write_decision::type::rebase) with.read = write.decision.read;
      for (const rules::insertion& ours : write.note->rebase) {
        auto filled = fill(ours.text, ours.holes, {}, with, nullptr);
        if (!filled) return false;
        inside.push_back({ours.client_offset, std::move(filled->sql)});
      }
    }
    return true;
  }

  script_request request_;
  script made_;
  std::vector<rules::insertion> all_;                    // hidden statements are insertions, too
  std::vector<std::vector<rules::copied_text>> hidden_;  // by insertion: of the prelude that it is
};

}  // namespace

std::optional<script> compose_script(script_request request) {
  return script_writer{std::move(request)}.write();
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
