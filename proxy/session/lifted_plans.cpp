#include "proxy/session/lifted_plans.hpp"

#include <utility>

#include "proxy/session/limits.hpp"

namespace proxy::session {

plan_key lifted_plans::key_of(const item& of) {
  return {of.book.get(), of.frame, of.settings};
}

analysis_ptr lifted_plans::find(const book_ptr& book, std::string_view sql, std::uint8_t settings) {
  lifted_ = text_.take(sql);
  if (!lifted_) return nullptr;
  const auto known = by_frame_.find({book.get(), text_.frame(), settings});
  if (known == by_frame_.end()) return nullptr;
  lifted_ = false;
  item& found = *known->second;
  if (!found.made || !found.made->fits(text_)) return nullptr;
  recent_.splice(recent_.begin(), recent_, known->second);
  auto copy = free_copy(found);
  found.made->write(text_, *copy);
  const rules::analysis* made = &copy->made();
  return {std::move(copy), made};
}

void lifted_plans::learn(const book_ptr& book, rules::parse_settings how, std::uint8_t settings,
                         const rules::analysis& known) {
  if (!std::exchange(lifted_, false)) return;
  const std::size_t hash = plan_key_hash{}({book.get(), text_.frame(), settings});
  if (std::size_t& seen = seen_[hash % seen_.size()]; seen != hash) {
    seen = hash;
    return;
  }
  auto from = rules::plan_template::make(*book, how, text_, known);
  recent_.push_front({book, settings, std::string(text_.frame()), std::move(from), {}, 0, 0});
  item& made = recent_.front();
  made.bytes = sizeof(item) + made.frame.size() + (made.made ? made.made->bytes() : 0);
  bytes_ += made.bytes;
  by_frame_.emplace(key_of(made), recent_.begin());
  forget_beyond_limits();
}

/// One that nobody else holds, so that it may be written anew.
std::shared_ptr<rules::template_copy> lifted_plans::free_copy(item& of) {
  auto& all = of.copies;
  for (std::size_t asked = 0; asked < limits::lifted_copies_asked && asked < all.size(); ++asked) {
    auto& copy = all[of.next];
    of.next = of.next + 1 < all.size() ? of.next + 1 : 0;
    if (copy.use_count() == 1) return copy;
  }
  std::shared_ptr<rules::template_copy> made = of.made->copy();
  if (all.size() < limits::lifted_copies) {
    all.push_back(made);
    of.bytes += of.made->bytes();
    bytes_ += of.made->bytes();
    forget_beyond_limits();
  }
  return made;
}

/// The most recently used stays, whatever it takes.
void lifted_plans::forget_beyond_limits() {
  while (by_frame_.size() > 1 && (by_frame_.size() > limits::lifted_shapes || bytes_ > limits::lifted_bytes))
    forget_oldest();
}

void lifted_plans::forget_oldest() {
  const item& oldest = recent_.back();
  bytes_ -= oldest.bytes;
  by_frame_.erase(key_of(oldest));
  recent_.pop_back();
}

}  // namespace proxy::session
