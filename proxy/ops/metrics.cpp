#include "proxy/ops/metrics.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace proxy::ops {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::size_t most_rule_labels = 1000;
constexpr std::size_t kinds = static_cast<std::size_t>(rules::statement_kind::other) + 1;
constexpr std::size_t actions = static_cast<std::size_t>(rules::statement_action::would_reject) + 1;
constexpr std::size_t reasons = static_cast<std::size_t>(rules::unguarded_reason::forgotten) + 1;
constexpr std::size_t causes = static_cast<std::size_t>(conflict_cause::lost_update) + 1;

// The codes of SPEC.md; 08006, where a lost connection has committed nothing; and 57P01, which ends sessions
// when the proxy stops.
constexpr std::array<std::string_view, 14> known_sqlstates = {"40001", "23514", "23505", "55P03", "42501",
                                                              "40P01", "53300", "57014", "08001", "57P03",
                                                              "08007", "08P01", "57P01", "08006"};

const Histogram::BucketBoundaries wait_bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                 0.25,   0.5,   1,      2.5,   5,    10,    30};

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

// One rule's series. A slot is filled on first use: most combinations never occur.
struct rule_series {
  std::string label;
  std::array<std::array<std::atomic<Counter*>, actions>, kinds> statements{};
  std::array<std::atomic<Counter*>, reasons> unguarded{};
  std::array<std::atomic<Counter*>, causes> conflicts{};
  Counter* bounds_rejections = nullptr;
  Histogram* lock_wait = nullptr;
  Histogram* turn_wait = nullptr;
  Histogram* group_size = nullptr;
};

prometheus::ClientMetric labelled(std::string label, std::string value) {
  prometheus::ClientMetric metric;
  metric.label.push_back({std::move(label), std::move(value)});
  return metric;
}

prometheus::MetricFamily family(const char* name, const char* help, prometheus::MetricType type) {
  return {name, help, type, {}};
}

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

}  // namespace

std::string_view name(conflict_cause cause) noexcept {
  switch (cause) {
    case conflict_cause::lock_timeout:
      return "lock_timeout";
    case conflict_cause::deadlock:
      return "deadlock";
    case conflict_cause::changed:
      return "changed";
    case conflict_cause::gone:
      return "gone";
    case conflict_cause::turns:
      return "turns";
    case conflict_cause::duplicate:
      return "duplicate";
    case conflict_cause::lost_update:
      return "lost_update";
    case conflict_cause::serialization:
      break;
  }
  return "serialization";
}

namespace {

/// So that a rule is found by its name without a copy of it.
struct name_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

}  // namespace

struct metrics::families {
  prometheus::Registry registry;
  Family<Counter>& statements = counters(registry, "pgteller_statements_total",
                                         "Statements that touch a rule, by how and by what was done.");
  Family<Counter>& conflicts = counters(registry, "pgteller_conflicts_total",
                                        "Guarded statements that failed against another session.");
  Family<Counter>& bounds =
      counters(registry, "pgteller_bounds_rejections_total", "Writes refused because of min or max.");
  Family<Counter>& unguarded =
      counters(registry, "pgteller_unguarded_total", "Statements that reached a guarded table unguarded.");
  Family<Counter>& errors = counters(registry, "pgteller_errors_total", "Errors that the proxy originated.");
  Family<Counter>& reloads = counters(registry, "pgteller_reloads_total", "Configuration reloads.");
  Family<Histogram>& lock_waits =
      prometheus::BuildHistogram()
          .Name("pgteller_lock_wait_seconds")
          .Help("Time until a hidden statement was answered: the wait for row locks and one execution.")
          .Register(registry);
  Family<Histogram>& group_sizes =
      prometheus::BuildHistogram()
          .Name("pgteller_group_commit_size")
          .Help("Writes that one commit made permanent, where the rule has group_commit.")
          .Register(registry);
  Family<Histogram>& turn_waits =
      prometheus::BuildHistogram()
          .Name("pgteller_turn_wait_seconds")
          .Help("How long clients waited in the proxy until others had written a row.")
          .Register(registry);
  Gauge& clients = gauges(registry, "pgteller_client_connections", "Connected clients.").Add({});
  Gauge& servers = gauges(registry, "pgteller_server_connections", "Connections to PostgreSQL.").Add({});
  Counter& reloads_good = reloads.Add({{"result", "success"}});
  Counter& reloads_bad = reloads.Add({{"result", "failure"}});

  mutable std::shared_mutex rules_mutex;
  std::unordered_map<std::string, rule_series, name_hash, std::equal_to<>> rules;

  mutable std::mutex mutex;  // of what follows
  std::deque<thread_tally> tallies;
  std::function<std::vector<catalog_age>()> catalog_ages;
  std::function<std::vector<turn_count>()> turns;

