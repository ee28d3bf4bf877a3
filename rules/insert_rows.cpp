#include "rules/insert_rows.hpp"

#include <algorithm>
#include <array>

#include "rules/aggregates.hpp"
#include "rules/check_sql.hpp"
#include "rules/sql_writer.hpp"

namespace rules {
namespace {

// PostgreSQL's own functions that give the same value throughout a transaction, and read no table.
constexpr std::array<std::string_view, 38> steady_functions{
    "abs",       "btrim",    "ceil",    "ceiling",      "char_length", "concat",  "concat_ws", "date",
    "date_part", "decode",   "encode",  "extract",      "floor",       "initcap", "left",      "length",
    "lower",     "lpad",     "ltrim",   "make_date",    "md5",         "mod",     "now",       "power",
    "replace",   "right",    "round",   "rpad",         "rtrim",       "sign",    "sqrt",      "substr",
    "substring", "timezone", "to_char", "to_timestamp", "trunc",       "upper"};

bool is_steady(const PgQuery__FuncCall& call) {
  if (call.n_funcname == 0) return false;
  const auto name = string_of(call.funcname[call.n_funcname - 1]);
  return std::find(steady_functions.begin(), steady_functions.end(), name) != steady_functions.end();
}

bool has_star(const PgQuery__SelectStmt& select) {
  bool star = false;
  walk_all(select.target_list, select.n_target_list, [&](const message* found) {
    star = star || as<PgQuery__AStar>(found) != nullptr;
    return as<PgQuery__SelectStmt>(found) == nullptr && as<PgQuery__FuncCall>(found) == nullptr;
  });
  return star;
}

// Its result rows are those that FROM and WHERE choose, each target a column.
bool is_plain(const PgQuery__SelectStmt& select) {
  return select.op == PG_QUERY__SET_OPERATION__SETOP_NONE && select.n_target_list > 0 &&
         select.limit_count == nullptr && select.limit_offset == nullptr && select.n_window_clause == 0 &&
         !counts_groups(select) && !has_star(select);
}

// A bare parameter takes its type from the column that it is stored in; in a sub-select it would be text.
bool has_bare_parameter(const PgQuery__SelectStmt& select) {
  if (select.larg != nullptr && has_bare_parameter(*select.larg)) return true;
  if (select.rarg != nullptr && has_bare_parameter(*select.rarg)) return true;
  if (select.n_values_lists > 0) return true;  // the same for its items; not worth telling apart
  return std::any_of(select.target_list, select.target_list + select.n_target_list, [](const node* item) {
    const auto* target = as<PgQuery__ResTarget>(item);
    return target == nullptr || as<PgQuery__ParamRef>(target->val) != nullptr;
  });
}

std::size_t closing(const token_text& text, std::size_t open, std::size_t last) {
  std::size_t i = open + 1;
  while (i < last && text.depth(i) > text.depth(open)) ++i;
  return i;
}

std::vector<token_range> items(const token_text& text, token_range range, std::size_t depth) {
  std::vector<token_range> found{{range.first, range.last}};
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (text.depth(i) != depth || text.tokens()[i].kind != token_kind::comma) continue;
    found.back().last = i;
    found.push_back({i + 1, range.last});
  }
  return found;
}

// A query in brackets, not a list of columns.
bool opens_query(const token_text& text, std::size_t open) {
  if (text.tokens()[open + 1].kind == token_kind::open) return true;
  const bool values = text.is(open + 1, "VALUES") && text.tokens()[open + 2].kind == token_kind::open;
  return values || text.is(open + 1, "SELECT") || text.is(open + 1, "WITH") || text.is(open + 1, "TABLE");
}

// Behind INSERT INTO name [AS alias] [(columns)] [OVERRIDING … VALUE].
std::size_t query_begin(const token_text& text, token_range statement) {
  const auto& tokens = text.tokens();
  std::size_t i = statement.first + 3;
  while (i + 1 < statement.last && tokens[i].kind == token_kind::dot) i += 2;
  if (text.is(i, "AS")) i += 2;
  if (i + 2 < statement.last && tokens[i].kind == token_kind::open && !opens_query(text, i))
    i = closing(text, i, statement.last) + 1;
  if (text.is(i, "OVERRIDING")) i += 3;
  return i;
}

std::size_t query_end(const token_text& text, token_range statement, const PgQuery__InsertStmt& insert) {
  const std::size_t depth = text.depth(statement.first);
  for (std::size_t i = statement.last; i-- > statement.first;) {
    if (text.depth(i) != depth) continue;
    if (insert.on_conflict_clause != nullptr) {
      if (text.is_clause(i, "ON") && text.is(i + 1, "CONFLICT")) return i;
    } else if (insert.n_returning_list == 0 || text.is_clause(i, "RETURNING")) {
      return insert.n_returning_list == 0 ? statement.last : i;
    }
  }
  return statement.first;
}

}  // namespace

