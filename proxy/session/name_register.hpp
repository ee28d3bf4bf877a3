// What the client's names for prepared statements, or portals, stand for: confirmed by the server, or in
// flight. Knows nothing of messages; the ledger tells which change was confirmed and which was skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
    in_flight_.push_back({std::string(kept_part(name)), std::move(value), sent_in});
  }

  /// All names are to be forgotten, as by DISCARD ALL and DEALLOCATE ALL. To be confirmed or dropped.
  void change_all(batch sent_in) { in_flight_.push_back({std::nullopt, nullptr, sent_in}); }

  /// The server has carried out the oldest change in flight.
  void confirm() {
    pending done = std::move(in_flight_.front());
    in_flight_.pop_front();
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
  void drop() { in_flight_.pop_front(); }

  struct meaning {
    std::shared_ptr<T> value;
    bool certain =
        true;  // false: an unanswered change of an earlier batch decides between this and another meaning
  };

  /// What `name` stands for when a message of batch `at` is run.
  [[nodiscard]] meaning find(std::string_view full_name, batch at) const {
    const std::string_view name = kept_part(full_name);
    meaning found;
    bool open = false;
    for (auto change = in_flight_.rbegin(); change != in_flight_.rend(); ++change) {
      if (change->name && *change->name != name) continue;
      if (change->sent_in == at) return {change->value, true};
      if (!open) found.value = change->value;
      open = true;
      if (change->value) found.certain = false;
    }
    const auto lasting = lasting_.find(name);
    if (lasting == lasting_.end()) return found;
    if (!open) return {lasting->second, true};
    return {found.value, false};
  }

  /// Forgets the lasting names; what is in flight stays.
  void clear_lasting() { lasting_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return lasting_.size() + in_flight_.size(); }

 private:
  /// PostgreSQL keeps NAMEDATALEN - 1 bytes of a name, without a word.
  static std::string_view kept_part(std::string_view name) { return name.substr(0, 63); }

  struct pending {
    std::optional<std::string> name;  // none: all names
    std::shared_ptr<T> value;
    batch sent_in = 0;
  };

  std::map<std::string, std::shared_ptr<T>, std::less<>> lasting_;
  std::deque<pending> in_flight_;
};

}  // namespace proxy::session
