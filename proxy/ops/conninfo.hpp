// The words of [catalog] conninfo, completed with what [upstream] says. Parsing only: no connection is made
// here. The result names everything PQconnectStartParams needs; libpq's environment and .pgpass fill the
// rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/ops/setting_values.hpp"
#include "proxy/ops/settings.hpp"

namespace proxy::ops {

struct connection_word {
  std::string keyword;
  std::string value;
};

/// What libpq understands in a conninfo string or URI, or libpq's own complaint.
[[nodiscard]] parsed<std::vector<connection_word>> parse_conninfo(const std::string& conninfo);

/// The words for one database: host and port default to upstream's (unless a service is named), sslmode
/// likewise; `database` wins over a dbname in the conninfo and is taken literally. `conninfo` must have been
/// checked.
[[nodiscard]] std::vector<connection_word> connection_words(const upstream_settings&, const catalog_settings&,
                                                            std::string_view database);

/// The database that libpq would pick: dbname, else PGDATABASE, else the user.
[[nodiscard]] std::string default_database(const catalog_settings&);

}  // namespace proxy::ops
