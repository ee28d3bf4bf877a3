#include "proxy/session/session_state.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "rules/scanner.hpp"

namespace proxy::session {
namespace {

using rules::token;
using rules::token_kind;
using words = std::initializer_list<std::string_view>;

bool is_any(std::string_view sql, const token& found, words of) noexcept {
  return std::any_of(of.begin(), of.end(),
                     [&](std::string_view word) { return rules::is_word(sql, found, word); });
}

/// What a statement that leaves nothing behind begins with.
bool begins_harmless(std::string_view sql, const token& first) noexcept {
  return is_any(sql, first,
                {"SELECT", "INSERT",   "UPDATE",    "DELETE",  "MERGE",      "VALUES",  "TABLE",
                 "WITH",   "BEGIN",    "START",     "COMMIT",  "END",        "ABORT",   "ROLLBACK",
                 "SHOW",   "RELEASE",  "SAVEPOINT", "EXPLAIN", "DEALLOCATE", "PREPARE", "EXECUTE",
                 "COPY",   "TRUNCATE", "NOTIFY",    "RESET",   "DISCARD",    "CLOSE",   "FETCH"});
}

/// Words that stand before a parenthesis without being a function's name, and functions that only compute or
/// look.
bool may_precede_parenthesis(std::string_view sql, const token& found) noexcept {
  return is_any(
             sql, found,
             {"IN",      "VALUES",    "AND",      "OR",        "NOT",  "EXISTS",  "ANY",     "ALL",
              "SOME",    "FROM",      "WHERE",    "JOIN",      "ON",   "USING",   "AS",      "SELECT",
              "THEN",    "ELSE",      "WHEN",     "BY",        "SET",  "UNION",   "EXCEPT",  "INTERSECT",
              "HAVING",  "RETURNING", "LATERAL",  "DISTINCT",  "OVER", "FILTER",  "LIMIT",   "OFFSET",
              "ROW",     "CONFLICT",  "NUMERIC",  "DECIMAL",   "BIT",  "CHAR",    "VARCHAR", "CHARACTER",
              "VARYING", "TIME",      "INTERVAL", "TIMESTAMP", "CAST", "EXTRACT", "ARRAY",   "MATERIALIZED",
              "EXPLAIN", "LIKE",      "ILIKE",    "COPY"}) ||
         is_any(
             sql, found,
             {"ABS",      "ARRAY_AGG", "AVG",       "BOOL_AND",   "BOOL_OR",     "CEIL",       "CEILING",
              "COALESCE", "CONCAT",    "CONCAT_WS", "COUNT",      "DATE_PART",   "DATE_TRUNC", "EXP",
              "FLOOR",    "FORMAT",    "GREATEST",  "LAST_VALUE", "FIRST_VALUE", "LAG",        "LEAD",
              "LEAST",    "LEFT",      "LENGTH",    "LN",         "LOWER",       "LPAD",       "LTRIM",
              "MAX",      "MD5",       "MIN",       "MOD",        "NOW",         "NULLIF",     "POSITION",
              "POWER",    "RANDOM",    "RANK",      "REPLACE",    "RIGHT",       "ROUND",      "ROW_NUMBER",
              "RPAD",     "RTRIM",     "SIGN",      "SPLIT_PART", "SQRT",        "STRING_AGG", "STRPOS",
              "SUBSTR",   "SUBSTRING", "SUM",       "TO_CHAR",    "TO_DATE",     "TO_JSON",    "TO_JSONB",
              "TRIM",     "TRUNC",     "UNNEST",    "UPPER",      "VERSION",     "AGE"}) ||
         is_any(sql, found,
                {"CLOCK_TIMESTAMP",
                 "CURRENT_DATABASE",
                 "CURRENT_SCHEMA",
                 "CURRENT_SCHEMAS",
                 "CURRENT_SETTING",
                 "GENERATE_SERIES",
                 "GEN_RANDOM_UUID",
                 "JSON_AGG",
                 "JSONB_AGG",
                 "JSON_BUILD_OBJECT",
                 "JSONB_BUILD_OBJECT",
                 "NEXTVAL",
                 "LASTVAL",
                 "CURRVAL",
                 "PG_BACKEND_PID",
                 "PG_SLEEP",
                 "PG_TABLE_IS_VISIBLE",
                 "FORMAT_TYPE",
                 "OBJ_DESCRIPTION",
                 "ROW_TO_JSON",
                 "STATEMENT_TIMESTAMP",
                 "TRANSACTION_TIMESTAMP",
                 "TXID_CURRENT",
                 "TXID_CURRENT_IF_ASSIGNED",
                 "TO_REGCLASS"});
}

/// Reads a string token by token; what came just before is kept.
class reader {
 public:
  reader(std::string_view sql, bool standard_strings) noexcept : sql_{sql}, tokens_{sql, !standard_strings} {}

  bool harmless() noexcept {
    for (token next = tokens_.next(); next.kind != token_kind::end; next = tokens_.next()) {
      if (next.kind == token_kind::invalid || !take(next)) return false;
      before_[1] = before_[0];
      before_[0] = last_;
      last_ = next;
    }
    return true;
  }

 private:
  [[nodiscard]] bool take(const token& next) noexcept {
    if (next.kind == token_kind::semicolon) {
      first_ = true;
      set_ = into_ = false;
      return true;
    }
    if (set_) {
      set_ = false;
      return is_any(sql_, next, {"LOCAL", "TRANSACTION", "CONSTRAINTS", "APPLICATION_NAME"});
    }
    if (first_) {
      first_ = false;
      set_ = rules::is_word(sql_, next, "SET");
      return set_ || next.kind == token_kind::open || begins_harmless(sql_, next);
    }
    if (next.kind == token_kind::open) return sql_[next.begin] == '[' || opens_harmless();
    if (is_any(sql_, next, {"DECLARE", "TEMP", "TEMPORARY", "SET_CONFIG", "CURSOR"})) return false;
    if (rules::is_word(sql_, next, "INTO")) {
      // SELECT … INTO makes a table, which may be a temporary one.
      into_ = is_any(sql_, last_, {"INSERT", "MERGE"});
      return into_;
    }
    // The name behind INTO, with its schema, may be followed by a list of columns.
    const bool of_name =
        next.kind == token_kind::word || next.kind == token_kind::quoted_word || next.kind == token_kind::dot;
    const bool goes_on =
        rules::is_word(sql_, last_, "INTO") || next.kind == token_kind::dot || last_.kind == token_kind::dot;
    into_ = into_ && of_name && goes_on;
    return true;
  }

  [[nodiscard]] bool opens_harmless() noexcept {
    if (std::exchange(into_, false)) return true;
    if (last_.kind == token_kind::quoted_word) return false;
    if (last_.kind != token_kind::word) return true;
    if (before_[0].kind == token_kind::dot && !rules::is_word(sql_, before_[1], "PG_CATALOG")) return false;
    return may_precede_parenthesis(sql_, last_);
  }

  std::string_view sql_;
  rules::scanner tokens_;
  token last_;
  std::array<token, 2> before_;  // `last_`, the nearest first
  bool first_ = true;            // a statement begins
  bool set_ = false;             // SET has come, its name has not
  bool into_ = false;            // inside the name of an INSERT's table
};

}  // namespace

bool leaves_session_as_it_was(std::string_view sql, bool standard_strings) noexcept {
  return reader{sql, standard_strings}.harmless();
}

}  // namespace proxy::session
