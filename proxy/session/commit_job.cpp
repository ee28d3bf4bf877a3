#include "proxy/session/commit_job.hpp"

#include <algorithm>
#include <utility>

#include "proxy/session/filling.hpp"
#include "proxy/session/names_in_sql.hpp"
#include "proxy/session/script.hpp"

namespace proxy::session {
namespace {

bool add_prelude(const rules::prelude& guard, const watched_write* write, const parameter_source& from,
                 group_job& job) {
  parameter_list parameters;
  for (const std::uint16_t number : guard.parameters) {
    auto value = parameter(from, number);
    if (!value) return false;
    parameters.values.push_back(std::move(*value));
  }
  group_statement made;
  made.sql = guard.sql;
  made.hidden = true;
  if (!guard.holes.empty()) {
    filling with;
    if (write != nullptr) with = {write->decision.checks, write->decision.read};
    auto filled = fill(guard.sql, guard.holes, guard.copied, with, &parameters);
    if (!filled) return false;
    made.sql = std::move(filled->sql);
  }
  for (const bound_value& each : parameters.values) made.types.push_back(each.type);
  made.values = std::move(parameters.values);
  job.statements.push_back(std::move(made));
  return true;
}

bool add_preludes(const watch& on, const parameter_source& from, group_job& job) {
  if (on.plan->kind != rules::plan_kind::wrap) return true;
  for (std::size_t i = 0; i < on.plan->preludes.size(); ++i) {
    const watched_write* write = write_of(&on, i);
    if (is_idle(on.plan->preludes[i], write)) continue;
    if (!add_prelude(on.plan->preludes[i], write, from, job)) return false;
  }
  return true;
}

/// The client's text with the recorded values in it, as compose_script() writes it.
std::optional<std::string> rebased_text(const watch& on) {
  std::vector<rules::insertion> inside;
  for (const watched_write& write : on.writes) {
    filling with;
    if (write.decision.what == write_decision::type::rebase) with.read = write.decision.read;
    for (const rules::insertion& ours : write.note->rebase) {
      auto filled = fill(ours.text, ours.holes, {}, with, nullptr);
      if (!filled) return std::nullopt;
      inside.push_back({ours.client_offset, std::move(filled->sql)});
    }
  }
  if (inside.empty()) return on.kept->text;
  std::stable_sort(inside.begin(), inside.end(), [](const auto& one, const auto& other) {
    return one.client_offset < other.client_offset;
  });
  return insert_into(on.kept->text, inside).sql;
}

/// The recorded values that the statement's text was given parameters for.
void add_own(const prepared_statement& statement, const watch& on, group_statement& into) {
  for (const own_parameter& own : statement.own_parameters) {
    bound_value value;
    if (own.write < on.writes.size()) {
      const write_decision& decision = on.writes[own.write].decision;
      const bool known = decision.what == write_decision::type::rebase && own.column < decision.read.size();
      if (known && decision.read[own.column]) value = *decision.read[own.column];
    }
    into.values.push_back(std::move(value));
  }
}

bool is_validated(const watch& on) {
  return std::any_of(on.writes.begin(), on.writes.end(), [](const watched_write& write) {
    return write.decision.what == write_decision::type::validate;
  });
}

}  // namespace

bool may_join_group(const watch& on) {
  if (!on.plan->shares_commit || !on.reads.empty() || on.writes.size() != 1) return false;
  const watched_write& write = on.writes.front();
  if (write.rows.size() != 1 || !write.rows.front().by_key) return false;
  switch (write.decision.what) {
    case write_decision::type::rebase:
    case write_decision::type::validate:
      return true;
    case write_decision::type::pass:
      return write.note->kind != rules::statement_kind::absolute;
    default:
      return false;
  }
}

std::optional<group_job> job_of_query(const watch& on, std::string_view rest) {
  group_job job;
  job.goes_first = is_validated(on);
  if (!add_preludes(on, {}, job)) return std::nullopt;
  auto text = rebased_text(on);
  if (!text) return std::nullopt;
  group_statement own;
  own.sql = std::move(*text);
  own.sql.append(rest);
  own.describes = may_return_rows(on.kept->text);
  job.statements.push_back(std::move(own));
  return job;
}

std::optional<group_job> job_of_bind(const watch& on, const prepared_statement& statement,
                                     const protocol::frontend::bind_view& bind, bool describes) {
  group_job job;
  job.goes_first = is_validated(on);
  const parameter_source from{&bind, &statement.types};
  if (!add_preludes(on, from, job)) return std::nullopt;
  group_statement own;
  own.sql = statement.carried.plan != nullptr ? statement.sent.sql : statement.analysed->text;
  own.types = statement.types;
  for (std::size_t i = 0; i < bind.values.size(); ++i) {
    auto value = parameter(from, static_cast<std::uint16_t>(i + 1));
    if (!value) return std::nullopt;
    own.values.push_back(std::move(*value));
  }
  if (!statement.own_parameters.empty() && own.values.size() != statement.client_parameters)
    return std::nullopt;
  add_own(statement, on, own);
  for (const std::int16_t format : bind.result_formats) own.result_formats.push_back(format);
  own.describes = describes;
  job.statements.push_back(std::move(own));
  return job;
}

}  // namespace proxy::session