insert_rows::insert_rows(const statement_context& context, const PgQuery__InsertStmt& insert,
                         const table& into)
    : context_{context}, select_{as<PgQuery__SelectStmt>(insert.select_stmt)}, table_{into.name} {
  listed_ = insert.n_cols > 0;
  for (std::size_t i = 0; i < insert.n_cols; ++i) {
    const auto* column = as<PgQuery__ResTarget>(insert.cols[i]);
    // A field or an element is no value of the column.
    const bool whole = column != nullptr && column->n_indirection == 0;
    columns_.push_back(whole ? text_of(column->name) : std::string_view{});
  }
  if (!listed_ && into.complete) {
    for (const auto& each : into.columns) columns_.push_back(each.name);
  }
  const bool overrides = insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE;
  if (select_ != nullptr && insert.with_clause == nullptr && select_->with_clause == nullptr && !overrides)
    find_text(insert);
}

void insert_rows::find_text(const PgQuery__InsertStmt& insert) {
  const auto& text = context_.text;
  const token_range statement = context_.tokens;
  if (statement.last - statement.first < 5 || !text.is(statement.first, "INSERT")) return;
  const token_range query{query_begin(text, statement), query_end(text, statement, insert)};
  if (query.empty() || !text.covers(query, &select_->base)) return;
  if (is_query()) return find_query(query);
  find_rows(query);
}

void insert_rows::find_rows(token_range query) {
  const auto& text = context_.text;
  if (!text.is(query.first, "VALUES")) return;
  std::vector<std::vector<token_range>> rows;
  std::size_t i = query.first + 1;
  for (; i < query.last && text.tokens()[i].kind == token_kind::open; ++i) {
    const std::size_t close = closing(text, i, query.last);
    rows.push_back(items(text, {i + 1, close}, text.depth(i) + 1));
    i = close + 1;
    if (i >= query.last || text.tokens()[i].kind != token_kind::comma) break;
  }
  if (i != query.last || rows.size() != select_->n_values_lists) return;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto* list = as<PgQuery__List>(select_->values_lists[row]);
    if (list == nullptr || list->n_items != rows[row].size()) return;
    for (std::size_t k = 0; k < list->n_items; ++k) {
      if (rows[row][k].empty() || !text.covers(rows[row][k], content(list->items[k]))) return;
    }
  }
  rows_ = std::move(rows);
}

void insert_rows::find_query(token_range query) {
  const auto& text = context_.text;
  if (is_plain(*select_)) {
    const auto found = find_select(text, query, *select_);
    if (!found || found->select != query.first) return;
    const auto targets = items(text, found->targets, text.depth(found->select));
    if (targets.size() != select_->n_target_list) return;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto* target = as<PgQuery__ResTarget>(select_->target_list[i]);
      if (target == nullptr || targets[i].empty() || !text.covers(targets[i], content(target->val))) return;
      // A label would stand inside the CAST.
      token_range value = targets[i];
      if (target->name != nullptr && *target->name != '\0') {
        if (value.last - value.first < 2) return;
        value.last -= text.is(value.last - 2, "AS") ? 2U : 1U;
      }
      targets_.push_back(value);
    }
    from_ = found->from;
    where_ = found->where;
  } else if (!has_bare_parameter(*select_) && (listed_ || !has_star(*select_)) &&
             select_->n_locking_clause == 0) {
    whole_ = query;
  }
}

std::size_t insert_rows::size() const noexcept {
  return is_query() || select_ == nullptr ? 1 : select_->n_values_lists;
}

