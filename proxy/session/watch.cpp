#include "proxy/session/watch.hpp"

#include <algorithm>

#include "proxy/session/limits.hpp"

namespace proxy::session {
namespace {

// What most statements need; the memory of one that needed more is not kept.
constexpr std::size_t usual_rows = 4;
constexpr std::size_t usual_items = 16;
constexpr std::size_t usual_text = 256;

bool is_usual(const watched_read& read) noexcept {
  return read.rows.kept() <= usual_rows &&
         std::all_of(read.rows.begin(), read.rows.end(), [](const named_row& row) {
           return row.id.capacity() <= usual_text && row.key.kept() <= usual_items;
         });
}

}  // namespace

bool watch::let_go() noexcept {
  const bool usual = reads.kept() <= usual_rows && std::all_of(reads.begin(), reads.end(), is_usual) &&
                     writes.capacity() == 0 && formats.capacity() <= usual_items &&
                     trace.capacity() <= usual_text;
  kept.reset();
  book.reset();
  plan = nullptr;
  executed = false;
  trace.clear();
  reads.clear();
  writes.clear();
  prepared.reset();
  formats.clear();
  readers.reset();
  if (carried.plan != nullptr) carried = {};
  return usual;
}

void unanswered_writes::add(std::uint64_t batch, std::uint32_t table, const named_rows& rows) {
  if (entries_.size() >= limits::unanswered_writes && entries_.back().batch == batch) {
    if (entries_.back().table != table) entries_.back().table = 0;
    return entries_.back().rows.clear();
  }
  entry& added = entries_.emplace_back(entry{batch, table, {}});
  if (!all_by_key(rows)) return;
  for (const named_row& row : rows) added.rows.push_back(row.id);
}

void unanswered_writes::answered(std::uint64_t before) noexcept {
  std::erase_if(entries_, [before](const entry& each) { return each.batch < before; });
  if (entries_.empty() && entries_.capacity() > usual_items) entries_ = {};
}

bool unanswered_writes::concern(const watch& on, std::uint64_t batch) const {
  const auto concerns = [&](const entry& other, const watched_write& write) {
    if (other.table != 0 && other.table != on.book->relations()[write.note->relation].oid) return false;
    if (other.rows.empty() || !all_by_key(write.rows)) return true;
    return std::any_of(write.rows.begin(), write.rows.end(), [&](const named_row& row) {
      return std::find(other.rows.begin(), other.rows.end(), row.id) != other.rows.end();
    });
  };
  for (const entry& other : entries_) {
    if (other.batch == batch) break;
    if (std::any_of(on.writes.begin(), on.writes.end(),
                    [&](const watched_write& write) { return concerns(other, write); }))
      return true;
  }
  return false;
}

}  // namespace proxy::session
