#include "proxy/session/write_journal.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace proxy::session {

write_journal::mark write_journal::push(kind what, std::string_view name) {
  entries_.push_back({next_, what, {}, std::string(name)});
  return next_++;
}

write_journal::mark write_journal::add(moved what) {
  const mark number = push(kind::moved, {});
  entries_.back().movement = std::move(what);
  return number;
}

write_journal::mark write_journal::add_savepoint(std::string_view name) {
  return push(kind::savepoint, name);
}

write_journal::mark write_journal::add_release(std::string_view name) {
  return push(kind::release, name);
}

write_journal::mark write_journal::add_rollback_to(std::string_view name) {
  return push(kind::rollback_to, name);
}

write_journal::mark write_journal::add_end() {
  return push(kind::end, {});
}

/// Of the first entry that is not older than `number`.
std::size_t write_journal::position(mark number) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), number,
                                      [](const entry& each, mark than) { return each.number < than; });
  return static_cast<std::size_t>(found - entries_.begin());
}

/// The position behind the savepoint that the entry at `rollback` goes back to; 0 if the journal does not
/// have it.
std::size_t write_journal::savepoint_of(std::size_t rollback) const {
  std::vector<std::size_t> standing;  // savepoints, oldest first
  // "The most recently established" savepoint of the name is meant. Those that are younger than it end with
  // it, and all that are known here do if it is not known, since then it is older than they are.
  const auto end_younger = [&](std::string_view than) {
    while (!standing.empty() && entries_[standing.back()].name != than) standing.pop_back();
  };
  for (std::size_t i = 0; i < rollback; ++i) {
    const entry& each = entries_[i];
    if (each.what == kind::savepoint) standing.push_back(i);
    if (each.what != kind::release && each.what != kind::rollback_to) continue;
    end_younger(each.name);
    if (each.what == kind::release && !standing.empty()) standing.pop_back();
  }
  end_younger(entries_[rollback].name);
  return standing.empty() ? 0 : standing.back() + 1;
}

/// Undoes and removes the entries from position `from` to before `to`.
void write_journal::undo_range(std::size_t from, std::size_t to, const undo& how) {
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(to);
  for (auto each = end; each != begin;) {
    --each;
    if (each->what != kind::moved) continue;
    const moved& undone = each->movement;
    const auto later = std::find_if(end, entries_.end(), [&](const entry& other) {
      return other.what == kind::moved && other.movement.row == undone.row &&
             other.movement.owner == undone.owner;
    });
    // That there is no record looks the same after both.
    if (undone.version != 0 || later == entries_.end()) how(undone);
    if (later == entries_.end()) continue;
    std::optional<recorded_read>& rests_on = later->movement.before;
    if ((rests_on ? rests_on->version : 0) == undone.version) rests_on = undone.before;
  }
  entries_.erase(begin, end);
}

void write_journal::drop(mark number, const undo& how) {
  const std::size_t at = position(number);
  if (at < entries_.size() && entries_[at].number == number) undo_range(at, at + 1, how);
}

void write_journal::rolled_back_to(mark number, const undo& how) {
  const std::size_t at = position(number);
  if (at == entries_.size() || entries_[at].number != number || entries_[at].what != kind::rollback_to)
    return;
  undo_range(savepoint_of(at), at + 1, how);
}

void write_journal::committed(mark end) {
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(position(end + 1)));
}

void write_journal::rolled_back(mark end, const undo& how) {
  undo_range(0, position(end + 1), how);
}

void write_journal::rolled_back_all(const undo& how) {
  undo_range(0, entries_.size(), how);
}

}  // namespace proxy::session
