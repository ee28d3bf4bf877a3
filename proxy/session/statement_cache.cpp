#include "proxy/session/statement_cache.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "proxy/session/limits.hpp"

namespace proxy::session {

statement_cache::statement statement_cache::find(std::string_view text, batch at) {
  const auto known = by_text_.find(text);
  if (known == by_text_.end()) return nullptr;
  const statement& found = *known->second;
  // In a later batch its Parse may have failed, or been skipped.
  if (!found->prepared && found->prepared_in != at) return nullptr;
  recent_.splice(recent_.begin(), recent_, known->second);
  return found;
}

bool statement_cache::comes_again(std::string_view text) {
  if (shut_ || text.size() > limits::kept_statement_bytes || by_text_.contains(text)) return false;
  if (noted_.empty()) noted_.resize(limits::noted_statements);
  const std::size_t hash = std::hash<std::string_view>{}(text);
  return std::exchange(noted_[hash % noted_.size()], hash) == hash;
}

statement_cache::statement statement_cache::add(std::string_view text, batch at) {
  while (!recent_.empty() &&
         (recent_.size() >= most_ || bytes_ + text.size() > limits::kept_statements_bytes))
    drop(std::prev(recent_.end()), true);
  auto made = std::make_shared<kept_statement>();
  made->text = text;
  made->number = ++last_name_;
  made->name = kept_name_prefix + std::to_string(made->number);
  made->prepared_in = at;
  recent_.push_front(made);
  by_text_.emplace(made->text, recent_.begin());
  bytes_ += text.size();
  preparing_.push_back(made);
  return made;
}

std::vector<std::string> statement_cache::take_closes() {
  std::vector<std::string> some;
  while (!to_close_.empty() && some.size() < limits::closes_at_once) {
    some.push_back(std::move(to_close_.back()));
    to_close_.pop_back();
    closing_.push_back(some.back());
  }
  return some;
}

void statement_cache::drop(statements::iterator which, bool frees) {
  const statement gone = *which;
  gone->known = false;
  if (frees) to_close_.push_back(gone->name);
  bytes_ -= gone->text.size();
  by_text_.erase(gone->text);
  recent_.erase(which);
}

void statement_cache::drop_all() {
  while (!recent_.empty()) drop(recent_.begin(), true);
  std::fill(noted_.begin(), noted_.end(), 0);
}

void statement_cache::shut() {
  drop_all();
  shut_ = true;
}

void statement_cache::forget(std::uint64_t number) {
  const auto found = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const statement& each) { return each->number == number; });
  if (found != recent_.end()) drop(found, true);
}

void statement_cache::forget_oldest_parse() {
  forget(preparing_.front()->number);
}

statement_cache::meaning statement_cache::unnamed(batch at) const {
  if (changes_.empty()) return {unnamed_, true};
  const change& newest = changes_.back();
  return {newest.to, newest.sent_in == at};
}

bool statement_cache::unnamed_becomes(statement what, batch at) {
  if (!what && !unnamed_ && changes_.empty()) return false;
  changes_.push_back({std::move(what), at});
  return true;
}

void statement_cache::settle(cache_mark mark, outcome how, std::size_t place) {
  if (mark.frees) {
    if (how != outcome::done) to_close_.push_back(std::move(closing_.front()));
    closing_.pop_front();
  }
  if (mark.prepares) {
    const statement made = std::move(preparing_.front());
    preparing_.pop_front();
    made->prepared = how == outcome::done;
    if (!made->prepared && made->known) drop(by_text_.find(made->text)->second, false);
  }
  if (mark.renames) {
    change& settled = changes_[place];
    // A Parse that fails leaves none: "an unnamed prepared statement lasts only until the next Parse
    // statement specifying the unnamed statement as destination is issued": manual, 55.2.3. But a text that
    // is not valid in its encoding is refused before: it may still be what it was.
    if (how == outcome::done) unnamed_ = std::move(settled.to);
    if (how == outcome::failed && unnamed_ != unknown_) unnamed_ = nullptr;
    changes_.erase(changes_.begin() + static_cast<std::ptrdiff_t>(place));
  }
}

}  // namespace proxy::session
