#include "proxy/ops/catalog_source.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "proxy/ops/catalog_query.hpp"

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t most_databases = 256;
constexpr auto refresh_every = 60s;
constexpr std::chrono::milliseconds first_retry = 100ms;
constexpr std::chrono::milliseconds slowest_retry = 5s;
constexpr auto forget_unknown_after = 30s;
constexpr auto spacing = 250ms;
constexpr auto never = clock::time_point::max();

bool same(const rules::column& a, const rules::column& b) {
  return std::tie(a.name, a.number, a.type_oid, a.type) == std::tie(b.name, b.number, b.type_oid, b.type);
}

bool same(const rules::table& a, const rules::table& b) {
  return std::tie(a.oid, a.schema, a.name, a.kind, a.primary_key, a.unique_keys, a.roles_without_update) ==
             std::tie(b.oid, b.schema, b.name, b.kind, b.primary_key, b.unique_keys,
                      b.roles_without_update) &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

bool same(const rules::alias_relation& a, const rules::alias_relation& b) {
  return std::tie(a.schema, a.name, a.kind, a.guarded_oid) ==
         std::tie(b.schema, b.name, b.kind, b.guarded_oid);
}

// A reread that found nothing new must not make every session compile and plan again.
bool same(const rules::code_relation& a, const rules::code_relation& b) {
  return std::tie(a.schema, a.name, a.guarded_oid) == std::tie(b.schema, b.name, b.guarded_oid);
}

bool same(const rules::catalog& a, const rules::catalog& b) {
  const auto each = [](const auto& x, const auto& y) { return same(x, y); };
  if (a.namesakes != b.namesakes) return false;
  if (!std::equal(a.functions.begin(), a.functions.end(), b.functions.begin(), b.functions.end(), each))
    return false;
  return a.database == b.database && a.volatile_functions == b.volatile_functions &&
         std::equal(a.tables.begin(), a.tables.end(), b.tables.begin(), b.tables.end(), each) &&
         std::equal(a.aliases.begin(), a.aliases.end(), b.aliases.begin(), b.aliases.end(), each);
}

// What is known of one database, and when to look again.
struct entry {
  known_catalog known;
  clock::time_point read_at{};     // of the last success
  clock::time_point started_at{};  // of the last attempt
  clock::time_point wanted_at{};
  clock::time_point due = never;
  std::chrono::milliseconds retry{0};  // the pause after the latest failure; 0 after a success
  bool missing = false;
  bool reading = false;
  std::string error;

  void schedule(clock::time_point at) { due = std::min(due, at); }
  [[nodiscard]] bool is_known() const { return known.catalog != nullptr; }
};

}  // namespace

class catalog_source::reader {
 public:
  reader(upstream_settings upstream, catalog_settings catalog, rules::rule_set rules,
         std::function<void()> changed)
      : upstream_(std::move(upstream)),
        catalog_(std::move(catalog)),
        changed_(std::move(changed)),
        rules_(std::make_shared<const rules::rule_set>(std::move(rules))),
        thread_([this] { run(); }) {}

