// How a hidden statement travels in the extended protocol: the messages that run it and what they make owed.
// Knows how to bind the client's parameters again; not when to send what.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/frontend.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/reply_ledger.hpp"

namespace proxy::session {

/// The name of the prepared statement and the portal in which hidden statements run. The unnamed ones are the
/// client's.
inline constexpr char hidden_name[] = "_pgteller";

/// A hidden statement with the parameters of the client's Bind that it uses.
struct hidden_statement {
  std::string_view sql;
  std::span<const std::uint16_t> parameters;    // the client's parameter numbers, from 1, behind $1, $2, ...
  std::span<const std::uint32_t> client_types;  // type OIDs of the client's statement, as far as known
  const protocol::frontend::bind_view* bind = nullptr;  // null: there are no parameters
};

/// Sends Parse, Bind, Execute and the Closes, and enters them as owed and hidden. `left_over`: an earlier
/// hidden statement failed after its Parse, so that its name must be freed first. False if nothing could be
/// sent: the Bind has fewer parameters than the statement uses, which PostgreSQL would refuse as well.
[[nodiscard]] bool send_hidden(const hidden_statement& what, bool left_over, reply_ledger& ledger,
                               outbox& out);

}  // namespace proxy::session
