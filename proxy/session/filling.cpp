#include "proxy/session/filling.hpp"

namespace proxy::session {
namespace {

/// SQL for one hole.
std::optional<std::string> content(const rules::hole& hole, const filling& with, parameter_list* parameters) {
  sql_value value;
  if (hole.kind == rules::hole_kind::checks) {
    value = with.checks;
  } else {
    const bool known = hole.column < with.read.size() && with.read[hole.column].has_value();
    if (!known) return "NULL";
    value.pieces.push_back({"", with.read[hole.column]});
  }
  if (parameters != nullptr) return with_parameters(value, *parameters);
  return with_constants(value);
}

}  // namespace

std::optional<filled_text> fill(std::string_view text, const std::vector<rules::hole>& holes,
                                const std::vector<rules::copied_text>& copied, const filling& with,
                                parameter_list* parameters) {
  filled_text made;
  made.copied = copied;
  constexpr std::size_t semicolon = 2;  // may follow
  made.sql.reserve(text.size() + semicolon);
  std::size_t from = 0;
  for (const rules::hole& hole : holes) {
    made.sql.append(text.substr(from, hole.offset - from));
    from = hole.offset;
    const auto sql = content(hole, with, parameters);
    if (!sql) return std::nullopt;
    for (rules::copied_text& piece : made.copied) {
      if (piece.prelude_offset >= made.sql.size())
        piece.prelude_offset += static_cast<std::uint32_t>(sql->size());
    }
    made.sql.append(*sql);
  }
  made.sql.append(text.substr(from));
  return made;
}

changed_text insert_into(std::string_view client_sql, const std::vector<rules::insertion>& insertions) {
  changed_text made;
  std::size_t size = client_sql.size();
  for (const rules::insertion& ours : insertions) size += ours.text.size();
  made.sql.reserve(size);
  made.copied.reserve(insertions.size() + 1);
  std::uint32_t from = 0;
  const auto copy_until = [&](std::uint32_t end) {
    made.copied.push_back({static_cast<std::uint32_t>(made.sql.size()), from, end - from});
    made.sql.append(client_sql.substr(from, end - from));
    from = end;
  };
  for (const rules::insertion& ours : insertions) {
    copy_until(ours.client_offset);
    made.placed.push_back(static_cast<std::uint32_t>(made.sql.size()));
    made.sql.append(ours.text);
  }
  copy_until(static_cast<std::uint32_t>(client_sql.size()));
  return made;
}

}  // namespace proxy::session
