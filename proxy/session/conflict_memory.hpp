// Which rows were in conflict lately, which of them met in a cycle and share a turn, and which reads have led
// to writes. Bounded, owned by one table and not safe between threads; knows nothing of who holds a turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/session/outbox.hpp"
#include "proxy/session/recorded_reads.hpp"

namespace proxy::session {

class conflict_memory {
 public:
  /// Rows and shapes that are remembered; those used longest ago are forgotten first.
  static constexpr std::size_t most_rows = 10'000;
  static constexpr std::size_t most_shapes = 4'096;
  /// Rows that share one turn. What would go beyond it stays apart.
  static constexpr std::size_t most_members = 64;

  explicit conflict_memory(clock::duration memory) : memory_{memory} {}

  /// The row was in conflict now.
  void mark(const row_id& row, clock::time_point now);
  /// The rows were in conflict now and share a turn from here on, with those that they shared one with
  /// before.
  void met(const std::vector<row_id>& rows, clock::time_point now);

  /// The row, or one that shares its turn, was in conflict within the memory.
  [[nodiscard]] bool recent(const row_id& row, clock::time_point now);
  /// The group that the row shares a turn with; 0: it shares none. Numbers are never used again.
  [[nodiscard]] std::uint64_t group_of(const row_id& row, clock::time_point now);
  /// Some row of the group; null if there is no such group any more.
  [[nodiscard]] const row_id* member_of(std::uint64_t group) const;

  /// Zero stands for no statement and is never remembered.
  void led_to_write(std::uint64_t shape);
  [[nodiscard]] bool leads_to_write(std::uint64_t shape);

  [[nodiscard]] std::size_t rows() const noexcept { return by_row_.size(); }
  [[nodiscard]] std::size_t groups() const noexcept { return groups_.size(); }
  [[nodiscard]] std::size_t shapes() const noexcept { return by_shape_.size(); }

 private:
  struct mark_of {
    row_id row;
    clock::time_point last;
    std::uint64_t group = 0;
  };
  using marks = std::list<mark_of>;
  struct sharing {
    std::vector<marks::iterator> members;
    clock::time_point last;
  };

  marks::iterator touch(const row_id& row, clock::time_point now);
  void join(marks::iterator which, std::uint64_t into, clock::time_point now);
  void merge(std::uint64_t from, std::uint64_t into);
  void dissolve(std::uint64_t which);
  void forget(marks::iterator which);
  void age(clock::time_point now);
  [[nodiscard]] bool over(clock::time_point last, clock::time_point now) const {
    return now - last > memory_;
  }

  clock::duration memory_;
  marks recent_;                                                  // most recently marked first
  std::unordered_map<std::string_view, marks::iterator> by_row_;  // names live in the marks
  std::unordered_map<std::uint64_t, sharing> groups_;
  std::uint64_t next_group_ = 1;
  std::list<std::uint64_t> shapes_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> by_shape_;
};

}  // namespace proxy::session
