// Which UPDATEs may be run on another session's connection, in one transaction with other writes of the same
// row: those that mean the same in every session of one user and database.
#include <algorithm>
#include <array>

#include "rules/statement_context.hpp"

namespace rules {
namespace {

// now() is when the transaction began: between the statement's coming and its answer, as on its own; but it
// is the same for all that share, so who is told it must not take it for a mark of its own write. Anything
// about who asks, or that is another value each time, is left out.
bool is_moment(const PgQuery__SQLValueFunction& value) {
  switch (value.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      return true;
    default:
      return false;
  }
}

bool is_known_function(const PgQuery__FuncCall& call) {
  constexpr std::array<std::string_view, 10> known{
      "abs", "ceil", "ceiling", "floor", "mod", "now", "round", "sign", "trunc", "transaction_timestamp"};
  if (call.n_funcname == 0 || call.n_funcname > 2) return false;
  if (call.n_funcname == 2 && string_of(call.funcname[0]) != "pg_catalog") return false;
  const auto name = string_of(call.funcname[call.n_funcname - 1]);
  return std::find(known.begin(), known.end(), name) != known.end();
}

bool is_known_operator(const PgQuery__AExpr& expression) {
  constexpr std::array<std::string_view, 14> known{"+", "-",  "*",  "/",  "%",  "=",  "<",
                                                   ">", "<=", ">=", "<>", "!=", "||", "^"};
  switch (expression.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      break;
    default:
      return false;
  }
  if (expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN) return true;
  const auto name = expression.n_name == 1 ? string_of(expression.name[0]) : std::string_view{};
  return std::find(known.begin(), known.end(), name) != known.end();
}

bool is_moment(const PgQuery__FuncCall& call) {
  const auto name = call.n_funcname > 0 ? string_of(call.funcname[call.n_funcname - 1]) : std::string_view{};
  return name == "now" || name == "transaction_timestamp";
}

/// xmin and its like tell transactions apart, not writes.
bool is_of_system(const PgQuery__ColumnRef& column) {
  constexpr std::array<std::string_view, 6> names{"xmin", "xmax", "cmin", "cmax", "ctid", "tableoid"};
  const auto name = column.n_fields > 0 ? string_of(column.fields[column.n_fields - 1]) : std::string_view{};
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Rows of a group are kept until it ends, so nothing long may be in them.
bool is_short(std::string_view type) {
  constexpr std::array<std::string_view, 13> known{
      "smallint", "integer", "bigint", "real",     "double precision", "boolean", "date",
      "uuid",     "money",   "oid",    "\"char\"", "numeric",          "interval"};
  constexpr std::array<std::string_view, 5> with_limits{"numeric(", "timestamp", "time ", "interval(",
                                                        "time("};
  const auto begins = [&](std::string_view start) { return type.starts_with(start); };
  if (type.ends_with("[]")) return false;
  if (std::find(known.begin(), known.end(), type) != known.end()) return true;
  if (std::any_of(with_limits.begin(), with_limits.end(), begins)) return true;
  constexpr std::size_t digits = 3;
  return (begins("character varying(") || begins("character(")) &&
         type.find(')') - type.find('(') - 1 <= digits;
}

bool is_short(const PgQuery__ColumnRef& column, const table& of) {
  const node* const last = column.fields[column.n_fields - 1];
  const auto all_short = [](const rules::column& each) { return is_short(each.type); };
  if (as<PgQuery__AStar>(last) != nullptr)
    return of.complete && std::all_of(of.columns.begin(), of.columns.end(), all_short);
  const auto named = std::find_if(of.columns.begin(), of.columns.end(),
                                  [&](const rules::column& each) { return each.name == string_of(last); });
  return named != of.columns.end() && all_short(*named);
}

/// What is returned is short, and no moment is.
bool returns_little(const PgQuery__UpdateStmt& update, const table& of) {
  if (update.n_returning_list == 0) return true;
  bool little = true;
  walk_all(update.returning_list, update.n_returning_list, [&](const message* found) {
    const auto* column = as<PgQuery__ColumnRef>(found);
    little = little && (column == nullptr || is_short(*column, of));
    return little;
  });
  auto look = [&](const message* found) {
    const auto* call = as<PgQuery__FuncCall>(found);
    little =
        little && as<PgQuery__SQLValueFunction>(found) == nullptr && (call == nullptr || !is_moment(*call));
    return little;
  };
  walk_all(update.target_list, update.n_target_list, look);
  walk_all(update.returning_list, update.n_returning_list, look);
  return little;
}

bool is_leaf(const message* found) {
  if (const auto* column = as<PgQuery__ColumnRef>(found)) return !is_of_system(*column);
  return as<PgQuery__AConst>(found) != nullptr || as<PgQuery__ParamRef>(found) != nullptr ||
         as<PgQuery__TypeName>(found) != nullptr;
}

bool is_known(const message* found) {
  if (const auto* call = as<PgQuery__FuncCall>(found)) return is_known_function(*call);
  if (const auto* value = as<PgQuery__SQLValueFunction>(found)) return is_moment(*value);
  if (const auto* expression = as<PgQuery__AExpr>(found)) return is_known_operator(*expression);
  return as<PgQuery__BoolExpr>(found) != nullptr || as<PgQuery__NullTest>(found) != nullptr ||
         as<PgQuery__TypeCast>(found) != nullptr || as<PgQuery__CoalesceExpr>(found) != nullptr ||
         as<PgQuery__MinMaxExpr>(found) != nullptr || as<PgQuery__CaseExpr>(found) != nullptr ||
         as<PgQuery__CaseWhen>(found) != nullptr || as<PgQuery__ResTarget>(found) != nullptr ||
         as<PgQuery__List>(found) != nullptr || as<PgQuery__String>(found) != nullptr;
}

}  // namespace

bool may_share_commit(const statement_context& context, const PgQuery__UpdateStmt& update,
                      const plan& planned) {
  if (planned.touches.size() != 1 || planned.writes.size() != 1 || !planned.reads.empty()) return false;
  const touch& counted = planned.touches.front();
  const write_note& note = planned.writes.front();
  const rule& configured = context.book.rules[counted.rule];
  if (!configured.group_commit || configured.mode != mode::enforce || counted.unguarded) return false;
  if (note.rows.size() != 1 || !note.rows.front().by_key || update.with_clause != nullptr ||
      update.n_from_clause > 0) {
    return false;
  }
  const auto& tables = context.book.details[counted.rule].tables;
  const auto written = std::find_if(tables.begin(), tables.end(), [&](const guarded_table& each) {
    return each.relation == note.relation;
  });
  if (written == tables.end() || !written->table.plain || !returns_little(update, written->table))
    return false;
  const bool carries = std::any_of(planned.preludes.begin(), planned.preludes.end(), [](const prelude& each) {
    return each.before_bind || each.once || !each.insertions.empty();
  });
  bool known = !carries;
  auto look = [&](const message* found) {
    if (!known || is_leaf(found)) return false;
    known = is_known(found);
    return known;
  };
  walk_all(update.target_list, update.n_target_list, look);
  walk(update.where_clause, look);
  walk_all(update.returning_list, update.n_returning_list, look);
  return known;
}

}  // namespace rules
