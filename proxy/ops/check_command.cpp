#include "proxy/ops/check_command.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <vector>

#include "proxy/ops/catalog_query.hpp"
#include "proxy/ops/conninfo.hpp"
#include "proxy/ops/setting_values.hpp"
#include "proxy/ops/settings.hpp"
#include "rules/rule_book.hpp"

namespace proxy::ops {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + display_name(name);
  return text;
}

std::string qualified(const std::string& schema, const std::string& name) {
  return (schema.empty() ? "" : display_name(schema) + ".") + display_name(name);
}

std::string_view kind_word(char kind) {
  switch (kind) {
    case 'p':
      return "partitioned table";
    case 'v':
      return "view";
    case 'm':
      return "materialized view";
    case 'f':
      return "foreign table";
    default:
      return "table";
  }
}

std::string type_of(const rules::table& table, const std::string& column) {
  for (const auto& known : table.columns) {
    if (known.name == column) return " " + known.type;
  }
  return " (no such column)";
}

std::string typed(const rules::table& table, const std::vector<std::string>& columns) {
  std::string text;
  for (const auto& column : columns)
    text += (text.empty() ? "" : ", ") + display_name(column) + type_of(table, column);
  return text;
}

std::string bounds_of(const rules::rule& rule) {
  if (rule.min && rule.max) return "from " + *rule.min + " to " + *rule.max;
  if (rule.min) return "at least " + *rule.min;
  if (rule.max) return "at most " + *rule.max;
  return "none";
}

void print_table(const rules::rule& rule, const rules::catalog& known, const rules::table& table,
                 std::ostream& out) {
  const bool configured = !rule.key.empty();
  const auto& key = configured ? rule.key : table.primary_key;
  out << "    " << kind_word(table.kind) << ' ' << qualified(table.schema, table.name) << '\n';
  out << "      key      " << (key.empty() ? "none" : typed(table, key))
      << (configured ? "" : " (primary key)") << '\n';
  out << "      columns  " << typed(table, rule.columns) << '\n';
  for (const auto& alias : known.aliases) {
    if (alias.guarded_oid != table.oid) continue;
    out << "      also as  " << kind_word(alias.kind) << ' ' << qualified(alias.schema, alias.name) << '\n';
  }
  if (!table.roles_without_update.empty()) {
    out << "      cannot lock rows (no UPDATE privilege): " << list(table.roles_without_update) << '\n';
  }
}

bool is_table_of(const rules::rule& rule, const rules::table& table) {
  return table.name == rule.table && (rule.schema.empty() || rule.schema == table.schema);
}

void print_rule(const rules::rule& rule, std::ostream& out) {
  out << "  rule " << rule.name << ": " << qualified(rule.schema, rule.table) << " (" << list(rule.columns)
      << ")" << (rule.mode == rules::mode::observe ? ", observed only" : "") << '\n';
  out << "    bounds " << bounds_of(rule) << "; lock_timeout " << to_text(rule.lock_timeout) << '\n';
}

// How many problems; findings of rules that do not apply here were never asked for.
int print_findings(const std::vector<rules::finding>& findings, const std::string& rule, std::ostream& out) {
  int problems = 0;
  for (const auto& finding : findings) {
    if (finding.rule != rule) continue;
    const bool problem = finding.level == rules::finding::severity::problem;
    problems += problem ? 1 : 0;
    out << "    " << (problem ? "PROBLEM: " : "note: ") << finding.message << '\n';
  }
  return problems;
}

rules::rule_set rules_in(const rules::rule_set& all, std::string_view database) {
  rules::rule_set applicable;
  applicable.once = all.once;
  std::copy_if(all.rules.begin(), all.rules.end(), std::back_inserter(applicable.rules),
               [database](const auto& rule) { return applies_in(rule, database); });
  return applicable;
}

int check_database(const settings& configured, const std::string& database, std::ostream& out) {
  out << "database " << display_name(database) << '\n';
  const auto applicable = rules_in(configured.rules, database);
  const auto reading = read_catalog(configured.upstream, configured.catalog, applicable, database);
  if (!reading.ok) {
    out << "  PROBLEM: the catalog cannot be read: " << reading.error << '\n';
    return 1;
  }
  int problems = 0;
  const auto findings = rules::check(applicable, reading.value);
  for (const auto& rule : applicable.rules) {
    print_rule(rule, out);
    for (const auto& table : reading.value.tables) {
      if (is_table_of(rule, table)) print_table(rule, reading.value, table, out);
    }
    problems += print_findings(findings, rule.name, out);
  }
  if (applicable.rules.empty()) out << "  no rule applies here\n";
  return problems;
}

std::set<std::string> databases_of(const check_options& options, const settings& configured) {
  if (!options.database.empty()) return {options.database};
  std::set<std::string> databases;
  for (const auto& rule : configured.rules.rules) {
    databases.insert(rule.databases.begin(), rule.databases.end());
    if (rule.databases.empty()) databases.insert(default_database(configured.catalog));
  }
  if (databases.empty()) databases.insert(default_database(configured.catalog));
  return databases;
}

int conclude(int problems, std::ostream& out) {
  if (problems == 0) {
    out << "good\n";
    return 0;
  }
  out << problems << (problems == 1 ? " problem\n" : " problems\n");
  return 1;
}

}  // namespace

int run_check(const check_options& options, std::ostream& out, std::ostream& err) {
  const load_result loaded = load_settings(options.config);
  for (const auto& problem : loaded.problems) err << to_text(problem) << '\n';
  if (!loaded.problems.empty()) return 2;
  const auto& configured = loaded.value;
  if (options.offline) {
    for (const auto& rule : configured.rules.rules) print_rule(rule, out);
    out << options.config << ": " << configured.rules.rules.size()
        << (configured.rules.rules.size() == 1 ? " rule" : " rules") << "; no database was asked\n";
    return conclude(0, out);
  }
  int problems = 0;
  for (const auto& database : databases_of(options, configured)) {
    problems += check_database(configured, database, out);
  }
  return conclude(problems, out);
}

}  // namespace proxy::ops