  families() {
    auto& info = gauges(registry, "pgteller_build_info", "Always 1; the version is a label.");
    info.Add({{"version", PGTELLER_VERSION}}).Set(1);
    for (const auto code : known_sqlstates) errors.Add({{"sqlstate", std::string(code)}});
  }

  rule_series& series(std::string_view rule) {
    {
      const std::shared_lock lock(rules_mutex);
      if (const auto found = rules.find(rule); found != rules.end()) return found->second;
    }
    const std::unique_lock lock(rules_mutex);
    const std::string label(rules.size() < most_rule_labels || rules.contains(rule) ? rule : "other");
    auto& entry = rules[label];
    if (entry.lock_wait == nullptr) {
      entry.bounds_rejections = &bounds.Add({{"rule", label}});
      entry.lock_wait = &lock_waits.Add({{"rule", label}}, wait_bounds);
      entry.group_size =
          &group_sizes.Add({{"rule", label}}, Histogram::BucketBoundaries{1, 2, 4, 8, 16, 32, 64});
      entry.turn_wait = &turn_waits.Add({{"rule", label}}, wait_bounds);
      entry.label = label;
    }
    return entry;
  }

  // Two threads may fill a slot at once: Add() gives both the same counter.
  Counter& fill(std::atomic<Counter*>& slot, const rule_series& entry, Family<Counter>& from,
                prometheus::Labels labels) {
    labels.emplace("rule", entry.label);
    auto& counter = from.Add(labels);
    slot.store(&counter, std::memory_order_release);
    return counter;
  }

  void append_tallies(std::vector<prometheus::MetricFamily>& page) const;
  void append_overhead(std::vector<prometheus::MetricFamily>& page) const;
  void append_catalog_ages(std::vector<prometheus::MetricFamily>& page) const;
  void append_turns(std::vector<prometheus::MetricFamily>& page) const;

  template <class F>
  double sum(F counter) const {
    std::uint64_t total = 0;
    for (const auto& tally : tallies) total += counter(tally).read();
    return static_cast<double>(total);
  }
};

void metrics::families::append_tallies(std::vector<prometheus::MetricFamily>& page) const {
  auto bytes =
      family("pgteller_bytes_total", "Bytes passed on, by direction.", prometheus::MetricType::Counter);
  auto& to_server = bytes.metric.emplace_back(labelled("direction", "to_server"));
  to_server.counter.value = sum([](const auto& tally) -> const auto& { return tally.bytes_to_server; });
  auto& to_client = bytes.metric.emplace_back(labelled("direction", "to_client"));
  to_client.counter.value = sum([](const auto& tally) -> const auto& { return tally.bytes_to_client; });
  page.push_back(std::move(bytes));

  auto hits = family("pgteller_plan_cache_hits_total", "Statements whose plan was at hand.",
                     prometheus::MetricType::Counter);
  hits.metric.emplace_back().counter.value =
      sum([](const auto& tally) -> const auto& { return tally.plan_cache_hits; });
  page.push_back(std::move(hits));

  auto misses = family("pgteller_plan_cache_misses_total", "Statements that had to be analysed.",
                       prometheus::MetricType::Counter);
  misses.metric.emplace_back().counter.value =
      sum([](const auto& tally) -> const auto& { return tally.plan_cache_misses; });
  page.push_back(std::move(misses));
}

