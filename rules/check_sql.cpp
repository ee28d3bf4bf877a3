#include "rules/check_sql.hpp"

namespace rules {

std::string bound_holds(const std::string& value, const column& assigned, const bound_check& bound) {
  std::string number = bound.bound.starts_with('-') ? "(" + bound.bound + ")" : bound.bound;
  const auto type = number_type_of(assigned);
  if (type == number_type::money) number = "CAST(" + number + " AS pg_catalog.money)";
  std::string sql = value + (bound.is_min ? " >= " : " <= ") + number;
  // NaN sorts above every number; it must not pass for a balance.
  if (type == number_type::decimal) sql += " AND " + value + " <> 'NaN'";
  if (type == number_type::unknown) sql += " AND CAST(" + value + " AS pg_catalog.text) <> 'NaN'";
  return sql;
}

std::string as_text(const std::string& value) {
  return "COALESCE(CAST(" + value + " AS pg_catalog.text), '')";
}

std::string moved_value(const std::string& newest, const std::string& value, const std::string& read) {
  return "(CAST(" + newest + " AS pg_catalog.numeric) + (CAST(" + value + " AS pg_catalog.numeric) - " +
         read + "))";
}

std::string rebased_value(const std::string& newest, const std::string& value, const std::string& read,
                          std::string_view type, std::string_view otherwise) {
  const auto moved = moved_value(newest, value, read);
  // Only a finite number is 0 when it is taken from itself.
  std::string sql =
      "CASE WHEN " + read + " IS NULL OR " + newest + " = " + read + " THEN " + value + " WHEN ";
  sql.append(moved).append(" - ").append(moved).append(" = 0 THEN CAST(").append(moved).append(" AS ");
  return sql.append(type).append(") ELSE ").append(otherwise).append(" END");
}

std::string numbered(std::string_view name, std::size_t index) {
  return std::string{name} + std::to_string(index);
}

}  // namespace rules
