#include "rules/volatility.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

constexpr std::array<std::string_view, 26> volatile_names{"clock_timestamp",
                                                          "current_query",
                                                          "currval",
                                                          "cursor_to_xml",
                                                          "gen_random_bytes",
                                                          "gen_random_uuid",
                                                          "lastval",
                                                          "loread",
                                                          "lowrite",
                                                          "nextval",
                                                          "query_to_xml",
                                                          "query_to_xml_and_xmlschema",
                                                          "query_to_xmlschema",
                                                          "random",
                                                          "set_config",
                                                          "setseed",
                                                          "setval",
                                                          "timeofday",
                                                          "ts_rewrite",
                                                          "ts_stat",
                                                          "txid_status",
                                                          "uuid_generate_v1",
                                                          "uuid_generate_v1mc",
                                                          "uuid_generate_v4",
                                                          "currtid2",
                                                          "cursor_to_xmlschema"};

}  // namespace

bool is_volatile_builtin(std::string_view function) noexcept {
  return function.starts_with("pg_") || function.starts_with("lo_") || function.starts_with("dblink") ||
         std::find(volatile_names.begin(), volatile_names.end(), function) != volatile_names.end();
}

}  // namespace rules
