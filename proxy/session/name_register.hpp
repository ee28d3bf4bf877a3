// What the client's names for prepared statements, or portals, stand for: confirmed by the server, or in
// flight. Knows nothing of messages; the ledger tells which change was confirmed and which was skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/session/flat_queue.hpp"

namespace proxy::session {

/// Changes take effect for look-ups in their own batch as soon as they are sent: if one fails, the rest of
/// its batch is skipped with it. A later batch runs either way, so for it a change counts once the server has
/// confirmed it. A name that is not kept here stands for something that no rule concerns.
template <class T>
class name_register {
 public:
  /// Counts the batches of one session: up to a Sync, or one simple query.
  using batch = std::uint64_t;

  /// Whether giving `name` this meaning (or none) changes anything, so that there is something to confirm.
  [[nodiscard]] bool would_change(std::string_view name, bool has_value) const {
    return has_value || !in_flight_.empty() || lasting_.contains(kept_part(name));
  }

  /// `name` is to stand for `value`; null forgets it. To be confirmed or dropped.
  void change(std::string_view name, std::shared_ptr<T> value, batch sent_in) {
    const std::string_view kept = kept_part(name);
    auto of = changing_.find(kept);
    if (of == changing_.end()) of = changing_.emplace(std::string(kept), changes{}).first;
    ++of->second.count;
    if (value) ++of->second.with_value;
    of->second.newest = {value, sent_in, ++last_};
    in_flight_.push_back({std::string(kept), std::move(value)});
  }

  /// All names are to be forgotten, as by DISCARD ALL and DEALLOCATE ALL. To be confirmed or dropped.
  void change_all(batch sent_in) {
    ++all_changing_.count;
    all_changing_.newest = {nullptr, sent_in, ++last_};
    in_flight_.push_back({std::nullopt, nullptr});
  }

  /// The server has carried out the oldest change in flight.
  void confirm() {
    pending done = take_oldest();
    if (!done.name) {
      lasting_.clear();
    } else if (done.value) {
      lasting_.insert_or_assign(std::move(*done.name), std::move(done.value));
    } else {
      lasting_.erase(*done.name);
    }
  }

  /// The value of the oldest change in flight, which the server is answering.
  [[nodiscard]] std::shared_ptr<T> oldest() const {
    return in_flight_.empty() ? nullptr : in_flight_.front().value;
  }

  /// The server has skipped or refused the oldest change in flight.
  void drop() { static_cast<void>(take_oldest()); }

  struct meaning {
    std::shared_ptr<T> value;
    bool certain =
        true;  // false: an unanswered change of an earlier batch decides between this and another meaning
  };

  /// What `name` stands for when a message of batch `at`, the newest, is run. The time does not depend on how
  /// many changes are in flight.
  [[nodiscard]] meaning find(std::string_view full_name, batch at) const {
    if (empty()) return {};
    const std::string_view name = kept_part(full_name);
    const auto of = changing_.find(name);
    const changes* own = of == changing_.end() ? nullptr : &of->second;
    const changes* newest = own;
    if (all_changing_.count > 0 && (own == nullptr || own->newest.number < all_changing_.newest.number)) {
      newest = &all_changing_;
    }
    if (newest != nullptr && newest->newest.sent_in == at) return {newest->newest.value, true};
    meaning found;
    if (newest != nullptr) found.value = newest->newest.value;
    if (own != nullptr && own->with_value > 0) found.certain = false;
    const auto lasting = lasting_.find(name);
    if (lasting == lasting_.end()) return found;
    if (newest == nullptr) return {lasting->second, true};
    return {found.value, false};
  }

  /// Forgets the lasting names; what is in flight stays.
  void clear_lasting() { lasting_.clear(); }

  /// No name stands for anything, nor is about to change.
  [[nodiscard]] bool empty() const noexcept { return lasting_.empty() && in_flight_.empty(); }

  /// Names that stand for something or are about to; a pipeline that changes one name often counts it once.
  [[nodiscard]] std::size_t size() const noexcept { return lasting_.size() + changing_.size(); }

 private:
  /// PostgreSQL keeps NAMEDATALEN - 1 bytes of a name, without a word.
  static std::string_view kept_part(std::string_view name) { return name.substr(0, 63); }

  struct pending {
    std::optional<std::string> name;  // none: all names
    std::shared_ptr<T> value;
  };
  struct newest_change {
    std::shared_ptr<T> value;
    batch sent_in = 0;
    std::uint64_t number = 0;  // in the order of sending
  };
  /// Of one name, in flight.
  struct changes {
    newest_change newest;
    std::size_t count = 0;
    std::size_t with_value = 0;
  };

  pending take_oldest() {
    pending oldest = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (!oldest.name) {
      --all_changing_.count;
      return oldest;
    }
    const auto of = changing_.find(*oldest.name);
    if (oldest.value) --of->second.with_value;
    if (--of->second.count == 0) changing_.erase(of);
    return oldest;
  }

  std::map<std::string, std::shared_ptr<T>, std::less<>> lasting_;
  std::map<std::string, changes, std::less<>> changing_;
  changes all_changing_;
  flat_queue<pending> in_flight_;
  std::uint64_t last_ = 0;
};

}  // namespace proxy::session
