#include "proxy/session/turn_queues.hpp"

#include <algorithm>
#include <unordered_set>

namespace proxy::session {

namespace {

/// Turns that one call passes on beside those it is about, so that no call takes long.
constexpr int swept_at_once = 16;

void remove(std::vector<unfinished*>& from, const unfinished* what) {
  from.erase(std::remove(from.begin(), from.end(), what), from.end());
}

template <class Rows, class Groups>
auto find_in(Rows& rows, Groups& groups, const turn_place& place) -> decltype(&rows.begin()->second) {
  if (place.group != 0) {
    const auto known = groups.find(place.group);
    return known == groups.end() ? nullptr : &known->second;
  }
  const auto known = rows.find(place.row);
  return known == rows.end() ? nullptr : &known->second;
}

}  // namespace

bool is_own(const turn& which, const turn_request& request) {
  const turn_holder& holder = *which.held;
  if (holder.owner != request.owner) return false;
  if (!request.one_read) return true;
  if (which.place.group != 0) {
    // Many units of work may go on under one client; those in transactions are told apart by their session.
    return !request.in_transaction || !holder.in_transaction || holder.who == request.who;
  }
  return !request.read || (request.in_transaction && holder.who == request.who);
}

const turn* turn_queues::look(const turn_place& place) const {
  return find_in(rows_, groups_, place);
}

const turn* turn_queues::look(const row_id& row) const {
  const auto known = rows_.find(row);
  return known == rows_.end() ? nullptr : &known->second;
}

turn* turn_queues::at(const turn_place& place, clock::time_point now, wake_list& wake) {
  turn* found = find_in(rows_, groups_, place);
  if (found == nullptr) return nullptr;
  expire(*found, now, wake);
  return find_in(rows_, groups_, place);  // it is gone if nobody waited
}

turn& turn_queues::make(const turn_place& place) {
  turn& made = place.group != 0 ? groups_[place.group] : rows_[place.row];
  made.number = next_number_++;
  made.place = place;
  ++turns_;
  return made;
}

void turn_queues::forget(const turn& which) {
  --turns_;
  const turn_place place = which.place;
  if (place.group != 0) {
    groups_.erase(place.group);
  } else {
    rows_.erase(place.row);
  }
}

unfinished* turn_queues::request_of(session_id who) {
  const auto known = requests_.find(who);
  return known == requests_.end() ? nullptr : &known->second;
}

unfinished& turn_queues::begin(const turn_request& request, std::vector<turn_need> needs) {
  unfinished& made = requests_[request.who];
  made.request = request;
  made.request.rule = {};
  made.count = &count_of(request.rule);
  made.needs = std::move(needs);
  by_owner_[request.owner].push_back(&made);
  return made;
}

void turn_queues::erase(unfinished& request) {
  const auto mine = by_owner_.find(request.request.owner);
  remove(mine->second, &request);
  if (mine->second.empty()) by_owner_.erase(mine);
  requests_.erase(session_id{request.request.who});
}

void turn_queues::take(unfinished& request, clock::time_point now) {
  hold(make(request.needs[request.next].place), request, now);
}

void turn_queues::hold(turn& which, unfinished& by, clock::time_point now) {
  const turn_need& need = by.needs[by.next];
  const turn_request& asked = by.request;
  // Without an end that lies in the future a turn would be lost before it was used.
  const auto timeout = std::max(asked.turn_timeout, std::chrono::milliseconds{1});
  which.held = turn_holder{asked.who,      asked.owner,          by.count,  timeout,    now + timeout,
                           asked.one_read, asked.in_transaction, need.keep, need.under, &by};
  by.taken.push_back(&which);
  by_session_[asked.who].emplace(which.number, &which);
  deadlines_.emplace(deadline{which.held->until, which.number}, &which);
  if (which.place.group == 0) ++by.count->active;
}

void turn_queues::extend(turn& which, clock::time_point until) {
  if (until <= which.held->until) return;
  auto moved = deadlines_.extract(deadline{which.held->until, which.number});
  which.held->until = until;
  moved.key().first = until;
  deadlines_.insert(std::move(moved));
}

void turn_queues::queue(unfinished& request, turn& where) {
  where.queue.push_back(&request);
  request.queued = &where;
  ++request.count->waiting;
}

void turn_queues::unqueue(unfinished& request) {
  if (request.queued == nullptr) return;
  std::deque<unfinished*>& line = request.queued->queue;
  line.erase(std::find(line.begin(), line.end(), &request));
  request.queued = nullptr;
  --request.count->waiting;
}

void turn_queues::end(turn& which, clock::time_point now, wake_list& wake) {
  const turn_holder was = *which.held;
  which.held.reset();
  deadlines_.erase(deadline{was.until, which.number});
  const auto mine = by_session_.find(was.who);
  mine->second.erase(which.number);
  if (mine->second.empty()) by_session_.erase(mine);
  if (which.place.group == 0) --was.count->active;
  if (was.request != nullptr) std::erase(was.request->taken, &which);
  pass_on(which, now, wake);
}

void turn_queues::pass_on(turn& which, clock::time_point now, wake_list& wake) {
  if (which.queue.empty()) return forget(which);
  unfinished& next = *which.queue.front();
  unqueue(next);
  hold(which, next, now);
  // What it took earlier could not be used while it waited.
  for (turn* taken : next.taken) extend(*taken, now + taken->held->timeout);
  wake.push_back(next.request.who);
  for (const unfinished* other : which.queue) {
    if (is_own(which, other->request)) wake.push_back(other->request.who);
  }
}

void turn_queues::expire(turn& which, clock::time_point now, wake_list& wake) {
  const turn_holder& holder = *which.held;
  if (holder.until > now) return;
  if (holder.request != nullptr && holder.request->queued != nullptr) {
    // Its request still waits for another turn, so this one cannot be used yet. Waiting has an end: there is
    // no cycle, and who holds the last turn of the chain does not wait.
    return extend(which, now + holder.timeout);
  }
  end(which, now, wake);
}

void turn_queues::sweep(clock::time_point now, wake_list& wake) {
  for (int i = 0; i < swept_at_once && !deadlines_.empty(); ++i) {
    const auto first = deadlines_.begin();
    if (first->first.first > now) return;
    expire(*first->second, now, wake);
  }
}

void turn_queues::finish(unfinished& request, clock::time_point now, wake_list& wake) {
  finish_groups(request, now, wake);
  const std::vector<turn*> taken = std::move(request.taken);
  request.taken.clear();
  for (turn* which : taken) {
    which->held->request = nullptr;
    if (which->held->keep) {
      extend(*which, now + which->held->timeout);
    } else {
      end(*which, now, wake);
    }
  }
  erase(request);
}

void turn_queues::finish_groups(const unfinished& request, clock::time_point now, wake_list& wake) {
  const turn_request& asked = request.request;
  for (const turn_need& need : request.needs) {
    if (need.place.group == 0) continue;
    turn* group = find_in(rows_, groups_, need.place);
    if (group == nullptr || group->held->owner != asked.owner) continue;
    const bool used = std::any_of(request.needs.begin(), request.needs.end(), [&](const turn_need& member) {
      const turn* row = member.under == need.place.group ? look(member.place) : nullptr;
      return row != nullptr && row->held->owner == asked.owner;
    });
    if (used) {
      extend(*group, now + group->held->timeout);
    } else if (group->held->request == &request) {
      end(*group, now, wake);
    }
  }
}

void turn_queues::abandon(unfinished& request, clock::time_point now, wake_list& wake) {
  unqueue(request);
  while (!request.taken.empty()) end(*request.taken.back(), now, wake);
  erase(request);
}

void turn_queues::end_all(session_id who, clock::time_point now, wake_list& wake) {
  for (auto mine = by_session_.find(who); mine != by_session_.end(); mine = by_session_.find(who)) {
    end(*mine->second.begin()->second, now, wake);
  }
}

void turn_queues::waited_for(const turn& which, std::vector<const unfinished*>& into) const {
  const turn_holder& holder = *which.held;
  into.clear();
  // With one_read the write may come over any session of the client, so nobody's waiting holds it up; but a
  // transaction stays on its session.
  if (holder.one_read && !holder.in_transaction) return;
  if (const auto known = requests_.find(holder.who); known != requests_.end()) into.push_back(&known->second);
  if (holder.one_read) return;
  const auto known = by_owner_.find(holder.owner);
  if (known != by_owner_.end()) into.insert(into.end(), known->second.begin(), known->second.end());
}

bool turn_queues::waits_with_row_locks(const turn& which) const {
  std::vector<const unfinished*> waiting;
  waited_for(which, waiting);
  return std::any_of(waiting.begin(), waiting.end(),
                     [](const unfinished* one) { return one->request.holds_row_locks; });
}

std::vector<const turn*> turn_queues::cycle(const unfinished& request, const turn& where) const {
  struct step {
    const turn* at;
    std::size_t from;
  };
  // Those ahead in a queue wait for the same holder as those behind, so holders are all there is to follow.
  std::vector<step> steps{{&where, 0}};
  std::unordered_set<const turn*> seen{&where};
  std::vector<const unfinished*> next;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    waited_for(*steps[i].at, next);
    for (const unfinished* one : next) {
      if (one == &request) {
        std::vector<const turn*> path{steps[i].at};
        for (std::size_t back = i; back != 0; back = steps[back].from)
          path.push_back(steps[steps[back].from].at);
        return path;
      }
      if (one->queued != nullptr && seen.insert(one->queued).second) steps.push_back({one->queued, i});
    }
  }
  return {};
}

turn_table::counts& turn_queues::count_of(std::string_view rule) {
  const auto known = counts_.find(rule);
  if (known != counts_.end()) return known->second;
  turn_table::counts& made = counts_[std::string(rule)];
  made.rule = rule;
  return made;
}

std::vector<turn_table::counts> turn_queues::counts() const {
  std::vector<turn_table::counts> all;
  all.reserve(counts_.size());
  for (const auto& [rule, count] : counts_) all.push_back(count);
  return all;
}

}  // namespace proxy::session
