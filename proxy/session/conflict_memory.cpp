#include "proxy/session/conflict_memory.hpp"

#include <algorithm>
#include <iterator>

namespace proxy::session {

namespace {

/// Marks looked at for their age in one call, so that no call takes long.
constexpr int aged_at_once = 4;

}  // namespace

void conflict_memory::mark(const row_id& row, clock::time_point now) {
  age(now);
  touch(row, now);
}

conflict_memory::marks::iterator conflict_memory::touch(const row_id& row, clock::time_point now) {
  if (const auto known = by_row_.find(row); known != by_row_.end()) {
    const marks::iterator which = known->second;
    recent_.splice(recent_.begin(), recent_, which);
    which->last = std::max(which->last, now);
    if (const std::uint64_t mine = group_of(row, now); mine != 0) {
      groups_.at(mine).last = std::max(groups_.at(mine).last, now);
    }
    return which;
  }
  if (by_row_.size() >= most_rows) forget(std::prev(recent_.end()));
  recent_.push_front({row, now, 0});
  by_row_.emplace(recent_.front().row, recent_.begin());
  return recent_.begin();
}

void conflict_memory::met(const std::vector<row_id>& rows, clock::time_point now) {
  age(now);
  std::vector<row_id> distinct(rows.begin(), rows.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() > most_members) distinct.resize(most_members);
  for (const row_id& row : distinct) touch(row, now);
  std::uint64_t into = 0;
  for (const row_id& row : distinct) {  // the largest group takes in the others
    const std::uint64_t mine = group_of(row, now);
    if (mine == 0) continue;
    if (into == 0 || groups_.at(mine).members.size() > groups_.at(into).members.size()) into = mine;
  }
  if (distinct.size() < 2) return;
  if (into == 0) into = next_group_++;
  for (const row_id& row : distinct) {
    if (const auto known = by_row_.find(row); known != by_row_.end()) join(known->second, into, now);
  }
  if (const auto made = groups_.find(into); made != groups_.end() && made->second.members.size() < 2)
    dissolve(into);
}

void conflict_memory::join(marks::iterator which, std::uint64_t into, clock::time_point now) {
  if (which->group == into) return;
  if (which->group != 0) {
    merge(which->group, into);
    return;
  }
  sharing& target = groups_[into];
  if (target.members.size() >= most_members) return;
  target.last = std::max(target.last, now);
  target.members.push_back(which);
  which->group = into;
}

void conflict_memory::merge(std::uint64_t from, std::uint64_t into) {
  sharing& source = groups_.at(from);
  sharing& target = groups_[into];
  if (source.members.size() + target.members.size() > most_members) return;
  for (const marks::iterator member : source.members) member->group = into;
  target.members.insert(target.members.end(), source.members.begin(), source.members.end());
  target.last = std::max(target.last, source.last);
  groups_.erase(from);
}

void conflict_memory::dissolve(std::uint64_t which) {
  const auto known = groups_.find(which);
  if (known == groups_.end()) return;
  for (const marks::iterator member : known->second.members) member->group = 0;
  groups_.erase(known);
}

void conflict_memory::forget(marks::iterator which) {
  if (const std::uint64_t mine = which->group; mine != 0) {
    std::erase(groups_.at(mine).members, which);
    if (groups_.at(mine).members.size() < 2) dissolve(mine);
  }
  by_row_.erase(which->row);
  recent_.erase(which);
}

void conflict_memory::age(clock::time_point now) {
  for (int i = 0; i < aged_at_once && !recent_.empty(); ++i) {
    const marks::iterator oldest = std::prev(recent_.end());
    if (!over(oldest->last, now)) return;
    if (group_of(oldest->row, now) == 0) {
      forget(oldest);
    } else {
      recent_.splice(recent_.begin(), recent_, oldest);  // its group keeps it
    }
  }
}

bool conflict_memory::recent(const row_id& row, clock::time_point now) {
  const auto known = by_row_.find(row);
  if (known == by_row_.end()) return false;
  return !over(known->second->last, now) || group_of(row, now) != 0;
}

std::uint64_t conflict_memory::group_of(const row_id& row, clock::time_point now) {
  const auto known = by_row_.find(row);
  if (known == by_row_.end()) return 0;
  const std::uint64_t mine = known->second->group;
  if (mine != 0 && over(groups_.at(mine).last, now)) {
    dissolve(mine);
    return 0;
  }
  return mine;
}

const row_id* conflict_memory::member_of(std::uint64_t group) const {
  const auto known = groups_.find(group);
  return known == groups_.end() ? nullptr : &known->second.members.front()->row;
}

void conflict_memory::led_to_write(std::uint64_t shape) {
  if (shape == 0 || leads_to_write(shape)) return;
  if (by_shape_.size() >= most_shapes) {
    by_shape_.erase(shapes_.back());
    shapes_.pop_back();
  }
  shapes_.push_front(shape);
  by_shape_.emplace(shape, shapes_.begin());
}

bool conflict_memory::leads_to_write(std::uint64_t shape) {
  const auto known = by_shape_.find(shape);
  if (known == by_shape_.end()) return false;
  shapes_.splice(shapes_.begin(), shapes_, known->second);
  return true;
}

}  // namespace proxy::session
