#include "rules/compiled_book.hpp"

#include <algorithm>
#include <memory>

#include "rules/key_type.hpp"
#include "rules/volatility.hpp"

namespace rules {
namespace {

bool named(std::string_view wanted_schema, std::string_view wanted_name, std::string_view schema,
           std::string_view name) noexcept {
  return wanted_name == name && (wanted_schema.empty() || wanted_schema == schema);
}

std::string missing_column(const rule& configured, const table& known) {
  for (const auto* list : {&configured.columns, &configured.key, &configured.version}) {
    for (const auto& column : *list) {
      if (find_column(known, column) == nullptr) return column;
    }
  }
  return {};
}

void mark(guarded_table& guarded, unguarded_reason reason, std::string text) {
  guarded.defect = reason;
  guarded.defect_text = std::move(text);
}

// The same SQL must be right for every table that an unqualified name may mean.
bool alike(const guarded_table& one, const guarded_table& other, const rule& configured) {
  if (one.key != other.key || one.defect != other.defect) return false;
  const auto& same = configured.once ? one.key : configured.columns;
  return std::all_of(same.begin(), same.end(), [&](const std::string& name) {
    const auto* here = find_column(one.table, name);
    const auto* there = find_column(other.table, name);
    return here != nullptr && there != nullptr && here->type == there->type;
  });
}

/// What is wrong with a column's type; empty if nothing. All columns are there.
std::string unfit_type(const rule& configured, const guarded_table& guarded) {
  for (const auto& name : guarded.key) {
    const auto* part = find_column(guarded.table, name);
    if (part == nullptr) continue;
    const std::string what = "key column \"" + name + "\" is of type " + part->type + ", which ";
    if (configured.once && !is_hashed_type(part->type_oid))
      return what + "cannot be hashed; choose another `key`";
    if (!configured.once && !is_ordered_type(part->type_oid))
      return what + "cannot be put in order; choose another `key`";
  }
  if (configured.strategy != strategy::escrow) return {};
  for (const auto& name : configured.columns) {
    const auto* changed = find_column(guarded.table, name);
    if (is_exact_number(changed->type_oid)) continue;
    return "column \"" + name + "\" is of type " + changed->type +
           ", which strategy = \"escrow\" cannot subtract exactly; use integer or numeric, or another "
           "strategy";
  }
  return {};
}

std::string recorded_as(std::string_view rule, const guarded_relation& relation) {
  std::string made{rule};
  for (const auto* columns : {&relation.key, &relation.columns}) {
    made += '/';
    for (const auto& each : *columns) made.append(std::to_string(each.number)).append(1, ',');
  }
  return made;
}

guarded_relation relation_of(const rule& configured, const guarded_table& guarded) {
  guarded_relation known;
  known.oid = guarded.table.oid;
  known.schema = guarded.table.schema;
  known.name = guarded.table.name;
  for (const auto& name : guarded.key) known.key.push_back(*find_column(guarded.table, name));
  for (const auto& name : configured.columns) known.columns.push_back(*find_column(guarded.table, name));
  known.recorded_as = recorded_as(configured.name, known);
  return known;
}

// What a session must know of each guarded table; the tables learn their numbers.
void number_relations(compiled_book& book) {
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    if (book.rules[i].columns.empty()) continue;
    for (auto& guarded : book.details[i].tables) {
      if (guarded.defect || book.relations.size() >= no_relation) continue;
      guarded.relation = static_cast<std::uint16_t>(book.relations.size());
      guarded_relation known = relation_of(book.rules[i], guarded);
      known.rule = static_cast<std::uint16_t>(i);
      book.relations.push_back(std::move(known));
    }
  }
}

std::vector<std::string> filter_names(const compiled_book& book) {
  std::vector<std::string> names;
  for (const auto& rule : book.rules) names.push_back(rule.table);
  for (const auto& alias : book.aliases) names.push_back(alias.name);
  for (const auto& function : book.functions) names.push_back(function.name);
  return names;
}

bool may_mean(const name_meanings& meanings, std::string_view name, std::uint32_t oid) noexcept {
  const auto known =
      std::find_if(meanings.begin(), meanings.end(), [name](const auto& one) { return one.first == name; });
  return known == meanings.end() || known->second == oid;
}

// Names of guarded tables that other relations have as well.
std::vector<std::string> ambiguous_names(const compiled_book& book, const catalog& known) {
  std::vector<std::string> found;
  for (const auto& rule : book.rules) {
    if (known.namesakes.count(rule.table) > 0 && !contains(found, rule.table)) found.push_back(rule.table);
  }
  return found;
}

// pg_temp is the session's own among the schemas pg_temp_1, pg_temp_2, …
bool in_schema(std::string_view wanted, std::string_view schema) noexcept {
  if (wanted == "pg_temp") return schema.starts_with("pg_temp_");
  return wanted.empty() || wanted == schema;
}

std::vector<std::uint16_t> rules_behind(const std::vector<compiled_alias>& all, std::string_view schema,
                                        std::string_view name) {
  std::vector<std::uint16_t> found;
  for (const auto& one : all) {
    if (one.name != name || !in_schema(schema, one.schema)) continue;
    for (const auto rule : one.rules) {
      if (std::find(found.begin(), found.end(), rule) == found.end()) found.push_back(rule);
    }
  }
  return found;
}

// The rules that guard the table behind a name; those that no rule guards are left out.
void add_name(const compiled_book& book, std::vector<compiled_alias>& into, const std::string& schema,
              const std::string& name, std::uint32_t guarded_oid) {
  compiled_alias known{schema, name, {}};
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    const auto& tables = book.details[i].tables;
    const bool hides = std::any_of(tables.begin(), tables.end(), [&](const guarded_table& guarded) {
      return guarded.table.oid == guarded_oid;
    });
    if (hides) known.rules.push_back(static_cast<std::uint16_t>(i));
  }
  if (!known.rules.empty()) into.push_back(std::move(known));
}

