#include "proxy/ops/books.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/ops/catalog_query.hpp"

namespace proxy::ops {
namespace {

constexpr std::size_t most_books = 4096;

bool contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool applies_to(const rules::rule& rule, std::string_view user) {
  return (rule.users.empty() || contains(rule.users, user)) && !contains(rule.except_users, user);
}

struct shelved {
  std::shared_ptr<const rules::rule_book> book;
  known_catalog compiled_from;
  bool log_values = false;
  std::uint64_t last_use = 0;
};

}  // namespace

class books::shelf {
 public:
  shelf(catalog_source& source, bool log_values) : source_(source), log_values_(log_values) {}

  std::shared_ptr<const rules::rule_book> get(std::string_view database, std::string_view user,
                                              std::optional<std::uint64_t> since) {
    source_.want(database);
    const auto known = source_.find_known(database);
    if (!known.shows(since.value_or(known.invalidated))) return nullptr;
    const bool log_values = log_values_.load();
    auto key = std::pair(std::string(database), std::string(user));
    if (auto book = find(key, known, log_values)) return book;
    // Compiled with the mutex released: two threads may do it twice, which costs time and nothing else.
    auto book = rules::rule_book::compile(*known.rules, *known.catalog, user, log_values);
    const std::lock_guard lock(mutex_);
    if (shelved_.size() >= most_books && !shelved_.contains(key)) make_room();
    shelved_[std::move(key)] = {book, known, log_values, ++uses_};
    return book;
  }

  std::uint64_t invalidated(std::string_view database) const {
    return source_.find_known(database).invalidated;
  }

  bool concerns(std::string_view database, std::string_view user) const {
    const auto rules = source_.rules();
    return !rules->once.empty() ||
           std::any_of(rules->rules.begin(), rules->rules.end(), [&](const auto& rule) {
             return applies_in(rule, database) && applies_to(rule, user);
           });
  }

  std::uint64_t generation() const noexcept { return source_.generation() + own_generation_.load(); }

  std::shared_ptr<const rules::rule_set> rules() const { return source_.rules(); }

  void set_rules(rules::rule_set rules, bool log_values) {
    if (log_values_.exchange(log_values) != log_values) own_generation_.fetch_add(1);
    source_.set_rules(std::move(rules));
  }

 private:
  using book_key = std::pair<std::string, std::string>;

  std::shared_ptr<const rules::rule_book> find(const book_key& key, const known_catalog& known,
                                               bool log_values) {
    const std::lock_guard lock(mutex_);
    const auto found = shelved_.find(key);
    if (found == shelved_.end()) return nullptr;
    auto& entry = found->second;
    const bool current = entry.compiled_from.catalog == known.catalog &&
                         entry.compiled_from.rules == known.rules && entry.log_values == log_values;
    if (!current) return nullptr;
    entry.last_use = ++uses_;
    return entry.book;
  }

  // Rare, and linear in a bounded number.
  void make_room() {
    shelved_.erase(std::min_element(shelved_.begin(), shelved_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    }));
  }

  catalog_source& source_;
  std::atomic<bool> log_values_;
  std::atomic<std::uint64_t> own_generation_{0};
  std::mutex mutex_;
  std::map<book_key, shelved> shelved_;
  std::uint64_t uses_ = 0;
};

books::books(catalog_source& source, bool log_values) : shelf_(std::make_unique<shelf>(source, log_values)) {}
books::~books() = default;

std::shared_ptr<const rules::rule_book> books::get(std::string_view database, std::string_view user,
                                                   std::optional<std::uint64_t> since) {
  return shelf_->get(database, user, since);
}
std::uint64_t books::invalidated(std::string_view database) const {
  return shelf_->invalidated(database);
}
bool books::concerns(std::string_view database, std::string_view user) const {
  return shelf_->concerns(database, user);
}
std::uint64_t books::generation() const noexcept {
  return shelf_->generation();
}
std::shared_ptr<const rules::rule_set> books::rules() const {
  return shelf_->rules();
}
void books::set_rules(rules::rule_set rules, bool log_values) {
  shelf_->set_rules(std::move(rules), log_values);
}

}  // namespace proxy::ops
