// Reads what one database says about the tables that rules name: connects, asks, closes, within a deadline.
// Refuses to know when that should happen, or who wants to know.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "proxy/ops/settings.hpp"
#include "rules/catalog.hpp"
#include "rules/rule.hpp"

namespace proxy::ops {

struct catalog_reading {
  bool ok = false;
  rules::catalog value;
  std::string sqlstate;  // where PostgreSQL gave one, e.g. 3D000
  std::string error;     // one line, no password in it
};

/// Connects within upstream's connect_timeout and reads within 10 s, in one read-only transaction; the
/// connection is closed before it returns. `stop` ends it early, within 100 ms (a name look-up apart).
[[nodiscard]] catalog_reading read_catalog(const upstream_settings&, const catalog_settings&,
                                           const rules::rule_set&, std::string_view database,
                                           const std::atomic<bool>& stop);

/// The same without a way to stop it.
[[nodiscard]] catalog_reading read_catalog(const upstream_settings&, const catalog_settings&,
                                           const rules::rule_set&, std::string_view database);

/// Whether a rule applies in a database at all, by its `databases` list.
[[nodiscard]] bool applies_in(const rules::rule&, std::string_view database) noexcept;

}  // namespace proxy::ops
