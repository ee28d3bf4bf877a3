#include "proxy/session/reply_ledger.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace proxy::session {
namespace {

bool ends_in_ready(request what) {
  return what == request::sync || what == request::query || what == request::function_call;
}

bool is_query(request what) {
  return what == request::query || what == request::function_call;
}

// Messages that "the backend may send at any time": manual, 55.2.7 Asynchronous Operations.
bool is_asynchronous(char tag) {
  return tag == 'N' || tag == 'S' || tag == 'A';
}

}  // namespace

void reply_ledger::push(const owed& entry, std::unique_ptr<const std::vector<bool>> script) {
  queue_.push_back({entry, std::move(script)});
  mark_commits(queue_.back().entry);
  if (ends_in_ready(entry.what)) ++owed_ready_;
  if (is_query(entry.what)) ++owed_queries_;
}

void reply_ledger::mark_commits(owed& entry) {
  if (entry.hidden) return;
  if (entry.what == request::execute || is_query(entry.what)) {
    entry.commits = std::exchange(commits_next_, false);
    if (entry.what == request::execute) batch_commits_ = batch_commits_ || entry.commits;
  }
  // What no Sync has ended yet, a Query ends as well.
  if (ends_in_ready(entry.what)) entry.commits = std::exchange(batch_commits_, false) || entry.commits;
}

/// A Sync that was to commit is ignored: the one behind it will.
void reply_ledger::carry_commit(std::size_t from) {
  for (std::size_t i = from; i < queue_.size(); ++i) {
    if (!ends_in_ready(queue_[i].entry.what)) continue;
    queue_[i].entry.commits = true;
    return;
  }
  batch_commits_ = true;
}

bool reply_ledger::commit_in_flight() const noexcept {
  return std::any_of(queue_.begin(), queue_.end(), [](const item& each) { return each.entry.commits; });
}

bool reply_ledger::may_copy_in() const noexcept {
  bool ended = false;
  for (auto each = queue_.rbegin(); each != queue_.rend(); ++each) {
    const owed& entry = each->entry;
    ended = ended || entry.what == request::copy_end;
    if (entry.hidden) continue;
    if (is_query(entry.what)) return true;  // one end is not enough for a string with several COPYs
    if (entry.what == request::execute) return !ended;
  }
  return false;
}

void reply_ledger::forget(const owed& entry) {
  if (ends_in_ready(entry.what)) --owed_ready_;
  if (is_query(entry.what)) --owed_queries_;
}

void reply_ledger::pop() {
  forget(queue_.front().entry);
  script_position_ = 0;
  described_ = false;
  queue_.pop_front();
  while (!queue_.empty() && queue_.front().entry.what == request::copy_end) queue_.pop_front();
}

bool reply_ledger::accepts(request what) {
  const bool is_sync = what == request::sync;
  // "During COPY IN, Flush and Sync messages are ignored": manual, 55.2.6. Anything else ends the COPY with
  // an error that consumes the message.
  if (copying_in_) {
    if (!is_sync) copying_in_ = false;
    return false;
  }
  if (skipping_ && !is_sync) return false;
  if (is_sync) {
    skipping_ = false;
    batch_open_ = false;
    batch_count_ = 0;
  } else if (!is_query(what)) {
    batch_open_ = true;
    ++batch_count_;
  }
  return true;
}

bool reply_ledger::expect(const owed& entry) {
  if (!accepts(entry.what)) return false;
  push(entry);
  return true;
}

bool reply_ledger::expect_script(std::vector<bool> hidden) {
  if (!accepts(request::query)) return false;
  push({.what = request::query, .hidden = false, .kept = note::script},
       std::make_unique<const std::vector<bool>>(std::move(hidden)));
  return true;
}

void reply_ledger::copy_ended() {
  // Where the COPY is known to be running, no Sync before its end has been recorded: no mark is needed.
  // One mark is as good as several.
  if (!copying_in_ && !queue_.empty() && !skipping_ && queue_.back().entry.what != request::copy_end) {
    queue_.push_back({{.what = request::copy_end, .hidden = false, .kept = note::none}, nullptr});
  }
  copying_in_ = false;
}

verdict reply_ledger::front_verdict() const {
  const item& front = queue_.front();
  if (front.entry.hidden) return verdict::hide;
  if (!front.script || script_position_ >= front.script->size()) return verdict::forward;
  return (*front.script)[script_position_] ? verdict::hide : verdict::forward;
}

ruling reply_ledger::settle(verdict what) {
  const ruling result{what, true, queue_.front().entry};
  pop();
  return result;
}

