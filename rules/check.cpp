#include <algorithm>

#include "rules/compiled_book.hpp"
#include "rules/identifiers.hpp"
#include "rules/rule_book.hpp"

namespace rules {
namespace {

bool is_table_of(const rule& configured, const table& known) {
  return known.name == configured.table && (configured.schema.empty() || known.schema == configured.schema);
}

std::string full_name(const table& known) {
  return "\"" + known.schema + "." + known.name + "\"";
}

bool is_unique(const table& known, const std::vector<std::string>& key) {
  const auto inside = [&](const std::vector<std::string>& unique) {
    return !unique.empty() && std::all_of(unique.begin(), unique.end(),
                                          [&](const std::string& column) { return contains(key, column); });
  };
  return inside(known.primary_key) || std::any_of(known.unique_keys.begin(), known.unique_keys.end(), inside);
}

class checker {
 public:
  checker(const rule& configured, const catalog& known, std::vector<finding>& found)
      : configured_{configured}, known_{known}, found_{found} {}

  void run() {
    std::vector<const table*> tables;
    for (const auto& candidate : known_.tables) {
      if (is_table_of(configured_, candidate)) tables.push_back(&candidate);
    }
    if (tables.empty()) {
      const auto name =
          configured_.schema.empty() ? configured_.table : configured_.schema + "." + configured_.table;
      return add(finding::severity::problem, "database \"" + known_.database + "\" has no table \"" + name +
                                                 "\"; correct `table`, or name the right `databases`");
    }
    for (const auto* each : tables) inspect(*each);
    if (tables.size() > 1) several(tables);
  }

 private:
  void inspect(const table& known) {
    const auto guarded = guard(configured_, known, {});
    if (guarded.defect) return add(finding::severity::problem, full_name(known) + " " + guarded.defect_text);
    if (configured_.once) return inspect_once(known, guarded.key);
    if (!is_unique(known, guarded.key)) {
      add(finding::severity::note,
          full_name(known) +
              " has no unique index within the rule's key; rows that share a key are locked "
              "one by one in no fixed order");
    }
    if (configured_.group_commit && !known.plain) {
      add(finding::severity::note,
          "writes of " + full_name(known) +
              " do not share commits: it has triggers, rules, row-level security, children or a parent");
    }
    for (const auto& alias : known_.aliases) {
      if (alias.guarded_oid != known.oid) continue;
      add(finding::severity::note,
          full_name(known) + " is also reached through \"" + alias.schema + "." + alias.name +
              "\", which is counted but not guarded; set on_opaque = \"reject\" to refuse it");
    }
    if (!known.roles_without_update.empty() && configured_.lock_reads != lock_reads::none) {
      std::string roles;
      for (const auto& role : known.roles_without_update) roles += (roles.empty() ? "" : ", ") + role;
      add(finding::severity::note,
          "reads of " + full_name(known) + " by roles without UPDATE privilege are not locked: " + roles);
    }
  }

  void inspect_once(const table& known, const std::vector<std::string>& key) {
    const auto leads = [&](const std::vector<std::string>& index) {
      return !index.empty() && contains(key, index.front());
    };
    if (leads(known.primary_key) || std::any_of(known.unique_keys.begin(), known.unique_keys.end(), leads))
      return;
    std::string columns;
    for (const auto& name : key) columns += (columns.empty() ? "" : ", ") + quoted_name(name);
    add(finding::severity::note, full_name(known) +
                                     " has no unique index that begins with the key of this [[once]]; "
                                     "unless another index does, each INSERT reads the whole table: "
                                     "CREATE INDEX ON " +
                                     quoted_name(known.schema) + "." + quoted_name(known.name) + " (" +
                                     columns + ")");
  }

  void several(const std::vector<const table*>& tables) {
    std::string schemas;
    for (const auto* each : tables) schemas += (schemas.empty() ? "" : ", ") + each->schema;
    add(finding::severity::note, "the rule holds for table \"" + configured_.table +
                                     "\" in several schemas: " + schemas + "; qualify `table` to choose one");
  }

  void add(finding::severity level, std::string text) {
    found_.push_back({level, configured_.name, std::move(text)});
  }

  const rule& configured_;
  const catalog& known_;
  std::vector<finding>& found_;
};

void add_columns(table& into, const std::vector<std::string>& names, std::uint32_t type_oid,
                 std::string_view type) {
  for (const auto& name : names) {
    if (find_column(into, name) != nullptr) continue;
    const auto number = static_cast<std::int16_t>(into.columns.size() + 1);
    into.columns.push_back({name, number, type_oid, std::string{type}});
  }
}

}  // namespace

std::vector<finding> check(const rule_set& configured, const catalog& known) {
  std::vector<finding> found;
  for (const auto& rule : all_rules(configured)) {
    if (!rule.databases.empty() && !contains(rule.databases, known.database)) continue;
    checker{rule, known, found}.run();
  }
  return found;
}

// Type OIDs are fixed in pg_type.dat.
catalog assumed_catalog(const rule_set& configured) {
  catalog invented;
  for (const auto& rule : all_rules(configured)) {
    const std::string schema = rule.schema.empty() ? "public" : rule.schema;
    auto found = std::find_if(invented.tables.begin(), invented.tables.end(), [&](const table& known) {
      return known.schema == schema && known.name == rule.table;
    });
    if (found == invented.tables.end()) {
      table made;
      made.oid = static_cast<std::uint32_t>(16384 + invented.tables.size());
      made.schema = schema;
      made.name = rule.table;
      made.complete = false;
      found = invented.tables.insert(found, std::move(made));
    }
    const auto key = rule.key.empty() ? std::vector<std::string>{"id"} : rule.key;
    if (found->primary_key.empty() && !rule.once) found->primary_key = key;
    add_columns(*found, key, 20, "bigint");
    add_columns(*found, rule.columns, 1700, "numeric");
    add_columns(*found, rule.version, 20, "bigint");
  }
  return invented;
}

}  // namespace rules
