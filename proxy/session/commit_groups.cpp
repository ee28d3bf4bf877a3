#include "proxy/session/commit_groups.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace proxy::session {
namespace {

constexpr std::size_t shard_count = 16;

struct row_state {
  session_id holder = 0;  // who writes it at PostgreSQL, or is called to
  bool called = false;    // it is called: its group is not made up yet
  bool rests = false;     // nobody does, and until `until` who comes first had better wait for the others
  std::size_t limit = commit_groups::most_members;
  std::vector<group_member> queue;
  std::vector<group_member> flight;  // the group that `holder` runs; empty where it writes alone
  std::vector<std::pair<session_id, group_answer>> answers;  // not collected yet
  clock::time_point began;                                   // the holder's writing
  clock::time_point until;                                   // called, or resting: more are waited for
  std::size_t expected = 0;                                  // called, or resting: so many
  double hope = 1;  // the share of those just answered that is expected to come again at once

  [[nodiscard]] bool idle() const { return holder == 0 && queue.empty() && answers.empty(); }
  [[nodiscard]] bool over() const { return idle() && !rests; }

  /// The first in the queue is to run what has come. `answered`: so many were told something just now.
  void call_next(std::size_t answered, clock::time_point now, wake_list& wake) {
    flight.clear();
    expected = std::min(limit, queue.size() + static_cast<std::size_t>(hope * static_cast<double>(answered)));
    until = now + std::min<clock::duration>(commit_groups::longest_pause,
                                            (now - began) / commit_groups::pause_divisor);
    holder = 0;
    called = false;
    if (!queue.empty()) return call(queue.front().who, wake);
    // Who writes alone is not slowed down by what it has just done itself.
    rests = answered > 1 && expected > 1 && now < until;
  }

  void call(session_id who, wake_list& wake) {
    holder = who;
    called = true;
    rests = false;
    wake.push_back(who);
  }

  /// True: the row is `who`'s.
  [[nodiscard]] bool take(session_id who, clock::time_point now) {
    if (holder != 0 || (rests && now < until)) return false;
    rests = false;
    holder = who;
    began = now;
    return true;
  }

  void add(group_member one, wake_list& wake) {
    queue.push_back(std::move(one));
    if (rests) return call(queue.back().who, wake);
    if (!called || queue.size() != expected) return;
    // The last of those who were waited for leads: it runs already, another one would have to be woken. But
    // it must be in the group, and two that go first are not.
    call(queue.back().job->goes_first ? holder : queue.back().who, wake);
  }

  /// Whether the called one had better wait. It learns from what comes of it.
  [[nodiscard]] bool pauses(clock::time_point now) {
    if (queue.size() < expected && now < until) return true;
    const bool came = queue.size() >= expected;
    hope = came ? std::min(1.0, hope * 1.5 + 0.05) : hope / 2;
    return false;
  }

  /// True: it was in the queue. If it was called, the next one is.
  bool leave_queue(session_id who, clock::time_point now, wake_list& wake) {
    const auto place =
        std::find_if(queue.begin(), queue.end(), [who](const group_member& each) { return each.who == who; });
    if (place == queue.end()) return false;
    queue.erase(place);
    if (holder == who && called) call_next(0, now, wake);
    return true;
  }

  [[nodiscard]] std::optional<group_answer> take_answer(session_id who) {
    const auto mine =
        std::find_if(answers.begin(), answers.end(), [who](const auto& each) { return each.first == who; });
    if (mine == answers.end()) return std::nullopt;
    std::optional<group_answer> found{std::move(mine->second)};
    answers.erase(mine);
    return found;
  }

  [[nodiscard]] group_member* in_flight(session_id who) {
    const auto place = std::find_if(flight.begin(), flight.end(),
                                    [who](const group_member& each) { return each.who == who; });
    return place == flight.end() ? nullptr : &*place;
  }

  void tell(session_id who, group_answer answer, wake_list& wake) {
    if (who == 0) return;
    answers.emplace_back(who, std::move(answer));
    wake.push_back(who);
  }
};

/// At most one that goes first, at the front; the others in the order in which they came.
std::vector<group_member> take_group(row_state& row) {
  std::vector<group_member> group;
  std::vector<group_member> left;
  bool has_first = false;
  for (group_member& each : row.queue) {
    const bool later = each.job->goes_first && has_first;
    if (group.size() >= row.limit || later) {
      left.push_back(std::move(each));
    } else if (each.job->goes_first) {
      has_first = true;
      group.insert(group.begin(), std::move(each));
    } else {
      group.push_back(std::move(each));
    }
  }
  row.queue = std::move(left);
  return group;
}

/// Where refusals are common, small groups waste less; each success lets the next be larger.
std::size_t next_limit(std::size_t limit, bool succeeded) {
  if (!succeeded) return std::max<std::size_t>(1, limit / 2);
  return std::min(commit_groups::most_members, limit + limit / 4 + 1);
}

/// Those that were not to blame come first in the next group.
void queue_again(row_state& row, std::size_t culprit, wake_list& wake) {
  std::vector<group_member> again;
  for (std::size_t i = 0; i < row.flight.size(); ++i) {
    group_member& each = row.flight[i];
    if (each.who == 0) continue;
    if (i == culprit || each.withdrawn || ++each.failures >= commit_groups::most_failures) {
      row.tell(each.who, {group_answer::type::alone, {}}, wake);
    } else {
      again.push_back(std::move(each));
    }
  }
  row.queue.insert(row.queue.begin(), std::make_move_iterator(again.begin()),
                   std::make_move_iterator(again.end()));
}

void settle(row_state& row, group_result& result, wake_list& wake) {
  using kind = group_result::type;
  row.limit = next_limit(row.limit, result.what == kind::committed);
  if (result.what == kind::refused) return queue_again(row, result.culprit, wake);
  group_answer answer;
  if (result.what == kind::lost) answer.what = group_answer::type::unknown;
  if (result.what == kind::timed_out) answer.what = group_answer::type::timed_out;
  for (std::size_t i = 0; i < row.flight.size(); ++i) {
    if (result.what == kind::committed) answer = {group_answer::type::committed, std::move(result.frames[i])};
    row.tell(row.flight[i].who, std::move(answer), wake);
    answer.frames.clear();
  }
}

struct hash_of {
  std::size_t operator()(const shared_row& row) const noexcept { return row.hash(); }
};

}  // namespace

