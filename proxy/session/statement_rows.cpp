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
  bound_value value{.type = 0, .format = 0, .bytes = pinned.constant};
  if (pinned.parameter != 0) {
    const auto bound = parameter(from, pinned.parameter);
    if (!bound) return std::nullopt;
    value = *bound;
  }
  // A row found by another column: the same spelling by the same client is enough to queue by.
  return type == 0 ? text_of(value) : canonical(value, type);
}

}  // namespace

std::optional<bound_value> parameter(const parameter_source& from, std::uint16_t number) {
  const std::size_t index = number - 1U;
  if (from.bind == nullptr || number == 0 || index >= from.bind->values.size()) return std::nullopt;
  bound_value value;
  if (from.types != nullptr && index < from.types->size()) value.type = (*from.types)[index];
  value.format = from.bind->format(index);
  if (const auto bytes = from.bind->value(index)) value.bytes = std::string(*bytes);
  return value;
}

std::vector<named_row> name_rows(std::string_view database, const rules::guarded_relation& relation,
                                 const std::vector<rules::pinned_row>& rows, const parameter_source& from) {
  std::vector<named_row> named;
  for (const rules::pinned_row& row : rows) {
    named_row made;
    made.by_key = row.by_key;
    made.unique = row.unique || row.by_key;
    std::vector<std::pair<std::int16_t, std::string>> columns;
    for (const rules::pinned_column& pinned : row.columns) {
      auto text = text_for(pinned, type_of(relation, pinned.column), from);
      if (!text) return {};
      if (row.by_key) made.key.push_back(*text);
      columns.emplace_back(pinned.column, std::move(*text));
    }
    made.id = row_name(database, relation.oid, columns);
    named.push_back(std::move(made));
  }
  return named;
}

row_id id_of(std::string_view database, const rules::guarded_relation& relation,
             const std::vector<std::string>& key) {
  std::vector<std::pair<std::int16_t, std::string>> columns;
  for (std::size_t i = 0; i < key.size(); ++i) columns.emplace_back(relation.key[i].number, key[i]);
  return row_name(database, relation.oid, columns);
}

bool all_by_key(const std::vector<named_row>& rows) noexcept {
  return !rows.empty() &&
         std::all_of(rows.begin(), rows.end(), [](const named_row& row) { return row.by_key; });
}

}  // namespace proxy::session
