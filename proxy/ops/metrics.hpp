// Everything the operator can graph: counters, gauges and histograms under their SPEC names, as Prometheus
// text. Knows nothing of HTTP, sessions or SQL; labels come from closed sets and configured names, never from
// data.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ops/thread_tally.hpp"
#include "rules/plan.hpp"
#include "rules/rule.hpp"

namespace proxy::ops {

/// The `cause` label of conflicts_total.
enum class conflict_cause : std::uint8_t {
  lock_timeout,   // 55P03: the rule's lock_timeout passed
  deadlock,       // 40P01 from PostgreSQL while a hidden statement ran
  serialization,  // 40001 from PostgreSQL while a hidden statement ran
  changed,        // 40001: the row was changed after it was read
  gone,           // 40001: it was deleted
  turns,          // 40P01: a cycle of turns
  duplicate,      // 23505: a [[once]] key was there already
  lost_update,    // mode = "observe": a write overwrote what it had not seen
};

[[nodiscard]] std::string_view name(conflict_cause) noexcept;

/// Age of one database's catalog, for catalog_age_seconds.
struct catalog_age {
  std::string database;
  double seconds = 0;
};

/// Turns of one rule, for turns_active and turn_waiting.
struct turn_count {
  std::string rule;
  std::size_t active = 0;
  std::size_t waiting = 0;
};

/// All members are thread-safe.
class metrics {
 public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// A block for one data-path thread; lives as long as this object. Call once a thread, not once a session.
  [[nodiscard]] thread_tally& add_thread();

  /// Lets the rules' series start at 0, so that the first event shows in a rate. Again after each reload. At
  /// most 1000 rule names are ever labels; later ones count as "other".
  void know_rules(const rules::rule_set&);

  void client_opened() noexcept;
  void client_closed() noexcept;
  void server_opened() noexcept;
  void server_closed() noexcept;

  void statement(std::string_view rule, rules::statement_kind, rules::statement_action);
  void unguarded(std::string_view rule, rules::unguarded_reason);
  void bounds_rejection(std::string_view rule);
  void conflict(std::string_view rule, conflict_cause);

  /// How long a hidden statement took to answer: the wait for row locks plus one execution.
  void lock_wait(std::string_view rule, std::chrono::nanoseconds);

  /// How long a client waited in the proxy for others to write first.
  void turn_wait(std::string_view rule, std::chrono::nanoseconds);

  /// Writes that one commit made permanent; 1: it was not shared.
  void group_commit(std::string_view rule, std::size_t size);

  /// An error that the proxy originated. Codes that SPEC does not list count as "other".
  void error(std::string_view sqlstate);

  void reload(bool succeeded);

  /// Asked at each scrape, from the scraping thread.
  void watch_catalog(std::function<std::vector<catalog_age>()>);
  void watch_turns(std::function<std::vector<turn_count>()>);

  /// The whole page, Prometheus text format 0.0.4.
  [[nodiscard]] std::string render() const;

 private:
  struct families;
  std::unique_ptr<families> families_;
};

}  // namespace proxy::ops