std::optional<std::size_t> insert_rows::place(std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

const node* insert_rows::value(std::size_t row, std::size_t place) const {
  if (is_query()) {
    if (place >= targets_.size()) return nullptr;
    return as<PgQuery__ResTarget>(select_->target_list[place])->val;
  }
  if (row >= rows_.size() || place >= rows_[row].size()) return nullptr;
  return as<PgQuery__List>(select_->values_lists[row])->items[place];
}

known_value insert_rows::judge(const message* value) const {
  auto known = known_value::exactly;
  walk(value, [&](const message* found) {
    if (as<PgQuery__SetToDefault>(found) != nullptr) known = known_value::no;
    const auto* call = as<PgQuery__FuncCall>(found);
    const bool open = as<PgQuery__SubLink>(found) != nullptr || as<PgQuery__ColumnRef>(found) != nullptr ||
                      (call != nullptr && !is_steady(*call));
    if (open && known == known_value::exactly) known = known_value::probably;
    return known != known_value::no;
  });
  return calls_volatile(context_.book, value) ? known_value::no : known;
}

// Whether the query gives a row may change in between too, unless that hangs on the table itself: an INSERT
// … SELECT … WHERE NOT EXISTS (…) of the same key.
known_value insert_rows::judge_query(std::size_t place) const {
  if (!whole_.empty())
    return calls_volatile(context_.book, &select_->base) ? known_value::no : known_value::probably;
  const auto* given = value(0, place);
  if (given == nullptr || calls_volatile(context_.book, select_->from_clause, select_->n_from_clause) ||
      calls_volatile(context_.book, content(select_->where_clause))) {
    return known_value::no;
  }
  bool open = select_->n_from_clause > 0;
  walk(select_->where_clause, [&](const message* found) {
    const auto* named = as<PgQuery__RangeVar>(found);
    const auto* call = as<PgQuery__FuncCall>(found);
    open = open || (named != nullptr && text_of(named->relname) != table_) ||
           (call != nullptr && !is_steady(*call));
    return !open;
  });
  const auto known = judge(content(given));
  return open && known == known_value::exactly ? known_value::probably : known;
}

known_value insert_rows::knows(std::size_t row, std::string_view column) const {
  const auto at = place(column);
  if (!at) return known_value::no;
  if (is_query()) return judge_query(*at);
  const auto* given = value(row, *at);
  return given == nullptr ? known_value::no : judge(content(given));
}

bool insert_rows::leaves_out(std::size_t row, std::string_view column) const {
  const auto at = place(column);
  if (!at || select_ == nullptr) return true;
  if (is_query()) return is_plain(*select_) && *at >= select_->n_target_list;
  const auto* given = row < select_->n_values_lists ? as<PgQuery__List>(select_->values_lists[row]) : nullptr;
  if (given == nullptr) return false;
  return *at >= given->n_items || as<PgQuery__SetToDefault>(given->items[*at]) != nullptr;
}

void insert_rows::append_relation(prelude& into, const std::vector<const column*>& columns,
                                  const std::vector<std::size_t>& rows, std::string_view name,
                                  bool always) const {
  sql_writer out{context_.text, into};
  const auto row_of = [&](std::size_t row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      out.raw(i > 0 ? ", CAST(" : "CAST(");
      const auto at = place(columns[i]->name);
      if (knows(row, columns[i]->name) == known_value::no) {
        out.raw("NULL");
      } else if (!whole_.empty()) {
        out.raw("pgteller_q.").raw(numbered("pgteller_q", *at));
      } else {
        out.copy(is_query() ? targets_[*at] : rows_[row][*at]);
      }
      out.raw(" AS ").raw(columns[i]->type).raw(")");
    }
  };
  out.raw(is_query() ? "(SELECT " : "(VALUES ");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_query()) out.raw(i > 0 ? ",\n  (" : "(");
    row_of(rows[i]);
    if (!is_query()) out.raw(")");
  }
  if (!whole_.empty()) {
    out.raw("\nFROM (").copy(whole_).raw(") pgteller_q(");
    const std::size_t count = listed_ ? columns_.size() : select_->n_target_list;
    for (std::size_t i = 0; i < count; ++i) out.raw(i > 0 ? ", " : "").raw(numbered("pgteller_q", i));
    out.raw(")");
  }
  if (!from_.empty()) out.raw("\nFROM ").copy(from_);
  if (!where_.empty() && !(always && from_.empty())) out.raw("\nWHERE ").copy(where_);
  out.raw(") ").raw(name).raw("(");
  for (std::size_t i = 0; i < columns.size(); ++i) out.raw(i > 0 ? ", " : "").raw(numbered(name, i));
  out.raw(")");
}

}  // namespace rules
