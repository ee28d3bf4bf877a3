#include <algorithm>
#include <map>

#include "proxy/ops/setting_values.hpp"
#include "proxy/ops/settings_sections.hpp"

namespace proxy::ops {
namespace {

using std::chrono::milliseconds;

template <class E, std::size_t N>
using spelling = std::pair<std::string_view, E>[N];

constexpr std::size_t most_rules = 1000;
constexpr std::size_t longest_rule_name = 63;  // as long as the constraint name that it stands for in errors

constexpr spelling<rules::strategy, 3> strategies = {{"pessimistic", rules::strategy::pessimistic},
                                                     {"optimistic", rules::strategy::optimistic},
                                                     {"escrow", rules::strategy::escrow}};
constexpr spelling<rules::mode, 2> modes = {{"enforce", rules::mode::enforce},
                                            {"observe", rules::mode::observe}};
constexpr spelling<rules::lock_reads, 4> lock_reads = {{"key", rules::lock_reads::key},
                                                       {"equality", rules::lock_reads::equality},
                                                       {"all", rules::lock_reads::all},
                                                       {"none", rules::lock_reads::none}};
constexpr spelling<rules::row_lock, 3> row_locks = {{"update", rules::row_lock::update},
                                                    {"no key update", rules::row_lock::no_key_update},
                                                    {"share", rules::row_lock::share}};
constexpr spelling<rules::turns, 3> turns = {
    {"on", rules::turns::on}, {"adaptive", rules::turns::adaptive}, {"off", rules::turns::off}};
constexpr spelling<rules::reread, 2> rereads = {{"first", rules::reread::first},
                                                {"last", rules::reread::last}};
constexpr spelling<rules::correlate, 3> correlates = {{"session", rules::correlate::session},
                                                      {"client", rules::correlate::client},
                                                      {"trace", rules::correlate::trace}};
constexpr spelling<rules::policy, 2> policies = {{"allow", rules::policy::allow},
                                                 {"reject", rules::policy::reject}};

// Where each name was first used: rules and onces share the errors' constraint field.
using used_names = std::map<std::string, toml::source_index>;

void read_name(table_reader& from, used_names& used, std::string& name) {
  if (from.find("name") == nullptr)
    return from.problem("name", "name is missing; it appears in errors and metrics");
  from.text("name", name);
  const bool control = std::any_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (name.empty() || name.size() > longest_rule_name || control) {
    return from.problem("name", "name must have 1 to 63 bytes and no control characters");
  }
  const auto [first, fresh] = used.emplace(name, from.where().begin.line);
  if (!fresh) {
    from.problem("name", "name " + shown(name) + " is already used in line " + std::to_string(first->second));
  }
}

void read_table_name(table_reader& from, std::string& schema, std::string& table) {
  if (from.find("table") == nullptr)
    return from.problem("table", "table is missing; write table = \"[schema.]table\"");
  std::string written;
  from.text("table", written);
  if (written.empty()) return from.problem("table", "table must be a name in quotes: \"[schema.]table\"");
  auto name = parse_relation_name(written);
  if (!name.value) return from.problem("table", "table: " + shown(written) + ": " + name.problem);
  schema = std::move(name.value->schema);
  table = std::move(name.value->table);
}

// Integers and decimal strings; a TOML float has already lost its exact value.
void read_bound(table_reader& from, std::string_view key, std::optional<std::string>& bound) {
  const toml::node* node = from.find(key);
  if (node == nullptr) return;
  const std::string name(key);
  if (const auto* whole = node->as_integer()) {
    bound = std::to_string(whole->get());
    return;
  }
  if (node->is_floating_point()) {
    return from.problem(
        key, name + " must be exact, and a float is not; put the number in quotes: " + name + " = \"12.50\"");
  }
  const auto* text = node->as_string();
  if (text == nullptr) return from.problem(key, name + " must be an integer, or a decimal number in quotes");
  auto value = parse_decimal(text->get());
  if (!value.value) return from.problem(key, name + ": " + shown(text->get()) + " " + value.problem);
  bound = std::move(*value.value);
}

bool present(table_reader& from, std::string_view key) {
  return from.find(key) != nullptr;
}

void refuse_overlap(table_reader& from, std::string_view key, const std::vector<std::string>& names,
                    const std::vector<std::string>& columns, std::string_view why) {
  for (const auto& name : names) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) continue;
    from.problem(
        key, display_name(name) + " is both in columns and in " + std::string(key) + "; " + std::string(why));
  }
}

