#include "proxy/session/row_shape.hpp"

#include <algorithm>
#include <utility>

namespace proxy::session {

std::optional<row_shape> read_shape(std::string_view row_description_body) {
  const auto fields = protocol::backend::decode_row_description(row_description_body);
  if (!fields) return std::nullopt;
  row_shape shape;
  shape.columns.reserve(fields->size());
  for (const auto& field : *fields) {
    shape.columns.push_back({field.table, field.column, field.type, field.format});
  }
  return shape;
}

void formats_of(const row_shape& shape, std::vector<std::int16_t>& formats) {
  formats.clear();
  for (const row_shape::column& column : shape.columns) formats.push_back(column.format);
}

row_reader::place row_reader::find(const row_shape& shape, std::uint32_t table, std::int16_t number) {
  place found;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const row_shape::column& column = shape.columns[i];
    if (column.table != table || column.number != number) continue;
    found.fields.push_back(i);
    found.type = column.type;
  }
  return found;
}

std::optional<row_reader> row_reader::make(const row_shape& shape, const rules::guarded_relation& of) {
  if (of.oid == 0) return std::nullopt;  // would match every expression
  row_reader made;
  made.fields_ = shape.columns.size();
  bool any = false;
  for (const rules::column& column : of.columns) {
    made.columns_.push_back(find(shape, of.oid, column.number));
    // A table joined with itself: whose value is whose cannot be told.
    any = any || !made.columns_.back().fields.empty();
  }
  if (!any) return std::nullopt;
  for (const rules::column& column : of.key) made.key_.push_back(find(shape, of.oid, column.number));
  return made;
}

bool row_reader::read(std::string_view data_row_body, const std::vector<std::int16_t>& formats,
                      told_row& row) const {
  const auto values = protocol::backend::decode_data_row(data_row_body);
  if (!values || values->size() != fields_) return false;
  if (formats.size() > 1 && formats.size() != fields_) return false;
  auto& fields = row.fields;
  fields.clear();
  for (const auto& value : *values) fields.push_back(value);

  const auto format = [&](std::size_t field) {
    if (formats.empty()) return std::int16_t{0};
    return formats.size() == 1 ? formats.front() : formats[field];
  };
  const auto told = [&](const place& of) -> std::optional<value_view> {
    if (of.fields.empty()) return std::nullopt;
    const std::size_t first = of.fields.front();
    const bool agree = std::all_of(of.fields.begin() + 1, of.fields.end(), [&](std::size_t each) {
      return format(each) == format(first) && fields[each] == fields[first];
    });
    if (!agree) return std::nullopt;
    return value_view{of.type, format(first), fields[first]};
  };
  row.key.clear();
  row.columns.clear();
  for (const place& each : key_) row.key.push_back(told(each));
  for (const place& each : columns_) row.columns.push_back(told(each));
  return true;
}

bool row_reader::has_key() const noexcept {
  return !key_.empty() &&
         std::none_of(key_.begin(), key_.end(), [](const place& each) { return each.fields.empty(); });
}

}  // namespace proxy::session
