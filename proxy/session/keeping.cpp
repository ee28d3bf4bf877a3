// What a session may keep for prepared statements and portals, and how more is refused.
#include <utility>

#include "proxy/session/limits.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

refusal too_much(std::string message, std::string hint) {
  return {.sqlstate = "53400",
          .message = std::move(message),
          .detail = {},
          .hint = std::move(hint),
          .rule = {},
          .schema = {},
          .table = {},
          .column = {}};
}

}  // namespace

/// True: `bytes` more are not kept, nor one more where there are `count` of `most` already; the error is on
/// its way, and what comes behind it in its batch does not run.
bool session::would_keep_too_much(std::size_t bytes, std::size_t count, std::size_t most, outbox& out) {
  if (count >= most) {
    raise(too_much("too many prepared statements or portals in one session",
                   "Close some: pgteller remembers " + std::to_string(most) + " in one session."),
          out);
    return true;
  }
  if (kept_bytes_ + bytes <= limits::kept_bytes) return false;
  raise(too_much("prepared statements and bound parameters take too much memory in one session",
                 "Close some: pgteller keeps " + std::to_string(limits::kept_bytes >> 20U) +
                     " MiB for one session."),
        out);
  return true;
}

}  // namespace proxy::session
