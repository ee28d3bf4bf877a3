#include "proxy/session/prepared.hpp"

#include <algorithm>

#include "proxy/session/watch.hpp"

namespace proxy::session {

void prepared_statement::learn_shape(std::string_view row_description) {
  constexpr std::size_t longest_kept = 1024;
  if (!description.empty() && description == row_description) return;
  shape = read_shape(row_description);
  description = row_description.size() <= longest_kept ? row_description : std::string_view{};
  readers.reset();
}

void prepared_statement::returns_no_rows() {
  shape = row_shape{};
  description.clear();
  readers.reset();
}

std::optional<refusal> prepared_statement::lacks_check(const rules::plan& now) const {
  const auto checks_itself = [](const rules::prelude& each) { return !each.insertions.empty(); };
  const auto guard = std::find_if(now.preludes.begin(), now.preludes.end(), checks_itself);
  if (rebases || guard == now.preludes.end()) return std::nullopt;
  const std::string& rule = book->rules()[guard->rule].name;
  return refusal{
      .sqlstate = "40001",
      .message = "could not serialize access: rule \"" + rule + "\" has changed",
      .detail = "The statement was prepared before that and cannot check what the rule asks for now.",
      .hint = "Prepare it again, and retry the whole unit of work.",
      .rule = rule,
      .schema = guard->schema,
      .table = guard->table,
      .column = {}};
}

bool portal::let_go() noexcept {
  statement.reset();
  bind = {};
  share.set(nullptr, 0);
  watched = nullptr;
  executed = false;
  return true;
}

}  // namespace proxy::session
