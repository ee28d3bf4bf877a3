#include "proxy/ops/catalog_query.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "proxy/ops/catalog_connection.hpp"

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;

constexpr auto read_timeout = 10s;

// One snapshot for all questions, so that DDL in between cannot mix two states. search_path: no object of the
// database may stand in for a catalog's, and format_type() names every type outside pg_catalog with its
// schema.
constexpr auto begin_sql = R"(
SET search_path = pg_catalog, pg_temp;
SET standard_conforming_strings = on;
SET statement_timeout = '10s';
SET lock_timeout = '5s';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY)";

// Schemas beginning with pg_ are the system's: catalogs, TOAST, other sessions' temporary tables.
constexpr auto tables_sql = R"(
SELECT DISTINCT c.oid, n.nspname, c.relname, c.relkind,
       c.relkind = 'r' AND NOT (c.relhasrules OR c.relrowsecurity OR c.relhassubclass OR c.relispartition OR EXISTS (
         SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
FROM unnest($1::text[], $2::text[]) AS wanted(schema, name)
JOIN pg_class c ON c.relname = wanted.name::name
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN wanted.schema = '' THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           ELSE n.nspname = wanted.schema::name END
ORDER BY n.nspname, c.relname)";

constexpr auto columns_sql = R"(
SELECT attrelid, attnum, attname, atttypid, format_type(atttypid, atttypmod)
FROM pg_attribute
WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
ORDER BY attrelid, attnum)";

// INCLUDE columns are no part of a key. A deferrable primary key still names the row; any other deferrable
// index may hold duplicates for a while.
constexpr auto keys_sql = R"(
SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indimmediate, a.attname
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indislive
  AND i.indpred IS NULL AND i.indexprs IS NULL AND (i.indisprimary OR i.indimmediate)
  AND k.place <= i.indnkeyatts
ORDER BY i.indrelid, i.indexrelid, k.place)";

constexpr auto roles_sql = R"(
SELECT c.oid, r.rolname
FROM unnest($1::oid[]) AS c(oid)
CROSS JOIN pg_roles r
WHERE r.rolcanlogin AND NOT has_any_column_privilege(r.oid, c.oid, 'UPDATE')
ORDER BY c.oid, r.rolname)";

// A guarded row is also reached through the table's ancestors, its descendants, and every view over any of
// these; not through siblings, which hold other rows.
constexpr auto aliases_sql = R"(
WITH RECURSIVE
up(guarded, oid) AS (
  SELECT o, o FROM unnest($1::oid[]) AS g(o)
  UNION SELECT up.guarded, i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid),
down(guarded, oid) AS (
  SELECT o, o FROM unnest($1::oid[]) AS g(o)
  UNION SELECT down.guarded, i.inhrelid FROM down JOIN pg_inherits i ON i.inhparent = down.oid),
reach(guarded, oid) AS (
  (SELECT guarded, oid FROM up UNION SELECT guarded, oid FROM down)
  UNION
  SELECT reach.guarded, v.oid
  FROM reach
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reach.oid
                  AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite w ON w.oid = d.objid
  JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm'))
SELECT n.nspname, c.relname, c.relkind, reach.guarded
FROM reach
JOIN pg_class c ON c.oid = reach.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE reach.oid <> reach.guarded AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY reach.guarded, n.nspname, c.relname)";

// What SQL cannot call (trigger functions, handlers, functions with internal arguments) cannot stand in a
// query.
constexpr auto volatile_sql = R"(
SELECT DISTINCT proname
FROM pg_proc
WHERE provolatile = 'v' AND NOT 'internal'::regtype = ANY (proargtypes)
  AND prorettype <> ALL (ARRAY['internal', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler',
                               'index_am_handler', 'table_am_handler', 'tsm_handler']::regtype[])
ORDER BY proname)";

// Functions and procedures whose bodies name a guarded table, one of its aliases, or another such function.
// Trigger functions cannot be called.
constexpr auto code_sql = R"(
WITH RECURSIVE
code AS MATERIALIZED (
  SELECT n.nspname, p.proname::text COLLATE "default" AS proname,
         coalesce(p.prosrc, '') || ' ' || coalesce(pg_get_function_sqlbody(p.oid), '') AS body
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  WHERE p.prokind IN ('f', 'p')
    AND p.prorettype <> ALL (ARRAY['internal', 'trigger', 'event_trigger']::regtype[])),
