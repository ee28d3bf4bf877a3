#include "proxy/session/plan_cache.hpp"

#include "proxy/session/limits.hpp"

namespace proxy::session {

plan_key plan_cache::key_of(const item& of) {
  return {of.book.get(), of.analysed->text, of.settings};
}

plan_cache::answer plan_cache::look_up(const book_ptr& book, std::string_view sql,
                                       rules::parse_settings settings) {
  if (!book->may_touch(sql)) return {};
  const auto bits =
      static_cast<std::uint8_t>((settings.standard_conforming_strings ? 1 : 0) |
                                (settings.ascii_safe_encoding ? 2 : 0) | (settings.utf8 ? 4 : 0));
  if (const auto known = by_text_.find({book.get(), sql, bits}); known != by_text_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
    return {known->second->analysed, true, true};
  }
  if (analysis_ptr lifted = lifted_.find(book, sql, bits)) return {std::move(lifted), true, true};
  analysis_ptr analysed = book->analyse(sql, settings);
  lifted_.learn(book, settings, bits, *analysed);
  if (sql.size() > limits::cached_text_bytes) return {std::move(analysed), true, false};
  recent_.push_front({book, bits, analysed});
  by_text_.emplace(key_of(recent_.front()), recent_.begin());
  bytes_ += sql.size();
  while (by_text_.size() > limits::cached_plans || bytes_ > limits::cached_plan_bytes) forget_oldest();
  return {std::move(analysed), true, false};
}

std::shared_ptr<const rules::name_filter> plan_cache::names_of(
    const std::shared_ptr<const rules::rule_set>& configured) {
  if (configured_ == configured) return names_;
  std::vector<std::string> names;
  for (const auto& rule : configured->rules) names.push_back(rule.table);
  for (const auto& rule : configured->once) names.push_back(rule.table);
  configured_ = configured;
  names_ = std::make_shared<const rules::name_filter>(names);
  return names_;
}

void plan_cache::forget_oldest() {
  const item& oldest = recent_.back();
  bytes_ -= oldest.analysed->text.size();
  by_text_.erase(key_of(oldest));
  recent_.pop_back();
}

}  // namespace proxy::session
