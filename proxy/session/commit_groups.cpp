#include "proxy/session/commit_groups.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace proxy::session {
namespace {

constexpr std::size_t shard_count = 16;

struct row_state {
  session_id holder = 0;  // who writes it at PostgreSQL, or is called to
  bool called = false;    // it is called: its group is not made up yet
  std::size_t limit = commit_groups::most_members;
  std::deque<group_member> queue;
  std::vector<group_member> flight;  // the group that `holder` runs; empty where it writes alone
  std::vector<std::pair<session_id, group_answer>> answers;  // not collected yet
  clock::time_point began;                                   // the holder's writing
  clock::time_point until;                                   // called: more are waited for
  std::size_t expected = 0;                                  // called: so many
  double hope = 1;  // the share of those just answered that is expected to come again at once

  [[nodiscard]] bool over() const { return holder == 0 && queue.empty() && answers.empty(); }

  /// The first in the queue is to run what has come.
  void call_next(clock::time_point now, wake_list& wake) {
    const std::size_t answered = std::max<std::size_t>(1, flight.size());
    flight.clear();
    holder = queue.empty() ? 0 : queue.front().who;
    called = holder != 0;
    if (!called) return;
    wake.push_back(holder);
    expected = std::min(limit, queue.size() + static_cast<std::size_t>(hope * static_cast<double>(answered)));
    until = now + std::min<clock::duration>(commit_groups::longest_pause,
                                            (now - began) / commit_groups::pause_divisor);
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
    if (holder == who && called) call_next(now, wake);
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
  std::deque<group_member> left;
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
  for (std::size_t i = row.flight.size(); i-- > 0;) {
    group_member& each = row.flight[i];
    if (each.who == 0) continue;
    if (i == culprit || each.withdrawn || ++each.failures >= commit_groups::most_failures) {
      row.tell(each.who, {group_answer::type::alone, {}}, wake);
    } else {
      row.queue.push_front(std::move(each));
    }
  }
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

}  // namespace

struct commit_groups::shard {
  mutable std::mutex lock;
  std::unordered_map<std::string, row_state> rows;

  void drop_if_over(const std::string& name) {
    const auto known = rows.find(name);
    if (known != rows.end() && known->second.over()) rows.erase(known);
  }
};

commit_groups::commit_groups() {
  for (std::size_t i = 0; i < shard_count; ++i) shards_.push_back(std::make_unique<shard>());
}

commit_groups::~commit_groups() = default;

commit_groups::shard& commit_groups::shard_of(const std::string& row) const {
  return *shards_[std::hash<std::string>{}(row) % shard_count];
}

bool commit_groups::take(const std::string& row, session_id who, clock::time_point now) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto [place, added] = home.rows.try_emplace(row);
  row_state& state = place->second;
  if (!added && state.holder != 0) return false;
  state.holder = who;
  state.began = now;
  return true;
}

bool commit_groups::enter(const std::string& row, session_id who, group_job_ptr job, clock::time_point now,
                          wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  row_state& state = home.rows[row];
  if (state.holder == 0) {
    state.holder = who;
    state.began = now;
    return true;
  }
  state.queue.push_back({who, std::move(job), 0});
  if (state.called && state.queue.size() == state.expected) wake.push_back(state.holder);
  return false;
}

called_group commit_groups::lead(const std::string& row, session_id who, clock::time_point now) {
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

std::optional<group_answer> commit_groups::answer(const std::string& row, session_id who) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end()) return std::nullopt;
  auto found = known->second.take_answer(who);
  home.drop_if_over(row);
  return found;
}

bool commit_groups::withdraw(const std::string& row, session_id who, clock::time_point now, wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end()) return false;
  const bool queued = known->second.leave_queue(who, now, wake);
  if (group_member* const sent = known->second.in_flight(who)) sent->withdrawn = true;
  home.drop_if_over(row);
  return queued;
}

group_answer commit_groups::abandon(const std::string& row, session_id who, clock::time_point now,
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
  home.drop_if_over(row);
  return found;
}

void commit_groups::done(const std::string& row, session_id who, clock::time_point now, wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end() || known->second.holder != who || known->second.called) return;
  known->second.call_next(now, wake);
  home.drop_if_over(row);
}

void commit_groups::finish(const std::string& row, session_id who, group_result result, clock::time_point now,
                           wake_list& wake) {
  shard& home = shard_of(row);
  const std::lock_guard hold(home.lock);
  const auto known = home.rows.find(row);
  if (known == home.rows.end() || known->second.holder != who || known->second.called) return;
  settle(known->second, result, wake);
  known->second.call_next(now, wake);
  home.drop_if_over(row);
}

std::size_t commit_groups::rows() const {
  std::size_t count = 0;
  for (const auto& each : shards_) {
    const std::lock_guard hold(each->lock);
    count += each->rows.size();
  }
  return count;
}

}  // namespace proxy::session