bool has_wide_names(const compiled_book& book) {
  auto names = filter_names(book);
  for (const auto& rule : book.rules) names.insert(names.end(), rule.columns.begin(), rule.columns.end());
  for (const auto& relation : book.relations) {
    for (const auto& part : relation.key) names.push_back(part.name);
  }
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return std::any_of(name.begin(), name.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  });
}

}  // namespace

const column* find_column(const table& known, std::string_view name) noexcept {
  const auto found = std::find_if(known.columns.begin(), known.columns.end(),
                                  [name](const column& candidate) { return candidate.name == name; });
  return found == known.columns.end() ? nullptr : &*found;
}

bool contains(const std::vector<std::string>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Type OIDs are fixed in pg_type.dat.
number_type number_type_of(const column& known) noexcept {
  switch (known.type_oid) {
    case 20:
    case 21:
    case 23:
      return number_type::integer;
    case 700:
    case 701:
    case 1700:
      return number_type::decimal;
    case 790:
      return number_type::money;
    default:
      // User-defined objects start at 16384 (FirstNormalObjectId).
      return known.type_oid >= 16384 ? number_type::unknown : number_type::none;
  }
}

bool applies(const rule& configured, std::string_view database, std::string_view user) noexcept {
  if (!configured.databases.empty() && !contains(configured.databases, database)) return false;
  if (contains(configured.except_users, user)) return false;
  return configured.users.empty() || contains(configured.users, user);
}

std::vector<rule> all_rules(const rule_set& configured) {
  std::vector<rule> all = configured.rules;
  for (const auto& each : configured.once) {
    rule made;
    made.name = each.name;
    made.schema = each.schema;
    made.table = each.table;
    made.key = each.key;
    made.once = true;
    all.push_back(std::move(made));
  }
  return all;
}

guarded_table guard(const rule& configured, const table& known, std::string_view user) {
  guarded_table guarded;
  guarded.table = known;
  guarded.key = configured.key.empty() ? known.primary_key : configured.key;
  guarded.unprivileged = contains(known.roles_without_update, user);
  if (known.kind != 'r' && known.kind != 'p') {
    mark(guarded, unguarded_reason::view, "is not a table; name the table behind it in the rule");
  } else if (const auto missing = missing_column(configured, known); !missing.empty()) {
    mark(guarded, unguarded_reason::opaque, "has no column \"" + missing + "\"; correct the rule's columns");
  } else if (guarded.key.empty()) {
    mark(guarded, unguarded_reason::opaque, "has no primary key; set `key` in the rule");
  } else if (const auto text = unfit_type(configured, guarded); !text.empty()) {
    mark(guarded, unguarded_reason::opaque, text);
  } else if (configured.min || configured.max) {
    for (const auto& name : configured.columns) {
      const auto* bounded = find_column(known, name);
      if (number_type_of(*bounded) != number_type::none) continue;
      mark(guarded, unguarded_reason::opaque,
           "column \"" + name + "\" is of type " + bounded->type +
               ", which min and max cannot bound; drop them");
    }
  }
  return guarded;
}

std::vector<target> compiled_book::targets_of(std::string_view schema, std::string_view name) const {
  return named_targets(schema, name, false);
}

std::vector<target> compiled_book::once_targets_of(std::string_view schema, std::string_view name) const {
  return named_targets(schema, name, true);
}

std::vector<target> compiled_book::named_targets(std::string_view schema, std::string_view name,
                                                 bool once) const {
  std::vector<target> found;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].once != once) continue;
    target meant;
    meant.rule = static_cast<std::uint16_t>(i);
    for (const auto& candidate : details[i].tables) {
      if (!named(schema, name, candidate.table.schema, candidate.table.name)) continue;
      if (schema.empty() && !may_mean(meanings, name, candidate.table.oid)) continue;
      meant.tables.push_back(&candidate);
      if (meant.table == nullptr) {
        meant.table = &candidate;
        meant.defect = candidate.defect;
        continue;
      }
      meant.one_schema = false;
      if (!alike(*meant.table, candidate, rules[i])) meant.defect = unguarded_reason::shape;
    }
    if (meant.table != nullptr) found.push_back(meant);
  }
  return found;
}

