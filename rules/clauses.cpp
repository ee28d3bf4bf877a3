#include "rules/clauses.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rules {

token_text::token_text(std::string_view text, std::vector<token> tokens)
    : text_{text}, tokens_{std::move(tokens)} {
  depths_.reserve(tokens_.size());
  std::size_t depth = 0;
  for (const auto& current : tokens_) {
    if (current.kind == token_kind::close && depth > 0) --depth;
    depths_.push_back(depth);
    if (current.kind == token_kind::open) ++depth;
  }
}

bool token_text::is(std::size_t index, std::string_view keyword) const noexcept {
  return index < tokens_.size() && is_word(text_, tokens_[index], keyword);
}

bool token_text::is_clause(std::size_t index, std::string_view keyword) const noexcept {
  if (!is(index, keyword)) return false;
  if (index == 0) return true;
  if (tokens_[index - 1].kind == token_kind::dot || is(index - 1, "AS")) return false;
  return !(keyword == "FROM" && is(index - 1, "DISTINCT"));
}

std::optional<std::size_t> token_text::at(std::uint32_t offset) const noexcept {
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), offset,
                       [](const token& left, std::uint32_t right) { return left.begin < right; });
  if (found == tokens_.end() || found->begin != offset) return std::nullopt;
  return static_cast<std::size_t>(found - tokens_.begin());
}

token_range token_text::within(std::uint32_t begin, std::uint32_t end) const noexcept {
  const auto before = [](const token& left, std::uint32_t right) { return left.begin < right; };
  const auto first = std::lower_bound(tokens_.begin(), tokens_.end(), begin, before);
  const auto last = std::lower_bound(first, tokens_.end(), end, before);
  return {static_cast<std::size_t>(first - tokens_.begin()),
          static_cast<std::size_t>(last - tokens_.begin())};
}

std::optional<std::size_t> token_text::opening(std::size_t index) const noexcept {
  for (std::size_t i = index; i-- > 0;) {
    if (tokens_[i].kind == token_kind::open && depths_[i] == depths_[index]) return i;
  }
  return std::nullopt;
}

bool token_text::covers(token_range range, const message* root) const {
  bool inside = true;
  walk(root, [&](const message* found) {
    const auto location = location_of(found);
    if (location && (range.empty() || *location < tokens_[range.first].begin ||
                     *location >= tokens_[range.last - 1].end)) {
      inside = false;
    }
    return inside;
  });
  return inside;
}

bool token_text::covers(token_range range, node* const* nodes, std::size_t count) const {
  return std::all_of(nodes, nodes + count, [&](const node* item) { return covers(range, content(item)); });
}

