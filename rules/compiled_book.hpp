// The rules of one (database, user) joined with the catalog's tables: look-up of what a relation's name
// means. Knows nothing of statements; analysis code asks it about names only.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/catalog.hpp"
#include "rules/name_filter.hpp"
#include "rules/plan.hpp"
#include "rules/rule.hpp"
#include "rules/rule_book.hpp"

namespace rules {

/// A table that cannot be guarded, or of which no column is, has no guarded_relation.
inline constexpr std::uint16_t no_relation = 0xFFFF;

/// One table that one rule guards.
struct guarded_table {
  rules::table table;
  std::vector<std::string> key;            // the rule's, or the primary key
  std::optional<unguarded_reason> defect;  // why it cannot be guarded at all
  std::string defect_text;
  bool unprivileged = false;             // the user may not lock its rows
  std::uint16_t relation = no_relation;  // index into compiled_book::relations
};

struct compiled_rule {
  std::vector<guarded_table> tables;
};

/// What a relation's name in SQL text means to one rule.
struct target {
  std::uint16_t rule = 0;
  const guarded_table* table = nullptr;  // the first where several schemas have it
  std::optional<unguarded_reason> defect;
  bool one_schema = true;                    // exactly one table is meant
  std::vector<const guarded_table*> tables;  // all that may be meant
};

/// A view, partition, child or function, and the rules whose table is behind it.
struct compiled_alias {
  std::string schema;
  std::string name;
  std::vector<std::uint16_t> rules;
};

struct compiled_book {
  std::vector<rule> rules;
  std::vector<compiled_rule> details;  // one for each rule
  std::vector<guarded_relation> relations;
  std::vector<foreign_record> of_others;  // rules that do not apply to the user
  std::vector<compiled_alias> aliases;
  std::vector<compiled_alias> functions;
  std::set<std::string> volatile_functions;
  name_filter filter;
  bool log_values = false;
  bool wide_names = false;  // some name of a table, column, view or function is not plain ASCII
  std::vector<std::string> ambiguous;
  name_meanings meanings;  // of unqualified names, as far as they are known

  /// The rules that a relation of this name falls under, [[once]] apart; an empty schema means any.
  [[nodiscard]] std::vector<target> targets_of(std::string_view schema, std::string_view name) const;

  /// The same of [[once]] alone: they guard no column, only a key.
  [[nodiscard]] std::vector<target> once_targets_of(std::string_view schema, std::string_view name) const;

  /// The rules behind a view, partition or child of this name.
  [[nodiscard]] std::vector<std::uint16_t> behind(std::string_view schema, std::string_view name) const;

  /// The rules behind a function or procedure of this name.
  [[nodiscard]] std::vector<std::uint16_t> called(std::string_view schema, std::string_view name) const;

  /// Whatever the text says, it can reach the rule's table only by one of these.
  [[nodiscard]] bool may_reach(std::uint16_t rule, std::string_view text) const;

  /// A function with a volatile overload; by name alone, whatever the schema.
  [[nodiscard]] bool is_volatile(std::string_view function) const;

 private:
  [[nodiscard]] std::vector<target> named_targets(std::string_view schema, std::string_view name,
                                                  bool once) const;
};

/// Whether the rule is in force for this database and user at all.
[[nodiscard]] bool applies(const rule& configured, std::string_view database, std::string_view user) noexcept;

/// The rules, then those made of [[once]], each in the file's order.
[[nodiscard]] std::vector<rule> all_rules(const rule_set& configured);

/// What the rule guards in this table, or the defect that keeps it from doing so.
[[nodiscard]] guarded_table guard(const rule& configured, const table& known, std::string_view user);

/// Types whose order and arithmetic a bound can be checked with.
enum class number_type : std::uint8_t {
  none,
  integer,  // smallint, integer, bigint
  decimal,  // numeric, real, double precision: NaN must be kept out
  money,    // compares with money only
  unknown,  // a domain or an extension's type: judged by PostgreSQL
};
[[nodiscard]] number_type number_type_of(const column& known) noexcept;

[[nodiscard]] const column* find_column(const table& known, std::string_view name) noexcept;
[[nodiscard]] bool contains(const std::vector<std::string>& names, std::string_view name) noexcept;

}  // namespace rules