struct commit_groups::shard {
  using row_map = std::unordered_map<shared_row, row_state, hash_of>;
  mutable std::mutex lock;
  row_map rows;
  std::deque<std::pair<clock::time_point, shared_row>>
      resting;  // until then; those that rested are left in it

  void drop_if_over(row_map::iterator known) {
    if (known->second.over()) rows.erase(known);
  }

  void call_next(row_map::iterator row, std::size_t answered, clock::time_point now, wake_list& wake) {
    row->second.call_next(answered, now, wake);
    if (row->second.rests) resting.emplace_back(row->second.until, row->first);
    drop_if_over(row);
  }

  void end_rests(clock::time_point now) {
    for (; !resting.empty() && resting.front().first <= now; resting.pop_front()) {
      const auto known = rows.find(resting.front().second);
      if (known == rows.end() || known->second.until > now) continue;
      known->second.rests = false;
      drop_if_over(known);
    }
  }
};

void session_kind::add(std::string_view part) {
  text_.append(part).append(1, '\0');
  hash_ = std::hash<std::string>{}(text_);
}

shared_row::shared_row(std::string_view row, const session_kind& seen_by)
    : hash_{std::hash<std::string_view>{}(row) ^ seen_by.hash()} {
  name_.reserve(row.size() + 1 + seen_by.text().size());
  name_.append(row).append(1, '\0').append(seen_by.text());
}

commit_groups::commit_groups() {
  for (std::size_t i = 0; i < shard_count; ++i) shards_.push_back(std::make_unique<shard>());
}

commit_groups::~commit_groups() = default;

commit_groups::shard& commit_groups::shard_of(const shared_row& row) const {
  return *shards_[row.hash() % shard_count];
}

bool commit_groups::take(const shared_row& row, session_id who, clock::time_point now) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  home.end_rests(now);
  return home.rows[row].take(who, now);
}

bool commit_groups::enter(const shared_row& row, session_id who, group_job_ptr job, clock::time_point now,
                          wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  row_state& state = home.rows[row];
  if (state.take(who, now)) return true;
  state.add({who, std::move(job)}, wake);
  return false;
}

called_group commit_groups::lead(const shared_row& row, session_id who, clock::time_point now) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end()) return {};
  row_state& state = known->second;
  if (state.holder != who || !state.called) return {};
  if (state.pauses(now)) return {{}, state.until};
  state.called = false;
  state.began = now;
  state.flight = take_group(state);
  called_group group{state.flight, std::nullopt};
  if (group.members.size() == 1) state.flight.clear();
  return group;
}

std::optional<group_answer> commit_groups::answer(const shared_row& row, session_id who) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end()) return std::nullopt;
  auto found = known->second.take_answer(who);
  home.drop_if_over(known);
  return found;
}

bool commit_groups::withdraw(const shared_row& row, session_id who, clock::time_point now, wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end()) return false;
  const bool queued = known->second.leave_queue(who, now, wake);
  if (group_member* const sent = known->second.in_flight(who)) sent->withdrawn = true;
  home.drop_if_over(known);
  return queued;
}

group_answer commit_groups::abandon(const shared_row& row, session_id who, clock::time_point now,
                                    wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  group_answer found;
  if (known == home.rows.end()) return found;
  row_state& state = known->second;
  if (!state.leave_queue(who, now, wake)) {
    if (group_member* const sent = state.in_flight(who)) {
      sent->who = 0;
      found.what = group_answer::type::unknown;
    } else if (auto told = state.take_answer(who)) {
      found = std::move(*told);
    }
  }
  home.drop_if_over(known);
  return found;
}

void commit_groups::done(const shared_row& row, session_id who, clock::time_point now, wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end() || known->second.holder != who || known->second.called) return;
  home.call_next(known, 1, now, wake);
}

void commit_groups::finish(const shared_row& row, session_id who, group_result result, clock::time_point now,
                           wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end() || known->second.holder != who || known->second.called) return;
  const std::size_t told = wake.size();
  settle(known->second, result, wake);
  home.call_next(known, wake.size() - told, now, wake);
}

std::size_t commit_groups::rows() const {
  std::size_t count = 0;
  for (const auto& each : shards_) {
    const std::lock_guard hold(each->lock);
    count += static_cast<std::size_t>(std::count_if(each->rows.begin(), each->rows.end(),
                                                    [](const auto& row) { return !row.second.idle(); }));
  }
  return count;
}

}  // namespace proxy::session