namespace {

constexpr std::array<std::string_view, 11> clause_words{
    "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "RETURNING"};
constexpr std::array<std::string_view, 3> set_operations{"UNION", "INTERSECT", "EXCEPT"};

std::string_view clause_at(const token_text& text, std::size_t index) noexcept {
  for (const auto word : clause_words) {
    if (!text.is_clause(index, word)) continue;
    // percentile_cont(…) WITHIN GROUP (…)
    if (word == "GROUP" && index > 0 && text.is(index - 1, "WITHIN")) return {};
    return word;
  }
  return {};
}

bool is_set_operation(const token_text& text, std::size_t index) noexcept {
  return std::any_of(set_operations.begin(), set_operations.end(),
                     [&](std::string_view word) { return text.is_clause(index, word); });
}

bool ends_block(const token_text& text, std::size_t index, std::size_t depth) noexcept {
  if (text.depth(index) < depth || text.tokens()[index].kind == token_kind::semicolon) return true;
  return text.depth(index) == depth && is_set_operation(text, index);
}

struct clause {
  std::string_view word;
  token_range range;  // without the word
};

// The clauses between `first` and the end of the block, in the order they stand.
std::vector<clause> cut_clauses(const token_text& text, std::size_t first, std::size_t last) {
  std::vector<clause> clauses{{"", {first, last}}};
  const std::size_t depth = text.depth(first);
  std::size_t i = first;
  for (; i < last && !ends_block(text, i, depth); ++i) {
    if (text.depth(i) != depth) continue;
    const auto word = clause_at(text, i);
    if (word.empty()) continue;
    clauses.back().range.last = i;
    clauses.push_back({word, {i + 1, last}});
  }
  clauses.back().range.last = i;
  return clauses;
}

// Nothing if the word occurs twice: then it was not what it seemed.
std::optional<token_range> only(const std::vector<clause>& clauses, std::string_view word) {
  token_range found;
  std::size_t count = 0;
  for (const auto& candidate : clauses) {
    if (candidate.word != word) continue;
    found = candidate.range;
    ++count;
  }
  if (count > 1) return std::nullopt;
  return found;
}

bool fits(const token_text& text, const std::optional<token_range>& range, const node* where) {
  if (!range || range->empty() != (where == nullptr)) return false;
  return text.covers(*range, content(where));
}

bool fits(const token_text& text, const std::optional<token_range>& range, node* const* nodes,
          std::size_t count) {
  if (!range || range->empty() != (count == 0)) return false;
  return text.covers(*range, nodes, count);
}

// Back over ALL, DISTINCT or DISTINCT ON (…) to SELECT.
std::optional<std::size_t> select_before(const token_text& text, std::size_t first_target) {
  if (first_target == 0) return std::nullopt;
  std::size_t i = first_target - 1;
  if (text.tokens()[i].kind == token_kind::close) {
    const auto bracket = text.opening(i);
    if (!bracket || *bracket < 3 || !text.is(*bracket - 1, "ON") || !text.is(*bracket - 2, "DISTINCT")) {
      return std::nullopt;
    }
    i = *bracket - 3;
  } else if ((text.is(i, "ALL") || text.is(i, "DISTINCT")) && i > 0) {
    --i;
  }
  if (!text.is(i, "SELECT")) return std::nullopt;
  return i;
}

token_range order_and_limit(const std::vector<clause>& clauses) {
  token_range found;
  for (const auto& candidate : clauses) {
    const bool wanted = candidate.word == "ORDER" || candidate.word == "LIMIT" ||
                        candidate.word == "OFFSET" || candidate.word == "FETCH";
    if (!wanted) continue;
    if (found.empty()) found.first = candidate.range.first - 1;
    found.last = candidate.range.last;
  }
  return found;
}

}  // namespace

std::optional<select_text> find_select(const token_text& text, token_range statement,
                                       const PgQuery__SelectStmt& parsed) {
  if (parsed.n_target_list == 0) return std::nullopt;
  const auto location = location_of(content(parsed.target_list[0]));
  if (!location) return std::nullopt;
  const auto first = text.at(*location);
  if (!first || *first < statement.first || *first >= statement.last) return std::nullopt;
  const auto select = select_before(text, *first);
  if (!select || *select < statement.first) return std::nullopt;

  const auto clauses = cut_clauses(text, *first, statement.last);
  const auto from = only(clauses, "FROM");
  const auto where = only(clauses, "WHERE");
  if (!fits(text, from, parsed.from_clause, parsed.n_from_clause) ||
      !fits(text, where, parsed.where_clause) ||
      !text.covers(clauses.front().range, parsed.target_list, parsed.n_target_list)) {
    return std::nullopt;
  }
  select_text found;
  found.select = *select;
  found.targets = clauses.front().range;
  // SELECT … INTO t FROM …: the target list's text would go on too far.
  if (parsed.into_clause != nullptr) return std::nullopt;
  found.from = *from;
  found.where = *where;
  found.order_and_limit = order_and_limit(clauses);
  return found;
}

std::optional<token_range> find_with(const token_text& text, const PgQuery__WithClause& parsed,
                                     std::size_t select) {
  // Location 0 is a statement that begins with WITH.
  const auto first = text.at(static_cast<std::uint32_t>(std::max(parsed.location, 0)));
  if (!first || !text.is(*first, "WITH")) return std::nullopt;
  const std::size_t depth = text.depth(*first);
  std::size_t last = *first + 1;
  for (; last <= select; ++last) {
    if (text.depth(last) < depth) return std::nullopt;
    if (text.depth(last) == depth && text.is_clause(last, "SELECT")) break;
  }
  // The last CTE's bracket closes right before the query that WITH belongs to.
  if (last > select || text.tokens()[last - 1].kind != token_kind::close) return std::nullopt;
  const token_range range{*first, last};
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (text.depth(i) == depth && is_set_operation(text, i)) return std::nullopt;
  }
  for (std::size_t i = 0; i < parsed.n_ctes; ++i) {
    if (!text.covers(range, content(parsed.ctes[i]))) return std::nullopt;
  }
  return range;
}

namespace {

std::vector<token_range> split_by_comma(const token_text& text, token_range range, std::size_t depth) {
  std::vector<token_range> parts;
  std::size_t first = range.first;
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (text.depth(i) != depth || text.tokens()[i].kind != token_kind::comma) continue;
    parts.push_back({first, i});
    first = i + 1;
  }
  parts.push_back({first, range.last});
  return parts;
}

bool is_equals(const token_text& text, std::size_t index) {
  const token found = text.tokens()[index];
  return found.kind == token_kind::op && text.text().substr(found.begin, found.end - found.begin) == "=";
}

// "(a, b) = (x, y)" and "(a, b) = ROW (x, y)": the values inside the brackets on the right.
bool split_row(const token_text& text, token_range value, std::size_t count,
               std::vector<token_range>& values) {
  if (text.is(value.first, "ROW")) ++value.first;
  const auto& tokens = text.tokens();
  if (value.last - value.first < 2 || tokens[value.first].kind != token_kind::open ||
      text.opening(value.last - 1) != value.first) {
    return false;
  }
  const token_range inside{value.first + 1, value.last - 1};
  const auto parts = split_by_comma(text, inside, text.depth(value.first) + 1);
  if (parts.size() != count) return false;
  values.insert(values.end(), parts.begin(), parts.end());
  return true;
}

