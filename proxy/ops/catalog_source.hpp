// Keeps the catalogs of the databases in use, read and refreshed by a thread of its own, off the data path.
// Knows when to read, never what to do with the answer; a reader gets an immutable value or nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ops/settings.hpp"
#include "rules/catalog.hpp"
#include "rules/rule.hpp"

namespace proxy::ops {

/// A catalog with the rules it was read for: only together do they compile to a book. After a reload the old
/// pair is served until the new rules' tables have been read, so that no new rule is ever taken for "no such
/// table".
struct known_catalog {
  std::shared_ptr<const rules::catalog> catalog;  // null while unknown
  std::shared_ptr<const rules::rule_set> rules;
  // Invalidations are numbered: the last of this database, and the last that a read begun later has covered.
  std::uint64_t invalidated = 0;
  std::uint64_t covers = 0;

  /// It shows whatever was committed up to invalidation `number`.
  [[nodiscard]] bool shows(std::uint64_t number) const noexcept {
    return catalog != nullptr && covers >= number;
  }
};

/// Thread-safe. At most 256 databases: beyond, the one that was wanted longest ago is forgotten (unknown ones
/// first). A database that never could be read is forgotten 30 s after it was last wanted.
class catalog_source {
 public:
  /// `changed` runs on the reading thread after each change; it may call back in, but not destroy.
  catalog_source(upstream_settings, catalog_settings, rules::rule_set, std::function<void()> changed);
  ~catalog_source();  // stops a read in progress and joins
  catalog_source(const catalog_source&) = delete;
  catalog_source& operator=(const catalog_source&) = delete;

  [[nodiscard]] std::shared_ptr<const rules::catalog> find(std::string_view database) const;
  [[nodiscard]] known_catalog find_known(std::string_view database) const;

  /// Idempotent: read it soon, retry with backoff (100 ms to 5 s) while that fails, reread every 60 s.
  void want(std::string_view database);

  /// DDL on a guarded table was committed: what is known is stale until it has been read anew.
  void invalidate(std::string_view database);

  /// Something hints that the catalog has changed: reread at once, and serve the old one meanwhile. Bursts
  /// are spaced by 250 ms.
  void refresh(std::string_view database);

  /// After a reload: rereads everything for the new rules.
  void set_rules(rules::rule_set);

  /// The newest rules, whether or not catalogs have been read for them.
  [[nodiscard]] std::shared_ptr<const rules::rule_set> rules() const;

  struct status {
    std::string database;
    bool known = false;
    bool missing = false;    // PostgreSQL says that there is no such database
    double age_seconds = 0;  // since it was last read; 0 where unknown
    std::string last_error;  // of the latest attempt; empty if that succeeded
  };
  [[nodiscard]] std::vector<status> report() const;

  /// Goes up with each change of a catalog or of the rules; one atomic load.
  [[nodiscard]] std::uint64_t generation() const noexcept;

 private:
  class reader;
  std::unique_ptr<reader> reader_;
};

}  // namespace proxy::ops
