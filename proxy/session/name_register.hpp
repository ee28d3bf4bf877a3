// What the client's names for prepared statements, or portals, stand for: confirmed by the server, or in
// flight. Knows nothing of messages; the ledger tells which change was confirmed and which was skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/session/flat_queue.hpp"

namespace proxy::session {

/// Changes take effect for look-ups in their own batch as soon as they are sent: if one fails, the rest of
/// its batch is skipped with it. A later batch runs either way, so for it a change counts once the server has
/// confirmed it. A name that is not kept here stands for something that no rule concerns.
template <class T, class Pointer = std::shared_ptr<T>>
class name_register {
 public:
  /// Counts the batches of one session: up to a Sync, or one simple query.
  using batch = std::uint64_t;

  /// Whether giving `name` this meaning (or none) changes anything, so that there is something to confirm.
  [[nodiscard]] bool would_change(std::string_view name, bool has_value) const {
    if (has_value || !in_flight_.empty()) return true;
    const auto known = names_.find(kept_part(name));
    return known != names_.end() && known->second.lasting;
  }

  /// `name` is to stand for `value`; null forgets it. To be confirmed or dropped.
  void change(std::string_view name, Pointer value, batch sent_in) {
    const std::string_view kept = kept_part(name);
    auto of = names_.find(kept);
    if (of == names_.end()) of = names_.try_emplace(std::string(kept)).first;
    meanings& all = of->second;
    if (all.count++ == 0) ++changing_;
    if (value) ++all.with_value;
    all.newest = {value, sent_in, ++last_};
    in_flight_.push_back({of, std::move(value)});
  }

  /// All names are to be forgotten, as by DISCARD ALL and DEALLOCATE ALL. To be confirmed or dropped.
  void change_all(batch sent_in) {
    ++all_changing_.count;
    all_changing_.newest = {nullptr, sent_in, ++last_};
    in_flight_.push_back({names_.end(), nullptr});
  }

  /// The server has carried out the oldest change in flight.
  void confirm() { settle_oldest(true); }

  /// The value of the oldest change in flight, which the server is answering.
  [[nodiscard]] Pointer oldest() const { return in_flight_.empty() ? nullptr : in_flight_.front().value; }

  /// The server has skipped or refused the oldest change in flight.
  void drop() { settle_oldest(false); }

  struct meaning {
    Pointer value;
    bool certain =
        true;  // false: an unanswered change of an earlier batch decides between this and another meaning
  };

  /// What `name` stands for when a message of batch `at`, the newest, is run. The time does not depend on how
  /// many changes are in flight.
  [[nodiscard]] meaning find(std::string_view full_name, batch at) const {
    if (empty()) return {};
    const auto of = names_.find(kept_part(full_name));
    const meanings* known = of == names_.end() ? nullptr : &of->second;
    const meanings* own = known != nullptr && known->count > 0 ? known : nullptr;
    const meanings* newest = own;
    if (all_changing_.count > 0 && (own == nullptr || own->newest.number < all_changing_.newest.number)) {
      newest = &all_changing_;
    }
    if (newest != nullptr && newest->newest.sent_in == at) return {newest->newest.value, true};
    meaning found;
    if (newest != nullptr) found.value = newest->newest.value;
    if (own != nullptr && own->with_value > 0) found.certain = false;
    if (known == nullptr || !known->lasting) return found;
    if (newest == nullptr) return {known->lasting, true};
    return {found.value, false};
  }

  /// Forgets the lasting names; what is in flight stays.
  void clear_lasting() {
    for (auto of = names_.begin(); lasting_ > 0 && of != names_.end();) {
      const auto here = of++;
      set_lasting(here->second, nullptr);
      remove_unused(here);
    }
  }

  /// No name stands for anything, nor is about to change.
  [[nodiscard]] bool empty() const noexcept { return lasting_ == 0 && in_flight_.empty(); }

  /// Names that stand for something or are about to; a pipeline that changes one name often counts it once.
  [[nodiscard]] std::size_t size() const noexcept { return lasting_ + changing_; }

 private:
  /// PostgreSQL keeps NAMEDATALEN - 1 bytes of a name, without a word.
  static std::string_view kept_part(std::string_view name) { return name.substr(0, 63); }

  struct newest_change {
    Pointer value;
    batch sent_in = 0;
    std::uint64_t number = 0;  // in the order of sending
  };
  /// Of one name.
  struct meanings {
    Pointer lasting;  // confirmed; null: none
    newest_change newest;
    std::size_t count = 0;  // of changes in flight
    std::size_t with_value = 0;
  };
  using names = std::map<std::string, meanings, std::less<>>;
  struct pending {
    typename names::iterator of;  // stays as long as a change of it is in flight; the end: all names
    Pointer value;
  };

  void set_lasting(meanings& of, Pointer value) {
    if (of.lasting) --lasting_;
    of.lasting = std::move(value);
    if (of.lasting) ++lasting_;
  }

  /// Only the entry of the unnamed one stays: it comes and goes with every statement.
  void remove_unused(typename names::iterator which) {
    if (which->second.lasting || which->second.count > 0) return;
    which->second.newest.value = nullptr;
    if (!which->first.empty()) names_.erase(which);
  }

  void settle_oldest(bool confirmed) {
    pending oldest = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (oldest.of == names_.end()) {
      --all_changing_.count;
      if (confirmed) clear_lasting();
      return;
    }
    meanings& of = oldest.of->second;
    if (oldest.value) --of.with_value;
    if (--of.count == 0) --changing_;
    if (confirmed) set_lasting(of, std::move(oldest.value));
    remove_unused(oldest.of);
  }

  names names_;
  meanings all_changing_;
  flat_queue<pending> in_flight_;
  std::size_t lasting_ = 0;   // names that have a lasting meaning
  std::size_t changing_ = 0;  // names that have changes in flight
  std::uint64_t last_ = 0;
};

}  // namespace proxy::session