// One item of SET: a single assignment, or a list of columns. False where text and tree cannot be matched.
bool take_item(const token_text& text, token_range item, std::vector<token_range>& values) {
  const std::size_t depth = text.depth(item.first);
  std::size_t equals = item.first;
  while (equals < item.last && !(text.depth(equals) == depth && is_equals(text, equals))) ++equals;
  if (equals + 1 >= item.last || equals == item.first) return false;
  const token_range value{equals + 1, item.last};
  if (text.tokens()[item.first].kind != token_kind::open) {
    values.push_back(value);
    return true;
  }
  const token_range names{item.first + 1, equals - 1};
  const auto count = split_by_comma(text, names, depth + 1).size();
  // A sub-select or a function on the right gives no text to each column.
  if (!split_row(text, value, count, values)) values.insert(values.end(), count, token_range{});
  return true;
}

bool take_values(const token_text& text, token_range set, const PgQuery__UpdateStmt& parsed,
                 std::vector<token_range>& values) {
  if (set.empty()) return false;
  for (const auto& item : split_by_comma(text, set, text.depth(set.first))) {
    if (item.empty() || !take_item(text, item, values)) return false;
  }
  if (values.size() != parsed.n_target_list) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* assigned = as<PgQuery__ResTarget>(parsed.target_list[i]);
    if (assigned == nullptr) return false;
    if (const auto* part = as<PgQuery__MultiAssignRef>(assigned->val)) {
      const auto* row = as<PgQuery__RowExpr>(part->source);
      if (row == nullptr) {
        values[i] = {};
        continue;
      }
      const auto number = static_cast<std::size_t>(part->colno);
      if (number < 1 || number > row->n_args) return false;
      if (!values[i].empty() && !text.covers(values[i], content(row->args[number - 1]))) return false;
    } else if (values[i].empty() || !text.covers(values[i], content(assigned->val))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<update_text> find_update(const token_text& text, token_range statement,
                                       const PgQuery__UpdateStmt& parsed) {
  if (statement.last - statement.first < 5 || !text.is(statement.first, "UPDATE") ||
      parsed.n_target_list == 0) {
    return std::nullopt;
  }
  const auto location = location_of(content(parsed.target_list[0]));
  if (!location) return std::nullopt;
  auto first = text.at(*location);
  if (!first || *first <= statement.first + 1) return std::nullopt;
  if (text.tokens()[*first - 1].kind == token_kind::open) --*first;
  if (!text.is(*first - 1, "SET")) return std::nullopt;

  const auto clauses = cut_clauses(text, *first, statement.last);
  const auto from = only(clauses, "FROM");
  const auto where = only(clauses, "WHERE");
  const auto returning = only(clauses, "RETURNING");
  if (clauses.back().range.last != statement.last ||
      !fits(text, from, parsed.from_clause, parsed.n_from_clause) ||
      !fits(text, where, parsed.where_clause) ||
      !fits(text, returning, parsed.returning_list, parsed.n_returning_list)) {
    return std::nullopt;
  }
  update_text found;
  found.relation = {statement.first + 1, *first - 1};
  found.from = *from;
  found.where = *where;
  if (parsed.relation == nullptr || !text.covers(found.relation, &parsed.relation->base) ||
      !take_values(text, clauses.front().range, parsed, found.values)) {
    return std::nullopt;
  }
  return found;
}

std::optional<delete_text> find_delete(const token_text& text, token_range statement,
                                       const PgQuery__DeleteStmt& parsed) {
  if (statement.last - statement.first < 3 || !text.is(statement.first, "DELETE") ||
      !text.is(statement.first + 1, "FROM") || parsed.relation == nullptr) {
    return std::nullopt;
  }
  const std::size_t first = statement.first + 2;
  const auto clauses = cut_clauses(text, first, statement.last);
  const auto where = only(clauses, "WHERE");
  const auto returning = only(clauses, "RETURNING");
  if (clauses.back().range.last != statement.last || !fits(text, where, parsed.where_clause) ||
      !fits(text, returning, parsed.returning_list, parsed.n_returning_list)) {
    return std::nullopt;
  }
  delete_text found;
  found.where = *where;
  found.relation = clauses.front().range;
  for (std::size_t i = first; i < found.relation.last; ++i) {
    // The first one: a join's own comes later.
    if (text.depth(i) != text.depth(first) || !text.is_clause(i, "USING")) continue;
    found.others = {i + 1, found.relation.last};
    found.relation.last = i;
  }
  if (found.relation.empty() || !text.covers(found.relation, &parsed.relation->base) ||
      !fits(text, found.others, parsed.using_clause, parsed.n_using_clause)) {
    return std::nullopt;
  }
  return found;
}

}  // namespace rules
