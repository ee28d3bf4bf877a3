#include "tests/session/money/database.hpp"

namespace money {

bool transaction::lock(std::int64_t id) {
  row& which = of_.rows().at(id);
  if (which.holder == this) return true;
  if (which.holder != nullptr) return false;
  which.holder = this;
  which.current = which.committed;
  levels_.back().changes.push_back({id, true, std::nullopt});
  return true;
}

void transaction::write(std::int64_t id, std::optional<wallet> what) {
  row& which = of_.rows().at(id);
  levels_.back().changes.push_back({id, false, which.current});
  which.current = what;
}

void transaction::savepoint(std::string_view name) {
  levels_.push_back({std::string(name), {}});
}

std::optional<std::size_t> transaction::level_of(std::string_view name) const {
  for (std::size_t i = levels_.size(); i-- > 1;) {
    if (levels_[i].savepoint == name) return i;
  }
  return std::nullopt;
}

bool transaction::release(std::string_view name) {
  const auto from = level_of(name);
  if (!from) return false;
  for (std::size_t i = *from; i < levels_.size(); ++i) {
    auto& into = levels_[*from - 1].changes;
    into.insert(into.end(), levels_[i].changes.begin(), levels_[i].changes.end());
  }
  levels_.resize(*from);
  return true;
}

bool transaction::roll_back_to(std::string_view name) {
  const auto from = level_of(name);
  if (!from) return false;
  undo_from(*from);
  levels_.resize(*from + 1);
  return true;
}

void transaction::fail() {
  undo_from(levels_.size() - 1);
}

void transaction::roll_back() {
  undo_from(0);
  levels_.resize(1);
}

void transaction::undo_from(std::size_t first) {
  for (std::size_t i = levels_.size(); i-- > first;) {
    auto& changes = levels_[i].changes;
    for (auto each = changes.rbegin(); each != changes.rend(); ++each) {
      row& which = of_.rows().at(each->id);
      which.current = each->before;
      if (each->locked) which.holder = nullptr;
    }
    changes.clear();
  }
}

bool transaction::commit() {
  bool wrote = false;
  for (const level& each : levels_) {
    for (const change& made : each.changes) {
      if (made.locked) continue;
      wrote = true;
      row& which = of_.rows().at(made.id);
      if (which.committed && which.current && which.current->balance < 0) ++of_.overdrafts;
      which.committed = which.current;
      ++which.version;
    }
  }
  for (const level& each : levels_) {
    for (const change& made : each.changes) of_.rows().at(made.id).holder = nullptr;
  }
  levels_.clear();
  levels_.resize(1);
  return wrote;
}

}  // namespace money
