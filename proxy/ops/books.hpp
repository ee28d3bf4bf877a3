// Rule books by database and user: compiled once, shared by sessions, compiled anew when catalog or rules
// change. Knows nothing of how catalogs are read, nor of sessions; an old book lives as long as somebody
// holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "proxy/ops/catalog_source.hpp"
#include "rules/rule_book.hpp"

namespace proxy::ops {

/// Thread-safe. Holds at most 4096 books; beyond, the least recently asked for go first.
class books {
 public:
  /// `source` must outlive this object; the rules are the source's.
  books(catalog_source& source, bool log_values);
  ~books();
  books(const books&) = delete;
  books& operator=(const books&) = delete;

  /// Null while the catalog is unknown or stale; then it is also asked for. Ask again when generation() has
  /// moved. May compile (well under 10 ms for tens of rules), so sessions keep what they get until
  /// generation() moves.
  /// `since`, from invalidated(): for a statement that has waited from then on, what was invalidated later
  /// may be missing. Under steady DDL a current book may never be there.
  [[nodiscard]] std::shared_ptr<const rules::rule_book> get(
      std::string_view database, std::string_view user, std::optional<std::uint64_t> since = std::nullopt);

  /// The number of the database's last invalidation.
  [[nodiscard]] std::uint64_t invalidated(std::string_view database) const;

  /// Whether any configured rule applies to this database and user. If not, the session needs no catalog.
  [[nodiscard]] bool concerns(std::string_view database, std::string_view user) const;

  /// Goes up whenever get() or concerns() may answer differently; one or two atomic loads.
  [[nodiscard]] std::uint64_t generation() const noexcept;

  [[nodiscard]] std::shared_ptr<const rules::rule_set> rules() const;

  /// Reload: new rules take effect in a database as soon as its catalog has been read for them; until then
  /// its sessions keep the old ones.
  void set_rules(rules::rule_set, bool log_values);

 private:
  class shelf;
  std::unique_ptr<shelf> shelf_;
};

}  // namespace proxy::ops
