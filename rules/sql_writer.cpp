#include "rules/sql_writer.hpp"

#include <algorithm>

#include "rules/value_text.hpp"

namespace rules {

sql_writer& sql_writer::copy(token_range range) {
  if (range.empty()) return *this;
  const auto& tokens = text_.tokens();
  std::uint32_t from = tokens[range.first].begin;
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (tokens[i].kind != token_kind::parameter) continue;
    stretch(from, tokens[i].begin);
    into_.sql += '$' + std::to_string(renumbered(tokens[i]));
    from = tokens[i].end;
  }
  stretch(from, tokens[range.last - 1].end);
  return *this;
}

void sql_writer::stretch(std::uint32_t from, std::uint32_t to) {
  if (from >= to) return;
  into_.copied.push_back({static_cast<std::uint32_t>(into_.sql.size()), from, to - from});
  into_.sql += text_.text().substr(from, to - from);
}

std::size_t sql_writer::renumbered(const token& parameter) {
  // Beyond 65535 PostgreSQL refuses the statement itself.
  const auto number = parameter_number(text_, parameter);
  auto& known = into_.parameters;
  const auto found = std::find(known.begin(), known.end(), number);
  const auto index = static_cast<std::size_t>(found - known.begin());
  if (found == known.end()) known.push_back(number);
  return index + 1;
}

}  // namespace rules
