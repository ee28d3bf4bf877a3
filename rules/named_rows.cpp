#include "rules/named_rows.hpp"

#include <algorithm>

namespace rules {
namespace {

using entry = pinned_columns::entry;

const entry* find_entry(const pinned_columns& pinned, std::string_view column) {
  const auto& all = pinned.entries();
  const auto found =
      std::find_if(all.begin(), all.end(), [column](const entry& one) { return one.column == column; });
  return found == all.end() || found->values.empty() ? nullptr : &*found;
}

pinned_column pinned_to(const column& known, const given_value& given) {
  return {known.number, given.parameter, given.constant};
}

// The pinned columns hold those of a unique index.
bool is_unique(const pinned_columns& pinned, const guarded_table& guarded) {
  const auto& table = guarded.table;
  const auto holds = [&](const std::vector<std::string>& columns, bool never_null) {
    return !columns.empty() && std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
      const auto* found = find_entry(pinned, name);
      return found != nullptr && (never_null || !found->or_null);
    });
  };
  // Without a catalog, the key is taken at its word.
  return holds(table.primary_key, true) || (!table.complete && holds(guarded.key, true)) ||
         std::any_of(table.unique_keys.begin(), table.unique_keys.end(),
                     [&](const auto& columns) { return holds(columns, false); });
}

std::vector<pinned_row> rows_by_key(const pinned_columns& pinned, const guarded_table& guarded) {
  std::vector<const entry*> found;
  for (const auto& name : guarded.key) {
    const auto* one = find_entry(pinned, name);
    // Several lists: which values belong together is not told.
    if (one == nullptr || (one->values.size() > 1 && guarded.key.size() > 1)) return {};
    found.push_back(one);
  }
  if (found.empty()) return {};
  std::vector<pinned_row> rows;
  const bool unique = is_unique(pinned, guarded);
  for (std::size_t i = 0; i < found.front()->values.size(); ++i) {
    pinned_row row{true, unique, {}};
    for (std::size_t k = 0; k < found.size(); ++k) {
      const auto* known = find_column(guarded.table, guarded.key[k]);
      if (known == nullptr) return {};
      row.columns.push_back(pinned_to(*known, found[k]->values[found.size() == 1 ? i : 0]));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::vector<pinned_row> rows_named(const pinned_columns& pinned, const guarded_table& guarded) {
  auto rows = rows_by_key(pinned, guarded);
  if (!rows.empty()) return rows;
  pinned_row row;
  pinned_columns singles;
  for (const auto& one : pinned.entries()) {
    const auto* known = find_column(guarded.table, one.column);
    if (one.values.size() != 1 || known == nullptr) continue;
    row.columns.push_back(pinned_to(*known, one.values.front()));
    singles.add(one.column, one.how, one.values, one.or_null);
  }
  if (row.columns.empty()) return rows;
  row.unique = is_unique(singles, guarded);
  std::sort(row.columns.begin(), row.columns.end(),
            [](const pinned_column& one, const pinned_column& other) { return one.column < other.column; });
  rows.push_back(std::move(row));
  return rows;
}

bool says_no_more(const pinned_columns& pinned, const guarded_table& guarded,
                  const std::vector<pinned_row>& rows) {
  if (!pinned.says_all()) return false;
  if (rows.empty()) return pinned.empty();
  return std::all_of(pinned.entries().begin(), pinned.entries().end(), [&](const entry& one) {
    const auto* known = find_column(guarded.table, one.column);
    const auto& columns = rows.front().columns;
    return known != nullptr && std::any_of(columns.begin(), columns.end(), [&](const pinned_column& used) {
             return used.column == known->number;
           });
  });
}

bool compares(const pinned_columns& pinned, std::string_view column) {
  return std::any_of(pinned.entries().begin(), pinned.entries().end(), [column](const entry& one) {
    return one.column == column && (one.how == pin::value || (one.or_null && one.values.size() == 1));
  });
}

}  // namespace rules
