#include "rules/conjuncts.hpp"

#include <algorithm>
#include <optional>

#include "rules/pins.hpp"

namespace rules {
namespace {

struct condition {
  const node* expression = nullptr;
  token_range text;
};

token_range without_brackets(const token_text& text, token_range range) {
  const auto& tokens = text.tokens();
  while (range.last - range.first > 2 && tokens[range.first].kind == token_kind::open &&
         tokens[range.last - 1].kind == token_kind::close && text.opening(range.last - 1) == range.first) {
    ++range.first;
    --range.last;
  }
  return range;
}

// At the AND of the outermost level; that of BETWEEN … AND … joins nothing, and inside CASE … END none does.
std::vector<token_range> split_at_and(const token_text& text, token_range range) {
  std::vector<token_range> pieces;
  const std::size_t depth = text.depth(range.first);
  std::size_t first = range.first;
  std::size_t cases = 0;
  bool between = false;
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (text.depth(i) != depth) continue;
    if (text.is_clause(i, "CASE")) ++cases;
    if (text.is_clause(i, "END") && cases > 0) --cases;
    if (cases > 0) continue;
    if (text.is_clause(i, "BETWEEN")) between = true;
    if (!text.is_clause(i, "AND")) continue;
    if (!between) {
      pieces.push_back({first, i});
      first = i + 1;
    }
    between = false;
  }
  pieces.push_back({first, range.last});
  return pieces;
}

void flatten(const node* where, std::vector<const node*>& into) {
  const auto* junction = as<PgQuery__BoolExpr>(where);
  if (junction == nullptr || junction->boolop != PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
    into.push_back(where);
    return;
  }
  for (std::size_t i = 0; i < junction->n_args; ++i) flatten(junction->args[i], into);
}

void cut(const token_text& text, token_range range, std::vector<token_range>& into) {
  range = without_brackets(text, range);
  const auto pieces = split_at_and(text, range);
  if (pieces.size() == 1) {
    into.push_back(range);
    return;
  }
  for (const auto& piece : pieces) {
    if (!piece.empty()) cut(text, piece, into);
  }
}

// Piece by piece in the order they stand, each exactly one condition.
std::vector<condition> split(const token_text& text, token_range range, const node* where) {
  std::vector<const node*> expressions;
  std::vector<token_range> pieces;
  flatten(where, expressions);
  cut(text, range, pieces);
  std::vector<condition> conditions;
  if (pieces.size() != expressions.size()) return conditions;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!text.covers(pieces[i], content(expressions[i]))) return {};
    conditions.push_back({expressions[i], pieces[i]});
  }
  return conditions;
}

const std::vector<std::string>* pinned_key(const pinned_columns& pinned, const guarded_table& guarded) {
  if (pinned.all(guarded.key, pin::list)) return &guarded.key;
  if (pinned.all(guarded.table.primary_key, pin::list)) return &guarded.table.primary_key;
  for (const auto& unique : guarded.table.unique_keys) {
    if (pinned.all(unique, pin::list)) return &unique;
  }
  return nullptr;
}

}  // namespace

std::vector<token_range> key_conditions(const token_text& text, token_range range, const node* where,
                                        const relation& of, const scope& inside,
                                        const guarded_table& guarded) {
  std::vector<token_range> found;
  if (where == nullptr || range.empty()) return found;
  const auto* key = pinned_key(pins_of(of, inside, where, nullptr, 0), guarded);
  if (key == nullptr) return found;
  for (const auto& each : split(text, range, where)) {
    const auto pinned = pins_of(of, inside, each.expression, nullptr, 0);
    const bool wanted = std::any_of(
        key->begin(), key->end(), [&](const std::string& column) { return pinned.all({column}, pin::list); });
    if (wanted) found.push_back(each.text);
  }
  return found;
}

}  // namespace rules
