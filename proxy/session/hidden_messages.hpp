// How a hidden statement travels in the extended protocol: the messages that run it and what they make owed.
// Knows the messages; not when to send what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/frontend.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/reply_ledger.hpp"
#include "proxy/session/values.hpp"

namespace proxy::session {

/// The name of the prepared statement and the portal in which hidden statements run. The unnamed ones are the
/// client's.
inline constexpr char hidden_name[] = "_pgteller";

/// Sends Parse, Bind, Execute and the Closes, and enters them as owed and hidden. `left_over`: an earlier
/// hidden statement failed after its Parse, so that its name must be freed first. False if nothing could be
/// sent: it is too long for a message.
[[nodiscard]] bool send_hidden(std::string_view sql, const parameter_list& parameters, bool left_over,
                               reply_ledger& ledger, outbox& out, note kept = note::hidden_run);

/// Parse of a hidden statement under a name that stays. False as above; then nothing is owed.
[[nodiscard]] bool prepare_hidden(std::string_view name, std::string_view sql,
                                  const parameter_list& parameters, reply_ledger& ledger, outbox& out);

/// Bind and Execute of one that is prepared. False as above.
[[nodiscard]] bool run_prepared(std::string_view name, const parameter_list& parameters, reply_ledger& ledger,
                                outbox& out);

/// Frees names that prepare_hidden() has given.
void close_hidden(const std::vector<std::string>& names, reply_ledger& ledger, outbox& out);

/// Asks for the shape of a portal's rows, without the client's seeing the answer.
[[nodiscard]] bool send_hidden_describe(std::string_view portal, note kept, reply_ledger& ledger,
                                        outbox& out);

}  // namespace proxy::session