reach(guarded, name) AS (
  SELECT oid, name FROM unnest($1::oid[], $2::text[]) AS g(oid, name)
  UNION
  SELECT reach.guarded, code.proname
  FROM reach
  JOIN code ON code.body ~* ('(^|\W)' || regexp_replace(reach.name, '(\W)', '\\\1', 'g') || '(\W|$)'))
SELECT DISTINCT code.nspname, code.proname, reach.guarded
FROM reach
JOIN code ON code.body ~* ('(^|\W)' || regexp_replace(reach.name, '(\W)', '\\\1', 'g') || '(\W|$)')
ORDER BY 3, 1, 2)";

// Whatever kind it is, also another session's temporary table: a name means the first that is on the path.
constexpr auto namesakes_sql = R"(
SELECT relname FROM pg_class WHERE relname = ANY ($1::text[]::name[])
GROUP BY relname HAVING count(*) > 1 ORDER BY relname)";

std::string array_literal(const std::vector<std::string>& elements) {
  std::string literal = "{";
  for (const auto& element : elements) {
    literal += literal.size() > 1 ? ",\"" : "\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') literal.push_back('\\');
      literal.push_back(c);
    }
    literal.push_back('"');
  }
  return literal + "}";
}

std::array<std::string, 2> wanted_names(const rules::rule_set& rules, std::string_view database) {
  std::set<std::pair<std::string, std::string>> names;
  for (const auto& rule : rules.rules) {
    if (applies_in(rule, database)) names.emplace(rule.schema, rule.table);
  }
  for (const auto& once : rules.once) names.emplace(once.schema, once.table);
  std::vector<std::string> schemas;
  std::vector<std::string> tables;
  for (const auto& [schema, table] : names) {
    schemas.push_back(schema);
    tables.push_back(table);
  }
  return {array_literal(schemas), array_literal(tables)};
}

// The table of a row's first column. Null for one that the first question did not return.
rules::table* table_of(rules::catalog& catalog, std::uint32_t oid) {
  const auto found = std::find_if(catalog.tables.begin(), catalog.tables.end(),
                                  [oid](const auto& table) { return table.oid == oid; });
  return found == catalog.tables.end() ? nullptr : &*found;
}

void read_tables(catalog_connection& from, const rules::rule_set& rules, rules::catalog& into) {
  const auto names = wanted_names(rules, into.database);
  const answer found = from.ask(tables_sql, names);
  for (int row = 0; row < found.rows(); ++row) {
    auto& table = into.tables.emplace_back();
    table.oid = found.number(row, 0);
    table.schema = found.cell(row, 1);
    table.name = found.cell(row, 2);
    table.kind = found.cell(row, 3).front();
    table.plain = found.cell(row, 4) == "t";
  }
}

void read_columns(catalog_connection& from, std::span<const std::string> oids, rules::catalog& into) {
  const answer found = from.ask(columns_sql, oids);
  for (int row = 0; row < found.rows(); ++row) {
    auto* table = table_of(into, found.number(row, 0));
    if (table == nullptr) continue;
    auto& column = table->columns.emplace_back();
    column.number = static_cast<std::int16_t>(found.number(row, 1));
    column.name = found.cell(row, 2);
    column.type_oid = found.number(row, 3);
    column.type = found.cell(row, 4);
  }
}

void read_keys(catalog_connection& from, std::span<const std::string> oids, rules::catalog& into) {
  const answer found = from.ask(keys_sql, oids);
  std::uint32_t index = 0;
  for (int row = 0; row < found.rows(); ++row) {
    auto* table = table_of(into, found.number(row, 0));
    if (table == nullptr) continue;
    const bool first = row == 0 || found.number(row, 1) != index;
    index = found.number(row, 1);
    if (found.cell(row, 2) == "t") table->primary_key.emplace_back(found.cell(row, 4));
    if (found.cell(row, 3) != "t") continue;
    if (first) table->unique_keys.emplace_back();
    table->unique_keys.back().emplace_back(found.cell(row, 4));
  }
}

