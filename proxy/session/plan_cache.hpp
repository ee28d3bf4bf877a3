// Remembers how texts were analysed, so that a statement that is repeated, with the same literals or others,
// costs a look-up. Owned by one thread. Refuses to know what an analysis says; bounded by count and bytes,
// the least recently used goes first.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/session/lifted_plans.hpp"
#include "proxy/session/plan_key.hpp"
#include "rules/name_filter.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

class plan_cache {
 public:
  struct answer {
    analysis_ptr analysed;   // null: the text cannot touch a guarded table
    bool looked_up = false;  // the text might touch one, so the cache was asked
    bool hit = false;
  };

  /// The analysis of `sql` under `book`, made if it is not remembered.
  [[nodiscard]] answer look_up(const book_ptr& book, std::string_view sql, rules::parse_settings settings);

  /// Finds the tables that rules name, as they are configured; made once for all sessions of the same rules.
  [[nodiscard]] std::shared_ptr<const rules::name_filter> names_of(
      const std::shared_ptr<const rules::rule_set>& configured);

  [[nodiscard]] std::size_t size() const noexcept { return by_text_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const lifted_plans& lifted() const noexcept { return lifted_; }

 private:
  struct item {
    book_ptr book;  // keeps the address from being used again
    std::uint8_t settings;
    analysis_ptr analysed;
  };
  using items = std::list<item>;

  static plan_key key_of(const item&);
  void forget_oldest();

  std::shared_ptr<const rules::rule_set> configured_;  // of names_, the last that was asked for
  std::shared_ptr<const rules::name_filter> names_;
  items recent_;                                                          // most recently used first
  std::unordered_map<plan_key, items::iterator, plan_key_hash> by_text_;  // texts live in the items
  std::size_t bytes_ = 0;
  lifted_plans lifted_;  // what it gives is not remembered by text: there may be as many as there are values
};

}  // namespace proxy::session
