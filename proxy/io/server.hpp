// The running proxy: listens, spreads clients over worker threads, reacts to signals, and stops in good
// order. Knows nothing of messages or rules beyond handing them to those who do.
#pragma once

#include <memory>
#include <string>

#include "proxy/ops/settings.hpp"

namespace proxy::io {

/// Serves until SIGTERM or SIGINT: then no client is accepted any more, idle ones are told 57P01,
/// transactions in progress may end within listen.shutdown_grace, and the rest is told 57P01. A second signal
/// ends the grace. SIGHUP loads `config_path` again: rules, log level and, for new connections, all about
/// TLS take effect, or, if anything is wrong, nothing does. Returns the exit code: 0, or 1 if it could not
/// listen.
[[nodiscard]] int serve(const ops::settings& settings, const std::string& config_path);

}  // namespace proxy::io