void read_columns(table_reader& from, rules::rule& rule) {
  if (!present(from, "columns")) {
    from.problem("columns", "columns is missing; name the guarded columns: columns = [\"balance\"]");
  }
  from.names("columns", rule.columns);
  const toml::node* columns = from.find("columns");
  if (columns != nullptr && columns->is_array() && columns->as_array()->empty()) {
    from.problem("columns", "columns must name at least one column");
  }
  from.names("key", rule.key);
  const toml::node* key = from.find("key");
  if (key != nullptr && key->is_array() && key->as_array()->empty()) {
    from.problem("key", "key must name at least one column; leave it out for the primary key");
  }
  from.names("version", rule.version);
  refuse_overlap(from, "key", rule.key, rule.columns, "what identifies a row cannot be its balance");
  refuse_overlap(from, "version", rule.version, rule.columns, "a guarded column need not be named again");
}

void read_bounds(table_reader& from, rules::rule& rule) {
  read_bound(from, "min", rule.min);
  read_bound(from, "max", rule.max);
  if (rule.min && rule.max && compare_decimals(*rule.min, *rule.max) > 0) {
    from.problem("max", "max " + *rule.max + " is below min " + *rule.min);
  }
}

void read_rule(const toml::table& table, problem_list& problems, used_names& used, rules::rule& rule) {
  table_reader from(table, "[rule]", problems);
  read_name(from, used, rule.name);
  read_table_name(from, rule.schema, rule.table);
  read_columns(from, rule);
  read_bounds(from, rule);
  from.choice<rules::strategy>("strategy", rule.strategy, strategies);
  from.choice<rules::mode>("mode", rule.mode, modes);
  from.choice<rules::lock_reads>("lock_reads", rule.lock_reads, lock_reads);
  from.choice<rules::row_lock>("row_lock", rule.row_lock, row_locks);
  from.duration("lock_timeout", rule.lock_timeout, milliseconds{1});
  from.choice<rules::turns>("turns", rule.turns, turns);
  from.duration("turn_timeout", rule.turn_timeout, milliseconds{1});
  from.duration("read_ttl", rule.read_ttl, milliseconds{1});
  from.choice<rules::reread>("reread", rule.reread, rereads);
  from.choice<rules::correlate>("correlate", rule.correlate, correlates);
  from.choice<rules::policy>("on_blind_write", rule.on_blind_write, policies);
  from.choice<rules::policy>("on_opaque", rule.on_opaque, policies);
  from.flag("group_commit", rule.group_commit);
  from.strings("databases", rule.databases);
  from.strings("users", rule.users);
  from.strings("except_users", rule.except_users);
  from.finish();
}

void read_once(const toml::table& table, problem_list& problems, used_names& used, rules::once_rule& once) {
  table_reader from(table, "[once]", problems);
  read_name(from, used, once.name);
  read_table_name(from, once.schema, once.table);
  from.names("key", once.key);
  if (!present(from, "key")) from.problem("key", "key is missing; name the columns that must be unique");
  from.finish();
}

// Each table of [[key]]; complains where the file says something else.
template <class F>
void for_each_table(table_reader& root, std::string_view key, problem_list& problems, F read) {
  const toml::node* node = root.find(key);
  if (node == nullptr) return;
  const std::string header = "[[" + std::string(key) + "]]";
  const auto* list = node->as_array();
  if (list == nullptr)
    return problems.add(node->source(), "write " + header + ", in double brackets, for each");
  if (list->size() > most_rules)
    return problems.add(node->source(), "at most 1000 " + header + " are possible");
  for (const auto& element : *list) {
    if (const auto* table = element.as_table()) {
      read(*table);
    } else {
      problems.add(element.source(), std::string(key) + " must be written as " + header + " tables");
    }
  }
}

}  // namespace

void read_rules(table_reader& root, problem_list& problems, rules::rule_set& into) {
  used_names used;
  for_each_table(root, "rule", problems, [&](const toml::table& table) {
    read_rule(table, problems, used, into.rules.emplace_back());
  });
  for_each_table(root, "once", problems, [&](const toml::table& table) {
    read_once(table, problems, used, into.once.emplace_back());
  });
}

}  // namespace proxy::ops
