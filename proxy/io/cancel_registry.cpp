#include "proxy/io/cancel_registry.hpp"

namespace proxy::io {

void cancel_registry::add(const session::cancel_key& key, std::weak_ptr<connection> who) {
  const std::lock_guard guard(lock_);
  by_process_.insert_or_assign(key.process_id, registered{key.key, std::move(who)});
}

void cancel_registry::remove(const session::cancel_key& key) {
  const std::lock_guard guard(lock_);
  const auto found = by_process_.find(key.process_id);
  // The server may have given the process id to another session meanwhile.
  if (found != by_process_.end() && found->second.key == key.key) by_process_.erase(found);
}

std::shared_ptr<connection> cancel_registry::find(const session::cancel_key& key) const {
  const std::lock_guard guard(lock_);
  const auto found = by_process_.find(key.process_id);
  if (found == by_process_.end() || found->second.key != key.key) return nullptr;
  return found->second.who.lock();
}

}  // namespace proxy::io
