// Remembers how texts were analysed that differ in their literals only, so that a text that was never seen
// costs little more than one that was. Owned by one thread; bounded by count and bytes. What may be lifted is
// rules/ to say.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/session/plan_key.hpp"
#include "rules/plan_template.hpp"

namespace proxy::session {

class lifted_plans {
 public:
  /// The analysis of `sql`, if its shape is known; else null. It stays as it is as long as it is held.
  [[nodiscard]] analysis_ptr find(const book_ptr& book, std::string_view sql, std::uint8_t settings);

  /// Tells what the text of the last find(), which found nothing, was analysed as. The second text of a shape
  /// makes it known.
  void learn(const book_ptr& book, rules::parse_settings how, std::uint8_t settings,
             const rules::analysis& known);

  [[nodiscard]] std::size_t size() const noexcept { return by_frame_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct item {
    book_ptr book;  // keeps the address from being used again
    std::uint8_t settings = 0;
    std::string frame;
    std::unique_ptr<const rules::plan_template> made;  // null: a shape that cannot be lifted
    std::vector<std::shared_ptr<rules::template_copy>> copies;
    std::size_t next = 0;  // of `copies`, handed out longest ago
    std::size_t bytes = 0;
  };
  using items = std::list<item>;

  static plan_key key_of(const item&);
  [[nodiscard]] std::shared_ptr<rules::template_copy> free_copy(item& of);
  void forget_beyond_limits();
  void forget_oldest();

  rules::lifted_text text_;  // of the last find()
  bool lifted_ = false;      // it has literals, and its shape is not known
  items recent_;             // most recently used first
  std::unordered_map<plan_key, items::iterator, plan_key_hash> by_frame_;
  std::size_t bytes_ = 0;
  // Shapes that were seen once, by hash: most never come again.
  std::array<std::size_t, 1024> seen_{};
};

}  // namespace proxy::session
