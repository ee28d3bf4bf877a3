#include "proxy/session/prepared.hpp"

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

bool portal::let_go() noexcept {
  statement.reset();
  bind = {};
  share.set(nullptr, 0);
  watched = nullptr;
  executed = false;
  return true;
}

}  // namespace proxy::session
