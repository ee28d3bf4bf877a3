#include "proxy/session/statement_rows.hpp"

#include <algorithm>

namespace proxy::session {
namespace {

/// The type by which a value of the column is told: the key's is known, another column's is not.
std::uint32_t type_of(const rules::guarded_relation& relation, std::int16_t number) {
  const auto found = std::find_if(relation.key.begin(), relation.key.end(),
                                  [&](const rules::column& known) { return known.number == number; });
  return found == relation.key.end() ? 0 : found->type_oid;
}

std::optional<std::string> text_for(const rules::pinned_column& pinned, std::uint32_t type,
                                    const parameter_source& from) {
  value_view value{.type = 0, .format = 0, .bytes = pinned.constant};
  if (pinned.parameter != 0) {
    const auto bound = parameter_view(from, pinned.parameter);
    if (!bound) return std::nullopt;
    value = *bound;
  }
  // A row found by another column: the same spelling by the same client is enough to queue by.
  return type == 0 ? text_of(value) : canonical(value, type);
}

}  // namespace

std::optional<bound_value> parameter(const parameter_source& from, std::uint16_t number) {
  const auto bound = parameter_view(from, number);
  if (!bound) return std::nullopt;
  return kept(*bound);
}

std::optional<value_view> parameter_view(const parameter_source& from, std::uint16_t number) {
  const std::size_t index = number - 1U;
  if (from.bind == nullptr || number == 0 || index >= from.bind->values.size()) return std::nullopt;
  value_view value;
  if (from.types != nullptr && index < from.types->size()) value.type = (*from.types)[index];
  value.format = from.bind->format(index);
  value.bytes = from.bind->value(index);
  return value;
}

void name_rows(std::string_view database, const rules::guarded_relation& relation,
               const std::vector<rules::pinned_row>& rows, const parameter_source& from, named_rows& named) {
  named.clear();
  for (const rules::pinned_row& row : rows) {
    named_row& made = named.add();
    made.by_key = row.by_key;
    made.unique = row.unique || row.by_key;
    made.key.clear();
    begin_row_name(database, relation.oid, made.id);
    for (const rules::pinned_column& pinned : row.columns) {
      const auto text = text_for(pinned, type_of(relation, pinned.column), from);
      if (!text) return named.clear();
      if (row.by_key) made.key.add() = *text;
      append_column(pinned.column, *text, made.id);
    }
  }
}

row_id id_of(std::string_view database, const rules::guarded_relation& relation,
             const std::vector<std::string>& key) {
  row_id name;
  begin_row_name(database, relation.oid, name);
  for (std::size_t i = 0; i < key.size(); ++i) append_column(relation.key[i].number, key[i], name);
  return name;
}

bool all_by_key(const named_rows& rows) noexcept {
  return !rows.empty() &&
         std::all_of(rows.begin(), rows.end(), [](const named_row& row) { return row.by_key; });
}

}  // namespace proxy::session
