#include "proxy/session/watch.hpp"

#include <algorithm>

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
  suspended = false;
  trace.clear();
  reads.clear();
  writes.clear();
  prepared.reset();
  formats.clear();
  readers.reset();
  if (carried.plan != nullptr) carried = {};
  return usual;
}

}  // namespace proxy::session
