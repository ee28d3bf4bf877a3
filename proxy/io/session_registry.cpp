#include "proxy/io/session_registry.hpp"

namespace proxy::io {

session::session_id session_registry::next() {
  const std::lock_guard hold(lock_);
  return next_++;
}

void session_registry::add(session::session_id id, std::weak_ptr<connection> who) {
  const std::lock_guard hold(lock_);
  by_id_.insert_or_assign(id, std::move(who));
}

void session_registry::remove(session::session_id id) {
  const std::lock_guard hold(lock_);
  by_id_.erase(id);
}

std::shared_ptr<connection> session_registry::find(session::session_id id) const {
  const std::lock_guard hold(lock_);
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : known->second.lock();
}

}  // namespace proxy::io