  ~reader() {
    {
      const std::lock_guard lock(mutex_);
      stop_.store(true);
    }
    woken_.notify_all();
    thread_.join();
  }

  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  known_catalog find(std::string_view database) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(database);
    return found == entries_.end() ? known_catalog{} : found->second.known;
  }

  void want(std::string_view database) {
    const std::lock_guard lock(mutex_);
    auto found = entries_.find(database);
    if (found == entries_.end()) {
      if (entries_.size() >= most_databases) make_room();
      found = entries_.emplace(std::string(database), entry{}).first;
      found->second.due = clock::now();
      woken_.notify_all();
    }
    found->second.wanted_at = clock::now();
  }

  void refresh(std::string_view database, bool stale) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(database);
    if (found == entries_.end()) return;
    entry& known = found->second;
    known.schedule(std::max(clock::now(), known.started_at + spacing));
    if (stale) {
      known.known.invalidated = ++invalidations_;
      known.due = clock::now();  // statements are waiting
      generation_.fetch_add(1);
    }
    woken_.notify_all();
  }

  void set_rules(rules::rule_set rules) {
    const std::lock_guard lock(mutex_);
    rules_ = std::make_shared<const rules::rule_set>(std::move(rules));
    for (auto& [name, entry] : entries_) entry.schedule(clock::now());
    generation_.fetch_add(1);
    woken_.notify_all();
  }

  std::shared_ptr<const rules::rule_set> rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
  }

  std::vector<status> report() const {
    const std::lock_guard lock(mutex_);
    const auto now = clock::now();
    std::vector<status> list;
    for (const auto& [name, entry] : entries_) {
      const double age = entry.is_known() ? std::chrono::duration<double>(now - entry.read_at).count() : 0;
      list.push_back({name, entry.is_known(), entry.missing, age, entry.error});
    }
    return list;
  }

  std::uint64_t generation() const noexcept { return generation_.load(); }

 private:
  using entry_map = std::map<std::string, entry, std::less<>>;

  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_.load()) {
      forget_unknown();
      const auto next = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.due < b.second.due;
      });
      const auto now = clock::now();
      if (next == entries_.end() || next->second.due > now) {
        const auto until =
            next == entries_.end() ? now + refresh_every : std::min(next->second.due, now + refresh_every);
        woken_.wait_until(lock, until);
        continue;
      }
      read(lock, next);
    }
  }

  // Reads with the mutex released; what was scheduled meanwhile stays scheduled.
  void read(std::unique_lock<std::mutex>& lock, entry_map::iterator at) {
    auto& [name, entry] = *at;
    entry.due = never;
    entry.started_at = clock::now();
    entry.reading = true;  // keeps the iterator valid: such an entry is not forgotten
    const auto rules = rules_;
    const auto covers = invalidations_;
    lock.unlock();
    auto reading = read_catalog(upstream_, catalog_, *rules, name, stop_);
    lock.lock();
    entry.reading = false;
    bool news = reading.ok ? keep(entry, std::move(reading.value), rules) : fail(entry, reading);
    if (reading.ok) {
      // Some of those that wait may go on, though there was DDL meanwhile: they began to wait before it.
      news = news || entry.known.covers < entry.known.invalidated;
      entry.known.covers = covers;
    }
    if (!news) return;
    generation_.fetch_add(1);
    lock.unlock();
    if (changed_) changed_();
    lock.lock();
  }

  static bool keep(entry& entry, rules::catalog value, const std::shared_ptr<const rules::rule_set>& rules) {
    entry.read_at = clock::now();
    entry.retry = 0ms;
    entry.missing = false;
    entry.error.clear();
    entry.schedule(entry.read_at + refresh_every);
    if (entry.is_known() && entry.known.rules == rules && same(*entry.known.catalog, value)) return false;
    entry.known.catalog = std::make_shared<const rules::catalog>(std::move(value));
    entry.known.rules = rules;
    return true;
  }

  // The old catalog, if there is one, stays in service.
  static bool fail(entry& entry, const catalog_reading& reading) {
    constexpr std::string_view invalid_catalog_name = "3D000";
    entry.missing = reading.sqlstate == invalid_catalog_name;
    entry.error = reading.error;
    entry.retry = std::clamp(entry.retry * 2, first_retry, slowest_retry);
    entry.schedule(clock::now() + entry.retry);
    return false;
  }

  // Names come from clients: one that PostgreSQL never confirmed must not stay.
  void forget_unknown() {
    const auto limit = clock::now() - forget_unknown_after;
    std::erase_if(entries_, [limit](const auto& item) {
      const auto& entry = item.second;
      return !entry.reading && (!entry.is_known() || entry.missing) && entry.wanted_at < limit;
    });
  }

  void make_room() {
    auto victim = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->second.reading) continue;
      const auto rank = [](const entry& e) { return std::pair(e.is_known(), e.wanted_at); };
      if (victim == entries_.end() || rank(at->second) < rank(victim->second)) victim = at;
    }
    if (victim != entries_.end()) entries_.erase(victim);
  }

  const upstream_settings upstream_;
  const catalog_settings catalog_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::shared_ptr<const rules::rule_set> rules_;
  entry_map entries_;
  std::uint64_t invalidations_ = 0;  // of all databases
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it uses all the others
};

catalog_source::catalog_source(upstream_settings upstream, catalog_settings catalog, rules::rule_set rules,
                               std::function<void()> changed)
    : reader_(std::make_unique<reader>(std::move(upstream), std::move(catalog), std::move(rules),
                                       std::move(changed))) {}

catalog_source::~catalog_source() = default;

std::shared_ptr<const rules::catalog> catalog_source::find(std::string_view database) const {
  return reader_->find(database).catalog;
}
known_catalog catalog_source::find_known(std::string_view database) const {
  return reader_->find(database);
}
void catalog_source::want(std::string_view database) {
  reader_->want(database);
}
void catalog_source::invalidate(std::string_view database) {
  reader_->refresh(database, true);
}
void catalog_source::refresh(std::string_view database) {
  reader_->refresh(database, false);
}
void catalog_source::set_rules(rules::rule_set rules) {
  reader_->set_rules(std::move(rules));
}
std::shared_ptr<const rules::rule_set> catalog_source::rules() const {
  return reader_->rules();
}
std::vector<catalog_source::status> catalog_source::report() const {
  return reader_->report();
}
std::uint64_t catalog_source::generation() const noexcept {
  return reader_->generation();
}

}  // namespace proxy::ops
