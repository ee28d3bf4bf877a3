// Plain values that a session is made of for others: its phases, who it is, what it makes of TLS.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/session/outbox.hpp"

namespace proxy::session {

enum class session_phase : std::uint8_t {
  startup,         // the client's first packet is awaited
  connecting,      // the server connection is being opened
  authenticating,  // messages pass as they are until the server's first ReadyForQuery
  ready,           // statements run
  closed,          // the end has been decided; nothing is taken any more
};

/// Why the client's next message is not taken although it is there.
enum class hold : std::uint8_t {
  none,
  catalog,  // it names a guarded table and the catalog is not known yet
  status,   // its plan depends on the outcome of something that is running: a simple query, a Parse, a Close
  turn,     // another session is to write the row first
  names,    // the server is asked what the names of guarded tables mean here
  group,    // its write shares a commit with others'
};

/// What a client that asks for TLS is answered, and what happens to one that does not ask.
enum class tls_policy : std::uint8_t {
  disable,  // refused; goes on without
  allow,    // accepted; who does not ask goes on without
  require,  // accepted; who does not ask is refused, except for a cancel request
};

/// The process id and key by which the client may cancel.
struct cancel_key {
  std::uint32_t process_id = 0;
  std::string key;
};

/// Who a session is among others.
struct session_identity {
  session_id id = 1;    // from 1, not used again
  std::string address;  // of the client, without its port
};

}  // namespace proxy::session
