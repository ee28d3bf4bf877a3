// What one database says about the tables that rules name: identity, columns, keys, the views over them.
// A plain value; how it is read from PostgreSQL, and when it is refreshed, is not known here.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace rules {

struct column {
  std::string name;
  std::int16_t number = 0;     // pg_attribute.attnum, as in RowDescription
  std::uint32_t type_oid = 0;  // pg_attribute.atttypid
  std::string type;            // format_type(atttypid, atttypmod), e.g. "numeric(12,2)"
};

/// A relation that a rule's table name matches. Unique keys are those of valid, immediate, non-partial unique
/// indexes over plain columns.
struct table {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  char kind = 'r';  // pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign table
  std::vector<column> columns;
  std::vector<std::string> primary_key;
  std::vector<std::vector<std::string>> unique_keys;
  std::vector<std::string>
      roles_without_update;  // login roles that may not lock rows (no UPDATE on any column)
  bool plain = true;         // no triggers of users', no rules, no row-level security, no children
  bool complete = true;      // `columns` lists every column; false where the table was invented from a rule
};

/// A relation through which a guarded table is reached under another name: a view, a partition, a child.
struct alias_relation {
  std::string schema;
  std::string name;
  char kind = 'v';
  std::uint32_t guarded_oid = 0;  // the guarded table behind it
};

/// A function or procedure whose body names a guarded table, or one of its aliases.
struct code_relation {
  std::string schema;
  std::string name;
  std::uint32_t guarded_oid = 0;
};

/// One database's answer. Names are as stored by PostgreSQL (already folded).
struct catalog {
  std::string database;
  std::vector<table> tables;
  std::vector<alias_relation> aliases;
  std::set<std::string> volatile_functions;  // names with at least one volatile overload
  std::vector<code_relation> functions{};
  std::set<std::string> namesakes{};  // names of `tables` that more than one relation has, in any schema
};

}  // namespace rules