std::vector<std::uint16_t> compiled_book::behind(std::string_view schema, std::string_view name) const {
  return rules_behind(aliases, schema, name);
}

std::vector<std::uint16_t> compiled_book::called(std::string_view schema, std::string_view name) const {
  return rules_behind(functions, schema, name);
}

bool compiled_book::may_reach(std::uint16_t rule, std::string_view text) const {
  std::vector<std::string> names{rules[rule].table};
  for (const auto* list : {&aliases, &functions}) {
    for (const auto& one : *list) {
      if (std::find(one.rules.begin(), one.rules.end(), rule) != one.rules.end()) names.push_back(one.name);
    }
  }
  return name_filter{names}.may_name(text);
}

bool compiled_book::is_volatile(std::string_view function) const {
  return is_volatile_builtin(function) ||
         volatile_functions.find(std::string{function}) != volatile_functions.end();
}

std::shared_ptr<const rule_book> rule_book::compile(const rule_set& configured, const catalog& known,
                                                    std::string_view user, bool log_values) {
  auto book = std::make_unique<compiled_book>();
  book->log_values = log_values;
  book->volatile_functions = known.volatile_functions;
  for (const auto& rule : all_rules(configured)) {
    compiled_rule detail;
    for (const auto& table : known.tables) {
      if (named(rule.schema, rule.table, table.schema, table.name))
        detail.tables.push_back(guard(rule, table, user));
    }
    if (!applies(rule, known.database, user)) {
      for (const auto& guarded : detail.tables) {
        if (guarded.defect || rule.columns.empty()) continue;
        book->of_others.push_back({guarded.table.oid, relation_of(rule, guarded).recorded_as});
      }
      continue;
    }
    if (detail.tables.empty()) continue;
    book->rules.push_back(rule);
    book->details.push_back(std::move(detail));
  }
  for (const auto& alias : known.aliases)
    add_name(*book, book->aliases, alias.schema, alias.name, alias.guarded_oid);
  for (const auto& code : known.functions)
    add_name(*book, book->functions, code.schema, code.name, code.guarded_oid);
  number_relations(*book);
  book->ambiguous = ambiguous_names(*book, known);
  book->filter = name_filter{filter_names(*book)};
  book->wide_names = has_wide_names(*book);
  return std::shared_ptr<const rule_book>{new rule_book{std::move(book)}};
}

}  // namespace rules
