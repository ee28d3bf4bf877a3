// Memory that one statement leaves to the next: lists that keep their items when they are emptied, and
// objects that go back to where they were taken from. Refuses to know what is in them; a session has its own,
// and it outlives whatever it handed out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace proxy::session {

/// As much of a vector as is needed. clear() keeps the items behind its end, with the memory that they have.
template <class T>
class reused_list {
 public:
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  reused_list() = default;
  reused_list(const reused_list& other) : items_(other.begin(), other.end()), size_{other.size_} {}
  reused_list(reused_list&& other) noexcept
      : items_(std::move(other.items_)), size_{std::exchange(other.size_, 0)} {}
  reused_list& operator=(const reused_list& other) {
    if (this == &other) return *this;
    clear();
    for (const T& item : other) add() = item;
    return *this;
  }
  reused_list& operator=(reused_list&& other) noexcept {
    items_ = std::move(other.items_);
    other.items_.clear();
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~reused_list() = default;

  /// One more at the end. It is as an earlier one was left: whoever adds it sets all of it.
  T& add() {
    if (size_ == items_.size()) items_.emplace_back();
    return items_[size_++];
  }
  void clear() noexcept { size_ = 0; }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t place) noexcept { return items_[place]; }
  [[nodiscard]] const T& operator[](std::size_t place) const noexcept { return items_[place]; }
  [[nodiscard]] T& front() noexcept { return items_.front(); }
  [[nodiscard]] const T& front() const noexcept { return items_.front(); }
  [[nodiscard]] iterator begin() noexcept { return items_.begin(); }
  [[nodiscard]] iterator end() noexcept { return items_.begin() + offset(); }
  [[nodiscard]] const_iterator begin() const noexcept { return items_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return items_.begin() + offset(); }

  /// Items that are there, whether in use or not.
  [[nodiscard]] std::size_t kept() const noexcept { return items_.size(); }

 private:
  [[nodiscard]] std::ptrdiff_t offset() const noexcept { return static_cast<std::ptrdiff_t>(size_); }

  std::vector<T> items_;
  std::size_t size_ = 0;
};

/// Where objects come from that every statement needs one of. T::let_go() is called when the last handle of
/// an object ends: it gives up what the object holds, and says whether the memory that stays is worth
/// keeping.
template <class T>
class reuse_pool {
  struct item {
    T value;
    std::size_t handles = 0;
  };

 public:
  /// Shares one object with its copies. Not safe between threads, like the session that it belongs to.
  class handle {
   public:
    handle() = default;
    handle(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): as a pointer's
    handle(const handle& other) noexcept : item_{other.item_}, from_{other.from_} {
      if (item_ != nullptr) ++item_->handles;
    }
    handle(handle&& other) noexcept : item_{std::exchange(other.item_, nullptr)}, from_{other.from_} {}
    handle& operator=(handle other) noexcept {
      std::swap(item_, other.item_);
      std::swap(from_, other.from_);
      return *this;
    }
    ~handle() {
      if (item_ != nullptr && --item_->handles == 0) from_->take_back(item_);
    }

    [[nodiscard]] T* get() const noexcept { return item_ == nullptr ? nullptr : &item_->value; }
    [[nodiscard]] T& operator*() const noexcept { return item_->value; }
    [[nodiscard]] T* operator->() const noexcept { return &item_->value; }
    explicit operator bool() const noexcept { return item_ != nullptr; }

   private:
    friend class reuse_pool;
    handle(item* what, reuse_pool* from) noexcept : item_{what}, from_{from} { ++item_->handles; }

    item* item_ = nullptr;
    reuse_pool* from_ = nullptr;
  };

  reuse_pool() = default;
  reuse_pool(const reuse_pool&) = delete;  // handles point here
  reuse_pool& operator=(const reuse_pool&) = delete;

  [[nodiscard]] handle take() {
    if (spare_.empty()) return {std::make_unique<item>().release(), this};
    item* const again = spare_.back().release();
    spare_.pop_back();
    return {again, this};
  }

 private:
  /// A pipeline may have many in use; afterwards a few are enough.
  static constexpr std::size_t most_spare = 4;

  void take_back(item* gone) {
    std::unique_ptr<item> owned(gone);
    if (owned->value.let_go() && spare_.size() < most_spare) spare_.push_back(std::move(owned));
  }

  std::vector<std::unique_ptr<item>> spare_;
};

}  // namespace proxy::session
