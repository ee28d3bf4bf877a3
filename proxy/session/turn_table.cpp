#include "proxy/session/turn_table.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "proxy/session/conflict_memory.hpp"
#include "proxy/session/turn_queues.hpp"

namespace proxy::session {

struct turn_table::state {
  std::mutex lock;  // one for all: a cycle is seen only with every queue at rest
  conflict_memory conflicts{memory};
  turn_queues queues;

  [[nodiscard]] bool contended(const turn_request& request, clock::time_point now);
  [[nodiscard]] bool begins(const turn_request& request, clock::time_point now);
  [[nodiscard]] std::vector<turn_need> plan(const turn_request& request, bool begin, clock::time_point now);
  [[nodiscard]] unfinished* enter(const turn_request& request, clock::time_point now, wake_list& wake);
  [[nodiscard]] turn_answer proceed(unfinished& request, clock::time_point now, wake_list& wake);
  void waits(unfinished& request, turn& where, clock::time_point now);
  [[nodiscard]] bool regrouped(const unfinished& request, clock::time_point now);
  [[nodiscard]] bool may_overtake(const unfinished& request, const turn& where) const;
  [[nodiscard]] turn_answer give_way(unfinished& request, clock::time_point now, wake_list& wake);
  [[nodiscard]] turn_answer stand_back(unfinished& request, clock::time_point now, wake_list& wake);
  void met_in(const std::vector<const turn*>& cycle, clock::time_point now);
  void wrote(std::uint64_t owner, const row_id& row, clock::time_point now, wake_list& wake);
};

namespace {

/// With one_read only one read may be outstanding for a row, whatever the rule's `turns`.
rules::turns mode_of(const turn_request& request) {
  return request.one_read ? rules::turns::on : request.mode;
}

/// Who is to be waited for at PostgreSQL is waited for in the queue: a deadlock is seen at once.
bool keeps_locked(const turn_request& request) {
  return request.locks && mode_of(request) == rules::turns::adaptive;
}

bool is_same(const turn_request& one, const turn_request& other) {
  return one.owner == other.owner && one.read == other.read && one.locks == other.locks &&
         one.rows == other.rows;
}

}  // namespace

turn_table::turn_table() : state_{std::make_unique<state>()} {}
turn_table::~turn_table() = default;

/// One of the rows was in conflict lately, or somebody else's turn is on it now.
bool turn_table::state::contended(const turn_request& request, clock::time_point now) {
  return std::any_of(request.rows.begin(), request.rows.end(), [&](const row_id& row) {
    const turn* there = queues.look(row);
    return (there != nullptr && !is_own(*there, request)) || conflicts.recent(row, now);
  });
}

bool turn_table::state::begins(const turn_request& request, clock::time_point now) {
  if (!request.read) return false;
  if (request.one_read) return true;
  switch (request.mode) {
    case rules::turns::off:
      return false;
    case rules::turns::on:
      return request.by_key || conflicts.leads_to_write(request.shape);
    case rules::turns::adaptive:
      return conflicts.leads_to_write(request.shape) && contended(request, now);
  }
  return false;
}

std::vector<turn_need> turn_table::state::plan(const turn_request& request, bool begin,
                                               clock::time_point now) {
  std::vector<row_id> rows = request.rows;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  // A single write alone in its transaction cannot be part of a deadlock between the rows of a group.
  const bool may_deadlock = request.read || request.in_transaction || rows.size() > 1;
  const bool holds_writes = mode_of(request) == rules::turns::on && request.in_transaction;
  std::vector<turn_need> members;
  std::vector<std::uint64_t> groups;
  for (row_id& row : rows) {
    const turn* there = queues.look(row);
    const bool own = there != nullptr && is_own(*there, request);
    turn_need need;
    // A write in its turn keeps the next reader from seeing what it is about to change.
    need.keep =
        begin || keeps_locked(request) || (!request.read && (holds_writes || conflicts.recent(row, now)));
    need.group = conflicts.group_of(row, now);
    if (need.keep && !own && may_deadlock) need.under = need.group;
    if (need.under != 0) groups.push_back(need.under);
    need.place.row = std::move(row);
    members.push_back(std::move(need));
  }
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  std::vector<turn_need> needs;
  needs.reserve(groups.size() + members.size());
  for (const std::uint64_t group : groups) needs.push_back({.place = {group, {}}, .keep = true});
  std::move(members.begin(), members.end(), std::back_inserter(needs));
  return needs;
}

turn_answer turn_table::ask(const turn_request& request, clock::time_point now, wake_list& wake) {
  const std::lock_guard hold(state_->lock);
  const std::size_t woken_before = wake.size();
  state_->queues.sweep(now, wake);
  unfinished* asked = state_->queues.request_of(request.who);
  if (asked != nullptr && is_same(asked->request, request) && state_->regrouped(*asked, now)) {
    state_->queues.abandon(*asked, now, wake);
    asked = nullptr;
  }
  if (asked == nullptr || !is_same(asked->request, request)) asked = state_->enter(request, now, wake);
  if (asked == nullptr) return {};
  const turn_answer answer = state_->proceed(*asked, now, wake);
  // Who is here need not be woken.
  const auto here = wake.begin() + static_cast<std::ptrdiff_t>(woken_before);
  wake.erase(std::remove(here, wake.end(), request.who), wake.end());
  return answer;
}

/// Its rows have met others since it began to wait, and nothing is locked yet: it queues for the turn that
/// they share now, rather than lock a row and meet the others in a deadlock.
bool turn_table::state::regrouped(const unfinished& request, clock::time_point now) {
  if (request.queued != nullptr || request.request.holds_row_locks) return false;
  return std::any_of(request.needs.begin(), request.needs.end(), [&](const turn_need& need) {
    return need.keep && need.place.group == 0 && conflicts.group_of(need.place.row, now) != need.group;
  });
}

/// Null: it may go at once. Otherwise it takes the place of what the session waited for until now.
unfinished* turn_table::state::enter(const turn_request& request, clock::time_point now, wake_list& wake) {
  if (mode_of(request) == rules::turns::off || request.rows.empty()) return nullptr;
  const bool begin = begins(request, now);
  if (!begin && request.read && !request.in_transaction) return nullptr;
  std::vector<turn_need> needs = plan(request, begin, now);
  unfinished* other = queues.request_of(request.who);
  const bool at_once = std::all_of(needs.begin(), needs.end(), [&](const turn_need& need) {
    const turn* there = queues.look(need.place);
    if (there == nullptr) return !need.keep;
    return is_own(*there, request) && (other == nullptr || there->held->request != other);
  });
  if (at_once) return nullptr;  // a statement with several requests asks all of them again
  if (other != nullptr) queues.abandon(*other, now, wake);
  return &queues.begin(request, std::move(needs));
}

/// Takes what is still needed, one turn after another; starts where it waited.
turn_answer turn_table::state::proceed(unfinished& request, clock::time_point now, wake_list& wake) {
  for (; request.next < request.needs.size(); ++request.next) {
    const turn_need& need = request.needs[request.next];
    turn* there = queues.at(need.place, now, wake);
    if (there == nullptr) {
      if (need.keep && queues.has_room()) queues.take(request, now);
      continue;
    }
    if (there->held->request == &request) continue;  // granted
    if (is_own(*there, request.request)) {
      queues.unqueue(request);
      continue;
    }
    if (request.queued == nullptr) {
      if (const auto cycle = queues.cycle(request, *there); !cycle.empty()) {
        met_in(cycle, now);
        if (request.request.holds_row_locks) return give_way(request, now, wake);
        // Ending its turns is of no use where another session of the same owner closes the cycle.
        const bool closed_by_own = cycle.front()->held->who == request.request.who;
        if (!closed_by_own || may_overtake(request, *there)) continue;  // its write is validated
        return stand_back(request, now, wake);
      }
    }
    waits(request, *there, now);
    return {turn_answer::type::wait, there->held->until};
  }
  queues.finish(request, now, wake);
  return {};
}

/// Without the turn it would not wait at PostgreSQL for somebody who waits for it here: neither side could
/// see such a cycle.
bool turn_table::state::may_overtake(const unfinished& request, const turn& where) const {
  if (request.request.read) return !request.request.locks;
  return !request.request.locks && !queues.waits_with_row_locks(where);
}

/// The whole unit of work has to be done again.
turn_answer turn_table::state::give_way(unfinished& request, clock::time_point now, wake_list& wake) {
  const session_id who = request.request.who;
  queues.abandon(request, now, wake);
  queues.end_all(who, now, wake);
  return {turn_answer::type::deadlock, std::nullopt};
}

/// Its turns end, so one passes on to who waited for it in the cycle; it begins again at the end of the
/// queues.
turn_answer turn_table::state::stand_back(unfinished& request, clock::time_point now, wake_list& wake) {
  turn_request again = request.request;
  again.rule = request.count->rule;
  queues.abandon(request, now, wake);
  queues.end_all(again.who, now, wake);
  unfinished* anew = enter(again, now, wake);
  return anew == nullptr ? turn_answer{} : proceed(*anew, now, wake);
}

/// Waiting is a conflict, so adaptive turns and groups last as long as the rows are contended.
void turn_table::state::waits(unfinished& request, turn& where, clock::time_point now) {
  if (request.queued == nullptr) queues.queue(request, where);
  turn_need& need = request.needs[request.next];
  if (need.place.group == 0) {
    need.keep = need.keep || !request.request.read;
    conflicts.mark(need.place.row, now);
    return;
  }
  for (const turn_need& member : request.needs) {
    if (member.under == need.place.group) conflicts.mark(member.place.row, now);
  }
}

void turn_table::state::met_in(const std::vector<const turn*>& cycle, clock::time_point now) {
  std::vector<row_id> rows;
  for (const turn* one : cycle) {
    if (one->place.group == 0) {
      rows.push_back(one->place.row);
    } else if (const row_id* member = conflicts.member_of(one->place.group)) {
      rows.push_back(*member);
    }
  }
  conflicts.met(rows, now);
}

void turn_table::give_up(session_id who, clock::time_point now, wake_list& wake) {
  const std::lock_guard hold(state_->lock);
  if (unfinished* asked = state_->queues.request_of(who)) state_->queues.abandon(*asked, now, wake);
}

void turn_table::leave(session_id who, clock::time_point now, wake_list& wake) {
  const std::lock_guard hold(state_->lock);
  if (unfinished* asked = state_->queues.request_of(who)) state_->queues.abandon(*asked, now, wake);
  state_->queues.end_all(who, now, wake);
}

void turn_table::wrote(std::uint64_t owner, const std::vector<row_id>& rows, clock::time_point now,
                       wake_list& wake) {
  const std::lock_guard hold(state_->lock);
  for (const row_id& row : rows) state_->wrote(owner, row, now, wake);
}

void turn_table::state::wrote(std::uint64_t owner, const row_id& row, clock::time_point now,
                              wake_list& wake) {
  // A turn whose request has not been answered yet is that of a later read: the write cannot rest on it.
  const auto ends = [owner](const turn* there) {
    return there != nullptr && there->held->owner == owner && there->held->request == nullptr;
  };
  turn* there = queues.at({0, row}, now, wake);
  if (!ends(there)) return;
  const std::uint64_t group = there->held->under;
  queues.end(*there, now, wake);
  if (group == 0) return;
  if (turn* shared = queues.at({group, {}}, now, wake); ends(shared)) queues.end(*shared, now, wake);
}

void turn_table::conflict(const std::vector<row_id>& rows, clock::time_point now) {
  const std::lock_guard hold(state_->lock);
  for (const row_id& row : rows) state_->conflicts.mark(row, now);
}

void turn_table::met(const std::vector<row_id>& rows, clock::time_point now) {
  const std::lock_guard hold(state_->lock);
  state_->conflicts.met(rows, now);
}

void turn_table::led_to_write(std::uint64_t shape) {
  const std::lock_guard hold(state_->lock);
  state_->conflicts.led_to_write(shape);
}

bool turn_table::outstanding(std::uint64_t owner, const std::vector<row_id>& rows,
                             clock::time_point now) const {
  const std::lock_guard hold(state_->lock);
  return std::any_of(rows.begin(), rows.end(), [&](const row_id& row) {
    // Whoever writes one row of a group takes the group's turn, so it has to ask even while that is free.
    if (state_->conflicts.group_of(row, now) != 0) return true;
    const turn* there = state_->queues.look(row);
    return there != nullptr && there->held->owner != owner &&
           (there->held->until > now || !there->queue.empty());
  });
}

std::vector<turn_table::counts> turn_table::count() const {
  const std::lock_guard hold(state_->lock);
  return state_->queues.counts();
}

}  // namespace proxy::session