ruling reply_ledger::on_reply(char tag) {
  if (!dropped_.empty()) dropped_.clear();
  if (tag == 'D' && !queue_.empty()) {  // rows, first of all
    const owed& front = queue_.front().entry;
    if (front.what == request::execute || is_query(front.what)) return {front_verdict(), false, front};
  }
  if (is_asynchronous(tag)) {
    // A NOTICE that a hidden statement provokes would be seen twice; the caller hides those by severity.
    if (queue_.empty()) return {};
    return {tag == 'N' ? front_verdict() : verdict::forward, false, queue_.front().entry};
  }
  if (tag == 'E') return on_error();
  if (queue_.empty()) return {verdict::desync, false, {}};
  if (tag == 'G') on_copy_in();
  return is_query(queue_.front().entry.what) ? on_query_reply(tag) : on_extended_reply(tag);
}

ruling reply_ledger::on_query_reply(char tag) {
  if (tag == 'Z') {
    copying_in_ = false;
    return settle(queue_.front().entry.hidden ? verdict::hide : verdict::forward);
  }
  const ruling result{front_verdict(), false, queue_.front().entry};
  if (tag == 'C' || tag == 'I') {
    copying_in_ = false;
    ++script_position_;
  }
  return result;
}

ruling reply_ledger::on_extended_reply(char tag) {
  const owed& front = queue_.front().entry;
  const verdict what = front_verdict();
  const auto settled_by = [&](bool matches) {
    return matches ? settle(what) : ruling{verdict::desync, false, front};
  };
  switch (front.what) {
    case request::parse:
      return settled_by(tag == (front.cached.swapped ? '3' : '1'));
    case request::bind:
      return settled_by(tag == '2');
    case request::close:
      return settled_by(tag == '3');
    case request::sync:
      return settled_by(tag == 'Z');
    case request::describe_portal:
      return settled_by(tag == 'T' || tag == 'n');
    case request::describe_statement:
      if (tag == 't' && !described_) {
        described_ = true;
        return {what, false, front};
      }
      return settled_by(described_ && (tag == 'T' || tag == 'n'));
    case request::execute:
      if (tag == 'C' || tag == 'I' || tag == 's') {
        copying_in_ = false;
        return settle(what);
      }
      // Rows, and the COPY sub-protocols in both directions.
      if (std::string_view("DGHWdc").find(tag) != std::string_view::npos) return {what, false, front};
      return {verdict::desync, false, front};
    default:
      return {verdict::desync, false, front};
  }
}

ruling reply_ledger::on_error() {
  // Nothing asked: the server ends the connection (57P01 and the like); its words are the client's.
  if (queue_.empty()) return {};
  copying_in_ = false;
  const ruling result{front_verdict() == verdict::hide ? verdict::translate : verdict::forward, false,
                      queue_.front().entry};
  // What came before the error has been told, what comes behind it does not run.
  queue_.front().entry.commits = false;
  if (ends_in_ready(queue_.front().entry.what)) return result;  // its ReadyForQuery still comes
  // "Upon detecting an error in the extended-query protocol, the backend issues ErrorResponse, then reads and
  // discards messages until a Sync is reached": manual, 55.2.3.
  while (!queue_.empty() && queue_.front().entry.what != request::sync) {
    if (queue_.front().entry.what != request::copy_end) dropped_.push_back(queue_.front().entry);
    pop();
  }
  batch_commits_ = batch_commits_ && !queue_.empty();
  if (queue_.empty()) {
    skipping_ = true;
  } else {
    queue_.front().entry.commits = false;
  }
  return result;
}

void reply_ledger::on_copy_in() {
  // Whatever was sent behind the statement before its CopyDone is read by the COPY itself: Sync is ignored,
  // any other message is consumed by the error that it raises.
  const bool in_batch = !is_query(queue_.front().entry.what);
  auto next = std::next(queue_.begin());
  while (next != queue_.end() && next->entry.what != request::copy_end) {
    const bool ignored = next->entry.what == request::sync;
    const bool commits = next->entry.commits;
    if (!ignored) dropped_.push_back(next->entry);
    forget(next->entry);
    next = queue_.erase(next);
    if (ignored && in_batch) batch_open_ = batch_open_ || next == queue_.end();
    if (ignored && commits) carry_commit(static_cast<std::size_t>(next - queue_.begin()));
    if (!ignored) return;
  }
  copying_in_ = next == queue_.end();
  if (!copying_in_) queue_.erase(next);  // a second COPY of the string has another end
}

}  // namespace proxy::session
