#include "rules/once_sql.hpp"

#include "rules/check_sql.hpp"
#include "rules/identifiers.hpp"
#include "rules/marker.hpp"

// Why three statements (tried on PostgreSQL 15): the lock must be held before the snapshot that looks for the
// key is taken, or the other's row, committed while we waited, is not in it. At REPEATABLE READ there is no
// newer snapshot, and no lock that does not take one; all that can be asked there is whether anything
// committed since, by the transactions' status, which no snapshot hides. How far to ask is told only by the
// error for a transaction that has not begun, and only PL/pgSQL can catch that.

namespace rules {
namespace {

prelude begun(const once_request& request) {
  prelude made;
  made.rule = request.rule_index;
  if (request.one_schema) made.schema = request.guarded->table.schema;
  made.table = request.guarded->table.name;
  made.once = true;
  return made;
}

std::vector<const column*> key_columns(const guarded_table& guarded) {
  std::vector<const column*> found;
  for (const auto& name : guarded.key) found.push_back(find_column(guarded.table, name));
  return found;
}

std::string listed(const guarded_table& guarded, std::string_view between, std::string_view behind) {
  std::string sql;
  for (std::size_t i = 0; i < guarded.key.size(); ++i) {
    if (i > 0) sql += between;
    sql += numbered("pgteller_v", i);
    sql += behind;
  }
  return sql;
}

// Two rules over one table lock apart from each other. Every pgteller in front of the database must come to
// the same number, whatever its other rules are.
std::string seed(const once_request& request) {
  const auto& known = request.guarded->table;
  std::int64_t columns = 0;
  for (const auto* each : key_columns(*request.guarded)) columns = (columns * 31 + each->number) & 0x7FFFFFFF;
  const std::int64_t high = columns << 32;
  if (request.one_schema) return std::to_string(high | known.oid);
  return std::to_string(high) + " + CAST(CAST(" + quoted_literal(request.relation_sql) +
         " AS pg_catalog.regclass) AS pg_catalog.int8)";
}

std::string same_key(const once_request& request) {
  std::string sql = "EXISTS (SELECT 1 FROM " + request.relation_sql + " pgteller_t\n  WHERE ";
  for (std::size_t i = 0; i < request.guarded->key.size(); ++i) {
    if (i > 0) sql += " AND ";
    sql +=
        "pgteller_t." + quoted_name(request.guarded->key[i]) + " = pgteller_w." + numbered("pgteller_v", i);
  }
  return sql += ")";
}

}  // namespace

prelude write_once_lock(const insert_rows& rows, const once_request& request) {
  prelude made = begun(request);
  const auto& guarded = *request.guarded;
  made.sql =
      "SELECT pg_catalog.count(pg_catalog.pg_advisory_xact_lock(pgteller_l.pgteller_hash))\n"
      "FROM (SELECT DISTINCT pg_catalog.hash_record_extended(ROW(" +
      listed(guarded, ", ", "") + "), " + seed(request) + ") AS pgteller_hash\nFROM ";
  rows.append_relation(made, key_columns(guarded), request.rows, "pgteller_v", true);
  made.sql += "\nWHERE " + listed(guarded, " AND ", " IS NOT NULL") + "\nORDER BY 1 OFFSET 0) pgteller_l";
  return made;
}

prelude write_once_lookup(const insert_rows& rows, const once_request& request) {
  prelude made = begun(request);
  const auto& guarded = *request.guarded;
  const auto key = key_text(guarded, [](std::size_t i) { return "pgteller_w." + numbered("pgteller_v", i); });
  const auto names = listed(guarded, ", ", "");
  made.sql = "SELECT pg_catalog.count(CASE WHEN pgteller_w.pgteller_times > 1 OR " + same_key(request) +
             "\n  THEN CAST(" + marker_sql(request.rule_index, duplicate_key, key, "") +
             " AS pg_catalog.int4) END)\nFROM (SELECT " + names +
             ", pg_catalog.count(*) AS pgteller_times\nFROM ";
  rows.append_relation(made, key_columns(guarded), request.rows, "pgteller_v", false);
  made.sql +=
      "\nWHERE " + listed(guarded, " AND ", " IS NOT NULL") + "\nGROUP BY " + names + " OFFSET 0) pgteller_w";
  return made;
}

prelude write_once_doubt(const once_request& request) {
  prelude made = begun(request);
  // 10,000 transactions take about 10 ms to ask for; so many are doubt enough.
  made.sql = R"(DO $pgteller$
DECLARE
  pgteller_seen pg_catalog.pg_snapshot;
  pgteller_next pg_catalog.int8;
  pgteller_last pg_catalog.int8;
  pgteller_doubt pg_catalog.bool;
BEGIN
  IF pg_catalog.current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
    RETURN;
  END IF;
  pgteller_seen := pg_catalog.pg_current_snapshot();
  pgteller_doubt := EXISTS (SELECT 1 FROM pg_catalog.pg_snapshot_xip(pgteller_seen) pgteller_x
    WHERE pg_catalog.pg_xact_status(pgteller_x) = 'committed');
  pgteller_next := CAST(CAST(pg_catalog.pg_snapshot_xmax(pgteller_seen) AS pg_catalog.text) AS pg_catalog.int8);
  pgteller_last := pgteller_next + 10000;
  BEGIN
    WHILE NOT pgteller_doubt LOOP
      pgteller_doubt := pgteller_next > pgteller_last OR COALESCE(pg_catalog.pg_xact_status(
        CAST(CAST(pgteller_next AS pg_catalog.text) AS pg_catalog.xid8)) = 'committed', false);
      pgteller_next := pgteller_next + 1;
    END LOOP;
  EXCEPTION WHEN invalid_parameter_value THEN
    NULL;
  END;
  IF pgteller_doubt THEN
    RAISE EXCEPTION USING ERRCODE = '22P02', MESSAGE = )" +
             marker_sql(request.rule_index, changed_row, "''", "") + ";\n  END IF;\nEND $pgteller$";
  return made;
}

}  // namespace rules