void metrics::families::append_overhead(std::vector<prometheus::MetricFamily>& page) const {
  auto overhead = family("pgteller_overhead_seconds",
                         "Time a statement spends inside the proxy, waits apart; of every sixteenth.",
                         prometheus::MetricType::Histogram);
  auto& histogram = overhead.metric.emplace_back().histogram;
  for (std::size_t bucket = 0; bucket < overhead_bounds_ns.size() + 1; ++bucket) {
    for (const auto& tally : tallies) histogram.sample_count += tally.overhead_buckets[bucket].read();
    const bool last = bucket == overhead_bounds_ns.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : seconds(overhead_bounds_ns[bucket]);
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = sum([](const auto& tally) -> const auto& { return tally.overhead_sum_ns; }) / 1e9;
  page.push_back(std::move(overhead));
}

void metrics::families::append_catalog_ages(std::vector<prometheus::MetricFamily>& page) const {
  std::function<std::vector<catalog_age>()> ages;
  {
    const std::lock_guard lock(mutex);
    ages = catalog_ages;
  }
  if (!ages) return;
  auto age = family("pgteller_catalog_age_seconds", "Time since a database's catalog was last read.",
                    prometheus::MetricType::Gauge);
  for (auto& entry : ages()) {
    age.metric.emplace_back(labelled("database", std::move(entry.database))).gauge.value = entry.seconds;
  }
  if (!age.metric.empty()) page.push_back(std::move(age));
}

void metrics::families::append_turns(std::vector<prometheus::MetricFamily>& page) const {
  std::function<std::vector<turn_count>()> counts;
  {
    const std::lock_guard lock(mutex);
    counts = turns;
  }
  if (!counts) return;
  std::map<std::string, turn_count> by_rule;
  {
    const std::shared_lock lock(rules_mutex);
    for (const auto& [rule, series] : rules) by_rule[series.label] = {};
  }
  for (const turn_count& count : counts()) {
    auto& known = by_rule[by_rule.contains(count.rule) ? count.rule : "other"];
    known.active += count.active;
    known.waiting += count.waiting;
  }
  auto active = family("pgteller_turns_active", "Turns that sessions hold.", prometheus::MetricType::Gauge);
  auto waiting =
      family("pgteller_turn_waiting", "Clients that wait for a turn.", prometheus::MetricType::Gauge);
  for (const auto& [rule, count] : by_rule) {
    active.metric.emplace_back(labelled("rule", rule)).gauge.value = static_cast<double>(count.active);
    waiting.metric.emplace_back(labelled("rule", rule)).gauge.value = static_cast<double>(count.waiting);
  }
  page.push_back(std::move(active));
  page.push_back(std::move(waiting));
}

metrics::metrics() : families_(std::make_unique<families>()) {}
metrics::~metrics() = default;

thread_tally& metrics::add_thread() {
  const std::lock_guard lock(families_->mutex);
  return families_->tallies.emplace_back();
}

void metrics::know_rules(const rules::rule_set& set) {
  for (const auto& rule : set.rules) static_cast<void>(families_->series(rule.name));
  for (const auto& once : set.once) static_cast<void>(families_->series(once.name));
}

void metrics::client_opened() noexcept {
  families_->clients.Increment();
}
void metrics::client_closed() noexcept {
  families_->clients.Decrement();
}
void metrics::server_opened() noexcept {
  families_->servers.Increment();
}
void metrics::server_closed() noexcept {
  families_->servers.Decrement();
}

void metrics::statement(std::string_view rule, rules::statement_kind kind, rules::statement_action action) {
  auto& series = families_->series(rule);
  auto& slot = series.statements[static_cast<std::size_t>(kind)][static_cast<std::size_t>(action)];
  auto* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &families_->fill(slot, series, families_->statements,
                               {{"kind", std::string(name(kind))}, {"action", std::string(name(action))}});
  }
  counter->Increment();
}

void metrics::unguarded(std::string_view rule, rules::unguarded_reason reason) {
  auto& series = families_->series(rule);
  auto& slot = series.unguarded[static_cast<std::size_t>(reason)];
  auto* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &families_->fill(slot, series, families_->unguarded, {{"reason", std::string(name(reason))}});
  }
  counter->Increment();
}

void metrics::bounds_rejection(std::string_view rule) {
  families_->series(rule).bounds_rejections->Increment();
}

void metrics::conflict(std::string_view rule, conflict_cause cause) {
  auto& series = families_->series(rule);
  auto& slot = series.conflicts[static_cast<std::size_t>(cause)];
  auto* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter =
        &families_->fill(slot, series, families_->conflicts, {{"cause", std::string(ops::name(cause))}});
  }
  counter->Increment();
}

void metrics::lock_wait(std::string_view rule, std::chrono::nanoseconds waited) {
  families_->series(rule).lock_wait->Observe(std::chrono::duration<double>(waited).count());
}

void metrics::group_commit(std::string_view rule, std::size_t size) {
  families_->series(rule).group_size->Observe(static_cast<double>(size));
}

void metrics::turn_wait(std::string_view rule, std::chrono::nanoseconds waited) {
  families_->series(rule).turn_wait->Observe(std::chrono::duration<double>(waited).count());
}

void metrics::error(std::string_view sqlstate) {
  const bool known =
      std::find(known_sqlstates.begin(), known_sqlstates.end(), sqlstate) != known_sqlstates.end();
  families_->errors.Add({{"sqlstate", known ? std::string(sqlstate) : "other"}}).Increment();
}

void metrics::reload(bool succeeded) {
  (succeeded ? families_->reloads_good : families_->reloads_bad).Increment();
}

void metrics::watch_catalog(std::function<std::vector<catalog_age>()> ages) {
  const std::lock_guard lock(families_->mutex);
  families_->catalog_ages = std::move(ages);
}

void metrics::watch_turns(std::function<std::vector<turn_count>()> counts) {
  const std::lock_guard lock(families_->mutex);
  families_->turns = std::move(counts);
}

std::string metrics::render() const {
  auto page = families_->registry.Collect();
  {
    const std::lock_guard lock(families_->mutex);
    families_->append_tallies(page);
    families_->append_overhead(page);
  }
  families_->append_catalog_ages(page);
  families_->append_turns(page);
  std::erase_if(page, [](const auto& entry) { return entry.metric.empty(); });
  std::sort(page.begin(), page.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(page);
}

}  // namespace proxy::ops
