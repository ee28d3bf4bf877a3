#include "proxy/session/row_activity.hpp"

#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace proxy::session {

namespace {

/// Writes of one row that are remembered.
constexpr std::size_t writes_of_row = 8;
/// Bytes kept of a statement's text and of an application's name.
constexpr std::size_t text_bytes = 200;

struct known_write {
  seen_write write;
  bool lost = false;  // reported: an update is lost once
};

/// Cuts between characters, where the text is UTF-8.
void cut(std::string& text) {
  if (text.size() <= text_bytes) return;
  std::size_t end = text_bytes;
  while (end > text_bytes - 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  text.shrink_to_fit();
}

/// `write` wrote a value that was worked out without knowing of `other`.
bool did_not_know(const seen_write& write, const seen_write& other) {
  return write.absolute && write.read && *write.read < other.sent;
}

/// `later` has certainly come after `earlier`, and overwritten it.
bool overwrote(const seen_write& later, const seen_write& earlier) {
  return did_not_know(later, earlier) && earlier.committed < later.sent;
}

/// One of them is lost, whatever their order was: both replaced the value.
bool overlap(const seen_write& one, const seen_write& other) {
  return did_not_know(one, other) && did_not_know(other, one);
}

/// Least recently used entries go first. `Value` by name.
template <class Value>
class bounded_map {
 public:
  explicit bounded_map(std::size_t most) : most_{most == 0 ? 1 : most} {}

  Value& use(std::string_view name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) {
      recent_.splice(recent_.begin(), recent_, known->second);
      return known->second->second;
    }
    if (by_name_.size() >= most_) {
      by_name_.erase(recent_.back().first);
      recent_.pop_back();
    }
    recent_.emplace_front(std::string(name), Value{});
    by_name_.emplace(recent_.front().first, recent_.begin());
    return recent_.front().second;
  }

  const Value* find(std::string_view name) const {
    const auto known = by_name_.find(name);
    return known == by_name_.end() ? nullptr : &known->second->second;
  }

 private:
  using items = std::list<std::pair<std::string, Value>>;
  std::size_t most_;
  items recent_;                                                            // most recently used first
  std::unordered_map<std::string_view, typename items::iterator> by_name_;  // names live in the items
};

std::string reader_name(std::string_view client, const row_id& row) {
  std::string name = std::to_string(client.size());
  name.reserve(name.size() + 1 + client.size() + row.size());
  name.append(":").append(client).append(row);
  return name;
}

}  // namespace

struct row_activity::state {
  explicit state(std::size_t rows) : writes{rows}, readers{rows} {}

  std::mutex lock;
  bounded_map<std::deque<known_write>> writes;  // of a row, in the order of their reports
  bounded_map<session_id> readers;              // by client and row
};

row_activity::row_activity(std::size_t rows) : state_{std::make_unique<state>(rows)} {}
row_activity::~row_activity() = default;

std::optional<lost_update> row_activity::committed(const row_id& row, seen_write write) {
  cut(write.application);
  cut(write.statement);
  const std::lock_guard hold(state_->lock);
  std::deque<known_write>& known = state_->writes.use(row);
  known_write added{std::move(write)};
  std::optional<lost_update> found;
  for (auto earlier = known.rbegin(); earlier != known.rend() && !found; ++earlier) {
    if (earlier->write.who == added.write.who) continue;
    const bool after = overwrote(added.write, earlier->write) || overlap(added.write, earlier->write);
    if (!earlier->lost && after) {
      earlier->lost = true;
      found = lost_update{row, earlier->write, added.write};
    } else if (overwrote(earlier->write, added.write)) {  // reported late: its session's thread was slower
      added.lost = true;
      found = lost_update{row, added.write, earlier->write};
    }
  }
  if (known.size() >= writes_of_row) known.pop_front();
  known.push_back(std::move(added));
  return found;
}

void row_activity::read(std::string_view client, const row_id& row, session_id who) {
  const std::lock_guard hold(state_->lock);
  state_->readers.use(reader_name(client, row)) = who;
}

session_id row_activity::last_reader(std::string_view client, const row_id& row) const {
  const std::lock_guard hold(state_->lock);
  const session_id* known = state_->readers.find(reader_name(client, row));
  return known == nullptr ? 0 : *known;
}

}  // namespace proxy::session
