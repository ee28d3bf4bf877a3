#include "rules/scope.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

constexpr std::array<std::string_view, 6> system_columns{"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};

bool has_column(const relation& candidate, std::string_view name) {
  const auto* known = candidate.known();
  return known != nullptr && find_column(*known, name) != nullptr;
}

bool goes_by(const relation& candidate, std::string_view schema, std::string_view name) {
  if (contains(candidate.join_aliases, name)) return schema.empty();
  if (candidate.alias != name) return false;
  if (schema.empty()) return true;
  return !candidate.aliased && candidate.named != nullptr &&
         (text_of(candidate.named->schemaname).empty() || text_of(candidate.named->schemaname) == schema);
}

relation make_relation(const compiled_book& book, const PgQuery__RangeVar& named, const with_scope* with) {
  relation made;
  made.named = &named;
  made.alias = text_of(named.relname);
  if (!is_cte(with, named)) made.targets = book.targets_of(text_of(named.schemaname), text_of(named.relname));
  if (named.alias != nullptr) {
    made.aliased = true;
    made.alias = text_of(named.alias->aliasname);
    for (std::size_t i = 0; i < named.alias->n_colnames; ++i) {
      made.renamed.emplace_back(string_of(named.alias->colnames[i]));
    }
  }
  return made;
}

class from_reader {
 public:
  from_reader(scope& into, const compiled_book& book) : into_{into}, book_{book} {}

  void read(const node* item, bool nullable) {
    if (const auto* named = as<PgQuery__RangeVar>(item)) {
      add(make_relation(book_, *named, into_.with), nullable);
    } else if (const auto* sample = as<PgQuery__RangeTableSample>(item)) {
      const std::size_t before = into_.relations.size();
      read(sample->relation, nullable);
      for (std::size_t i = before; i < into_.relations.size(); ++i) into_.relations[i].sampled = true;
    } else if (const auto* join = as<PgQuery__JoinExpr>(item)) {
      read_join(*join, nullable);
    } else {
      relation derived;
      if (const auto* select = as<PgQuery__RangeSubselect>(item);
          select != nullptr && select->alias != nullptr) {
        derived.alias = text_of(select->alias->aliasname);
      } else if (const auto* call = as<PgQuery__RangeFunction>(item);
                 call != nullptr && call->alias != nullptr) {
        derived.alias = text_of(call->alias->aliasname);
      }
      add(std::move(derived), nullable);
    }
  }

 private:
  void read_join(const PgQuery__JoinExpr& join, bool nullable) {
    const auto type = join.jointype;
    const bool left = type == PG_QUERY__JOIN_TYPE__JOIN_RIGHT || type == PG_QUERY__JOIN_TYPE__JOIN_FULL;
    const bool right = type == PG_QUERY__JOIN_TYPE__JOIN_LEFT || type == PG_QUERY__JOIN_TYPE__JOIN_FULL;
    const std::size_t before = into_.relations.size();
    read(join.larg, nullable || left);
    read(join.rarg, nullable || right);
    if (join.alias == nullptr) return;
    for (std::size_t i = before; i < into_.relations.size(); ++i) {
      into_.relations[i].join_aliases.emplace_back(text_of(join.alias->aliasname));
    }
  }

  void add(relation made, bool nullable) {
    made.nullable = nullable;
    into_.relations.push_back(std::move(made));
  }

  scope& into_;
  const compiled_book& book_;
};

// One name: a column of some relation of the nearest level that has it, or a whole row.
std::vector<reference> resolve_bare(std::string_view name, const scope& inside) {
  for (const scope* level = &inside; level != nullptr; level = level->outer) {
    std::vector<reference> found;
    for (const auto& candidate : level->relations) {
      if (!candidate.renamed.empty()) {
        if (contains(candidate.renamed, name) || has_column(candidate, name))
          found.push_back({&candidate, {}});
      } else if (has_column(candidate, name)) {
        found.push_back({&candidate, name});
      } else if (goes_by(candidate, {}, name)) {
        found.push_back({&candidate, {}});
      }
    }
    // An invented table's columns are not all known; alone at its level, a name can only be its.
    if (found.empty() && level->outer == nullptr && level->relations.size() == 1) {
      const auto* known = level->relations.front().known();
      if (known != nullptr && !known->complete) return {{&level->relations.front(), name}};
    }
    if (!found.empty()) return found;
  }
  return {};
}

std::vector<reference> resolve_qualified(std::string_view schema, std::string_view name,
                                         std::string_view column, const scope& inside) {
  for (const scope* level = &inside; level != nullptr; level = level->outer) {
    std::vector<reference> found;
    for (const auto& candidate : level->relations) {
      if (!goes_by(candidate, schema, name)) continue;
      const bool certain = candidate.renamed.empty();
      found.push_back({&candidate, certain ? column : std::string_view{}});
    }
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

const table* relation::known() const noexcept {
  return targets.empty() ? nullptr : &targets.front().table->table;
}

with_scope inside_cte(const PgQuery__WithClause& clause, const with_scope* outer,
                      std::size_t index) noexcept {
  return {&clause, outer, clause.recursive ? SIZE_MAX : index};
}

bool is_cte(const with_scope* with, const PgQuery__RangeVar& named) noexcept {
  if (!text_of(named.schemaname).empty()) return false;
  for (; with != nullptr; with = with->outer) {
    for (std::size_t i = 0; i < std::min(with->clause->n_ctes, with->visible); ++i) {
      const auto* cte = as<PgQuery__CommonTableExpr>(with->clause->ctes[i]);
      if (cte != nullptr && text_of(cte->ctename) == text_of(named.relname)) return true;
    }
  }
  return false;
}

scope make_scope(const compiled_book& book, node* const* from, std::size_t count, const scope* outer,
                 const with_scope* with) {
  scope made;
  made.outer = outer;
  made.with = with;
  from_reader reader{made, book};
  for (std::size_t i = 0; i < count; ++i) reader.read(from[i], false);
  return made;
}

void add_relation(scope& into, const compiled_book& book, const PgQuery__RangeVar& named, bool nullable) {
  into.relations.push_back(make_relation(book, named, into.with));
  into.relations.back().nullable = nullable;
}

std::vector<reference> resolve(const PgQuery__ColumnRef& written, const scope& inside) {
  std::vector<std::string_view> names;
  bool star = false;
  for (std::size_t i = 0; i < written.n_fields; ++i) {
    if (as<PgQuery__AStar>(written.fields[i]) != nullptr) {
      star = true;
    } else {
      names.push_back(string_of(written.fields[i]));
    }
  }
  std::vector<reference> found;
  if (star && names.empty()) {
    for (const auto& every : inside.relations) found.push_back({&every, {}});
    return found;
  }
  const std::string_view column = star ? std::string_view{} : names.back();
  if (!star) names.pop_back();
  if (names.empty()) return resolve_bare(column, inside);
  const auto schema = names.size() > 1 ? names[names.size() - 2] : std::string_view{};
  return resolve_qualified(schema, names.back(), column, inside);
}

bool reaches_guarded(const reference& meant, const rule& guarding) {
  if (guarding.columns.empty()) return false;
  if (meant.column.empty()) return true;
  if (contains(guarding.columns, meant.column)) return true;
  // alias.name where no such column is: a function of the whole row, written as a field.
  const auto* known = meant.of->known();
  return known != nullptr && known->complete && find_column(*known, meant.column) == nullptr &&
         std::find(system_columns.begin(), system_columns.end(), meant.column) == system_columns.end();
}

}  // namespace rules
