// Owns lazy, allocation-free views over the counted lists inside messages: numbers, values, strings.
// It refuses to know which message they stand in; a list is validated once, when it is read.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "protocol/reader.hpp"

namespace protocol {

/// How a list's items are read. `type` is what iteration gives.
struct u32_item {
  using type = std::uint32_t;
  static constexpr std::size_t size = 4;
  static type read(reader& in) noexcept { return in.u32(); }
};
struct i16_item {
  using type = std::int16_t;
  static constexpr std::size_t size = 2;
  static type read(reader& in) noexcept { return in.i16(); }
};
struct value_item {
  using type = std::optional<std::string_view>;  // nullopt is NULL
  static type read(reader& in) noexcept { return in.value(); }
};
struct string_item {
  using type = std::string_view;
  static type read(reader& in) noexcept { return in.c_string(); }
};

/// Items of one kind, one after the other, checked to be complete. Iterates forward only.
template <class Item>
class list {
 public:
  using value_type = typename Item::type;

  class iterator {
   public:
    using value_type = typename Item::type;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(std::string_view bytes, std::size_t left) noexcept : in_(bytes), left_(left) {
      if (left_ > 0) now_ = Item::read(in_);
    }
    const value_type& operator*() const noexcept { return now_; }
    const value_type* operator->() const noexcept { return &now_; }
    iterator& operator++() noexcept {
      if (--left_ > 0) now_ = Item::read(in_);
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return left_ == 0; }

   private:
    reader in_;
    std::size_t left_ = 0;
    value_type now_{};
  };

  list() = default;

  /// Takes `count` items from `in`; on an error `in` fails and the list is empty.
  static list read(reader& in, std::size_t count) noexcept {
    const std::string_view from = in.left();
    for (std::size_t i = 0; i < count && in.ok(); ++i) static_cast<void>(Item::read(in));
    if (!in.ok()) return {};
    list made;
    made.bytes_ = from.substr(0, from.size() - in.left().size());
    made.count_ = count;
    return made;
  }
  /// The same with the Int16 count that stands in front; PostgreSQL reads it unsigned.
  static list read_counted(reader& in) noexcept {
    const std::size_t count = in.u16();
    return read(in, count);
  }

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] iterator begin() const noexcept { return iterator(bytes_, count_); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// Item `index`, which must be below size(). Constant time for numbers, otherwise it walks there.
  [[nodiscard]] value_type operator[](std::size_t index) const noexcept {
    assert(index < count_);
    if constexpr (requires { Item::size; }) {
      reader in(bytes_.substr(index * Item::size));
      return Item::read(in);
    } else {
      reader in(bytes_);
      for (std::size_t i = 0; i < index; ++i) static_cast<void>(Item::read(in));
      return Item::read(in);
    }
  }

 private:
  std::string_view bytes_;
  std::size_t count_ = 0;
};

using u32_list = list<u32_item>;
using i16_list = list<i16_item>;
using value_list = list<value_item>;
using string_list = list<string_item>;

/// The format code that applies to item `index`: none given means text (0), one applies to all.
[[nodiscard]] inline std::int16_t format_of(const i16_list& formats, std::size_t index) noexcept {
  if (formats.size() == 1) return formats[0];
  return index < formats.size() ? formats[index] : std::int16_t{0};
}

}  // namespace protocol