void read_roles(catalog_connection& from, std::span<const std::string> oids, rules::catalog& into) {
  const answer found = from.ask(roles_sql, oids);
  for (int row = 0; row < found.rows(); ++row) {
    auto* table = table_of(into, found.number(row, 0));
    if (table != nullptr) table->roles_without_update.emplace_back(found.cell(row, 1));
  }
}

void read_aliases(catalog_connection& from, std::span<const std::string> oids, rules::catalog& into) {
  const answer found = from.ask(aliases_sql, oids);
  for (int row = 0; row < found.rows(); ++row) {
    auto& alias = into.aliases.emplace_back();
    alias.schema = found.cell(row, 0);
    alias.name = found.cell(row, 1);
    alias.kind = found.cell(row, 2).front();
    alias.guarded_oid = found.number(row, 3);
  }
}

void read_code(catalog_connection& from, rules::catalog& into) {
  std::vector<std::string> oids;
  std::vector<std::string> names;
  const auto add = [&](std::uint32_t oid, const std::string& name) {
    oids.push_back(std::to_string(oid));
    names.push_back(name);
  };
  for (const auto& table : into.tables) add(table.oid, table.name);
  for (const auto& alias : into.aliases) add(alias.guarded_oid, alias.name);
  const std::array<std::string, 2> wanted = {array_literal(oids), array_literal(names)};
  const answer found = from.ask(code_sql, wanted);
  for (int row = 0; row < found.rows(); ++row) {
    into.functions.push_back(
        {std::string(found.cell(row, 0)), std::string(found.cell(row, 1)), found.number(row, 2)});
  }
}

void read_namesakes(catalog_connection& from, rules::catalog& into) {
  std::vector<std::string> names;
  for (const auto& table : into.tables) names.push_back(table.name);
  const std::array<std::string, 1> wanted = {array_literal(names)};
  const answer found = from.ask(namesakes_sql, wanted);
  for (int row = 0; row < found.rows(); ++row) into.namesakes.emplace(found.cell(row, 0));
}

void read_functions(catalog_connection& from, rules::catalog& into) {
  const answer found = from.ask(volatile_sql, {});
  for (int row = 0; row < found.rows(); ++row) into.volatile_functions.emplace(found.cell(row, 0));
}

void read_all(catalog_connection& from, const rules::rule_set& rules, rules::catalog& into) {
  from.set_deadline(catalog_connection::clock::now() + read_timeout);
  static_cast<void>(from.run(begin_sql));
  read_tables(from, rules, into);
  std::vector<std::string> numbers;
  for (const auto& table : into.tables) numbers.push_back(std::to_string(table.oid));
  const std::array<std::string, 1> oids = {array_literal(numbers)};
  if (!into.tables.empty()) {
    read_columns(from, oids, into);
    read_keys(from, oids, into);
    read_roles(from, oids, into);
    read_aliases(from, oids, into);
    read_code(from, into);
    read_namesakes(from, into);
  }
  read_functions(from, into);
}

}  // namespace

bool applies_in(const rules::rule& rule, std::string_view database) noexcept {
  return rule.databases.empty() ||
         std::find(rule.databases.begin(), rule.databases.end(), database) != rule.databases.end();
}

catalog_reading read_catalog(const upstream_settings& upstream, const catalog_settings& catalog,
                             const rules::rule_set& rules, std::string_view database,
                             const std::atomic<bool>& stop) {
  catalog_reading reading;
  reading.value.database = database;
  catalog_connection connection(connection_words(upstream, catalog, database), upstream.connect_timeout,
                                stop);
  if (connection.ok()) read_all(connection, rules, reading.value);
  reading.ok = connection.ok();
  reading.error = connection.error();
  reading.sqlstate = connection.sqlstate();
  if (!reading.ok)
    reading.value = rules::catalog{
        .database = std::string(database), .tables = {}, .aliases = {}, .volatile_functions = {}};
  return reading;
}

catalog_reading read_catalog(const upstream_settings& upstream, const catalog_settings& catalog,
                             const rules::rule_set& rules, std::string_view database) {
  const std::atomic<bool> never{false};
  return read_catalog(upstream, catalog, rules, database, never);
}

}  // namespace proxy::ops
