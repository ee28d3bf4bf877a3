// The parts that parse_settings() is made of, one per file.
// Knows nothing of where the text came from.
#pragma once

#include "proxy/ops/settings_reader.hpp"

namespace proxy::ops {

/// Reads every [[rule]] and [[once]]. `root` is asked, so that it knows the two keys.
void read_rules(table_reader& root, problem_list& problems, rules::rule_set& into);

/// The keys about TLS in [listen] and [upstream]; the host is known already. Files are opened and tried.
void read_client_tls(table_reader& from, listen_settings& into);
void read_server_tls(table_reader& from, upstream_settings& into);

}  // namespace proxy::ops
