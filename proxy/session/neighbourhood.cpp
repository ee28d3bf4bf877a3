#include "proxy/session/neighbourhood.hpp"

namespace proxy::session {

recorded_reads& shared_reads::of(std::string_view owner) {
  std::string name(owner);
  const auto known = by_owner_.find(name);
  if (known != by_owner_.end()) {
    ages_.splice(ages_.begin(), ages_, known->second.age);
    return known->second.reads;
  }
  if (by_owner_.size() >= most_owners) {
    by_owner_.erase(ages_.back());
    ages_.pop_back();
  }
  used_ = true;
  ages_.push_front(name);
  return by_owner_.emplace(std::move(name), item{recorded_reads{}, ages_.begin()}).first->second.reads;
}

void client_census::join(const std::string& client) {
  const std::lock_guard hold(lock_);
  ++by_client_[client].sessions;
}

void client_census::leave(const std::string& client) {
  const std::lock_guard hold(lock_);
  const auto known = by_client_.find(client);
  if (known != by_client_.end() && --known->second.sessions == 0) by_client_.erase(known);
}

bool client_census::begin_waiting(const std::string& client) {
  const std::lock_guard hold(lock_);
  count& known = by_client_[client];
  if (known.waiting + 1 >= known.sessions) return false;
  ++known.waiting;
  return true;
}

void client_census::end_waiting(const std::string& client) {
  const std::lock_guard hold(lock_);
  const auto known = by_client_.find(client);
  if (known != by_client_.end() && known->second.waiting > 0) --known->second.waiting;
}

}  // namespace proxy::session
