#include "proxy/ops/explain_command.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string_view>

#include "proxy/ops/catalog_query.hpp"
#include "proxy/ops/conninfo.hpp"
#include "proxy/ops/setting_values.hpp"
#include "proxy/ops/settings.hpp"
#include "rules/rule_book.hpp"

namespace proxy::ops {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

void print_indented(std::string_view text, std::string_view indent, std::ostream& out) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    out << indent << line << '\n';
  }
}

// Whether the next statement is inside a block.
bool in_block_after(rules::block_effect effect, bool in_block) {
  switch (effect) {
    case rules::block_effect::begin:
    case rules::block_effect::begin_read_only:
    case rules::block_effect::begin_read_write:
      return true;
    case rules::block_effect::end:
      return false;
    default:
      return in_block;
  }
}

void print_rules(const rules::plan& plan, const rules::rule_book& book, std::ostream& out) {
  for (const auto& touch : plan.touches) {
    const auto& rule = book.rules().at(touch.rule);
    out << "  rule " << rule.name << " guards " << display_name(rule.table) << ": " << name(touch.kind)
        << ", " << name(touch.action);
    if (touch.unguarded) out << ", not guarded (" << name(touch.reason) << ")";
    out << '\n';
  }
  if (plan.touches.empty()) out << "  no rule\n";
}

// What travels; the hidden SQL itself stands in the plan below.
void print_sent(const rules::plan& plan, std::ostream& out) {
  out << "  sent to the server: ";
  if (plan.kind == rules::plan_kind::reject) {
    out << "nothing; the client gets 42501\n";
    return;
  }
  const auto conditional = std::count_if(plan.preludes.begin(), plan.preludes.end(),
                                         [](const auto& prelude) { return prelude.only_with_checks; });
  const auto hidden = static_cast<std::ptrdiff_t>(plan.preludes.size()) - conditional;
  const bool carries = std::any_of(plan.preludes.begin(), plan.preludes.end(),
                                   [](const auto& prelude) { return !prelude.insertions.empty(); });
  const bool rebased = plan.kind == rules::plan_kind::wrap &&
                       std::any_of(plan.writes.begin(), plan.writes.end(),
                                   [](const auto& write) { return !write.rebase.empty(); });
  if (hidden == 0) {
    out << "the client's statement" << (rebased ? "" : ", unchanged") << '\n';
  } else {
    out << hidden << (hidden == 1 ? " hidden statement" : " hidden statements")
        << ", then the client's statement" << (carries ? ", which checks its new values itself" : "")
        << (carries || rebased ? "" : ", unchanged") << "; in one transaction and one network write\n";
  }
  if (conditional > 0) {
    out << "  where the row is on record: a hidden statement first compares it with what was read (40001)\n";
  } else if (std::any_of(plan.writes.begin(), plan.writes.end(),
                         [](const auto& write) { return write.prelude >= 0; })) {
    out << "  where the row is on record: the hidden statement also compares it with what was read (40001)\n";
  }
  if (plan.shares_commit)
    out << "  while others write the row: it waits, and shares a commit with those that wait with it\n";
  if (rebased)
    out << "  where exactly one read is on record: the new value is put on the newest one instead\n";
}

// Rules that this user never meets would make the answer puzzling.
void print_left_out(const rules::rule_set& configured, const rules::rule_book& book, std::ostream& out) {
  for (const auto& rule : configured.rules) {
    const bool there = std::any_of(book.rules().begin(), book.rules().end(),
                                   [&rule](const auto& other) { return other.name == rule.name; });
    if (!there) out << "note: rule " << rule.name << " does not apply to this database and user\n";
  }
}

void print_statements(const rules::analysis& analysis, const rules::rule_book& book, bool in_block,
                      std::ostream& out) {
  if (!analysis.exact) out << "note: this SQL could not be parsed\n";
  for (const auto& statement : analysis.statements) {
    const auto& plan = in_block ? statement.in_block : statement.autonomous;
    const auto text =
        std::string_view(analysis.text).substr(statement.begin, statement.end - statement.begin);
    out << "statement, " << (in_block ? "inside a transaction" : "outside a transaction") << '\n';
    print_indented(trimmed(text), "    ", out);
    print_rules(plan, book, out);
    print_sent(plan, out);
    out << "  plan\n";
    print_indented(book.to_text(plan), "    ", out);
    in_block = in_block_after(statement.effect, in_block);
  }
}

int explain_with(const explain_options& options, const settings& configured, const rules::catalog& known,
                 std::ostream& out) {
  const auto book = rules::rule_book::compile(configured.rules, known, options.user, configured.log.values);
  print_left_out(configured.rules, *book, out);
  if (!book->may_touch(options.sql)) {
    out << "no rule: nothing in this SQL can name a guarded table; it passes as it is, without being "
           "parsed\n";
    return 0;
  }
  print_statements(*book->analyse(options.sql, {}), *book, options.in_transaction, out);
  return 0;
}

}  // namespace

int run_explain(const explain_options& options, std::ostream& out, std::ostream& err) {
  const load_result loaded = load_settings(options.config);
  for (const auto& problem : loaded.problems) err << to_text(problem) << '\n';
  if (!loaded.problems.empty()) return 2;
  const auto& configured = loaded.value;
  const std::string database =
      options.database.empty() ? default_database(configured.catalog) : options.database;
  if (options.offline) {
    auto assumed = rules::assumed_catalog(configured.rules);
    assumed.database = database;
    return explain_with(options, configured, assumed, out);
  }
  const auto reading = read_catalog(configured.upstream, configured.catalog, configured.rules, database);
  if (!reading.ok) {
    err << "the catalog of " << display_name(database) << " cannot be read: " << reading.error
        << "\n(--offline explains without a database)\n";
    return 1;
  }
  return explain_with(options, configured, reading.value, out);
}

}  // namespace proxy::ops
