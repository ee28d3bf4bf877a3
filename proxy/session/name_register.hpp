// What the client's names for prepared statements, or portals, stand for: confirmed by the server, or in
// flight. Knows nothing of messages; the ledger tells which change was confirmed and which was skipped.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace proxy::session {

/// Changes take effect for look-ups as soon as they are sent, since a pipeline may use a name at once; they
/// become lasting when the server confirms them and vanish when it skips or refuses them. A name that is not
/// kept here stands for something that no rule concerns.
template <class T>
class name_register {
 public:
  /// Whether giving `name` this meaning (or none) changes anything, so that there is something to confirm.
  [[nodiscard]] bool would_change(std::string_view name, bool has_value) const {
    return has_value || !in_flight_.empty() || lasting_.contains(name);
  }

  /// `name` is to stand for `value`; null forgets it. To be confirmed or dropped.
  void change(std::string_view name, std::shared_ptr<T> value) {
    in_flight_.emplace_back(std::string(name), std::move(value));
  }

  /// All names are to be forgotten, as by DISCARD ALL and DEALLOCATE ALL. To be confirmed or dropped.
  void change_all() { in_flight_.emplace_back(std::nullopt, nullptr); }

  /// The server has carried out the oldest change in flight.
  void confirm() {
    auto [name, value] = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (!name) {
      lasting_.clear();
    } else if (value) {
      lasting_.insert_or_assign(std::move(*name), std::move(value));
    } else {
      lasting_.erase(*name);
    }
  }

  /// The server has skipped or refused the oldest change in flight.
  void drop() { in_flight_.pop_front(); }

  [[nodiscard]] std::shared_ptr<T> find(std::string_view name) const {
    for (auto change = in_flight_.rbegin(); change != in_flight_.rend(); ++change) {
      if (!change->first || *change->first == name) return change->second;
    }
    const auto found = lasting_.find(name);
    return found == lasting_.end() ? nullptr : found->second;
  }

  /// Forgets the lasting names; what is in flight stays.
  void clear_lasting() { lasting_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return lasting_.size() + in_flight_.size(); }

 private:
  std::map<std::string, std::shared_ptr<T>, std::less<>> lasting_;
  std::deque<std::pair<std::optional<std::string>, std::shared_ptr<T>>> in_flight_;
};

}  // namespace proxy::session
