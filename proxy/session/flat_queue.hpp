// A queue in one piece of memory, which an empty one does without and a short one keeps: pushing and popping
// allocate nothing once it has had its usual length. Refuses to keep references alive over a push.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace proxy::session {

template <class T>
class flat_queue {
 public:
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  [[nodiscard]] bool empty() const noexcept { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size() - head_; }
  [[nodiscard]] T& front() noexcept { return items_[head_]; }
  [[nodiscard]] const T& front() const noexcept { return items_[head_]; }
  [[nodiscard]] T& back() noexcept { return items_.back(); }
  [[nodiscard]] const T& back() const noexcept { return items_.back(); }
  [[nodiscard]] T& operator[](std::size_t place) noexcept { return items_[head_ + place]; }
  [[nodiscard]] const T& operator[](std::size_t place) const noexcept { return items_[head_ + place]; }

  [[nodiscard]] iterator begin() noexcept { return items_.begin() + offset(); }
  [[nodiscard]] iterator end() noexcept { return items_.end(); }
  [[nodiscard]] const_iterator begin() const noexcept { return items_.begin() + offset(); }
  [[nodiscard]] const_iterator end() const noexcept { return items_.end(); }
  [[nodiscard]] auto rbegin() const noexcept { return std::make_reverse_iterator(end()); }
  [[nodiscard]] auto rend() const noexcept { return std::make_reverse_iterator(begin()); }

  void push_back(T item) { items_.push_back(std::move(item)); }
  template <class... Arguments>
  void emplace_back(Arguments&&... arguments) {
    items_.emplace_back(std::forward<Arguments>(arguments)...);
  }

  void pop_front() {
    items_[head_] = T();
    ++head_;
    tidy();
  }

  /// The item behind it.
  iterator erase(const_iterator which) {
    if (which == std::as_const(*this).begin()) {
      pop_front();
      return begin();
    }
    return items_.erase(which);
  }

 private:
  // As much as is kept, a kilobyte or so, and as may stand unused at the front.
  static constexpr std::size_t kept_items = std::max<std::size_t>(2, 1024 / sizeof(T));

  [[nodiscard]] std::ptrdiff_t offset() const noexcept { return static_cast<std::ptrdiff_t>(head_); }

  /// Linear over the life of the queue: items move only when at least as many have gone.
  void tidy() {
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
      if (items_.capacity() > kept_items) std::vector<T>().swap(items_);
    } else if (head_ >= kept_items && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + offset());
      head_ = 0;
    }
  }

  std::vector<T> items_;  // the oldest at head_; nearly always emptied before it grows
  std::size_t head_ = 0;
};

}  // namespace proxy::session
