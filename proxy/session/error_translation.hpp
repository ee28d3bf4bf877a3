// Turns the error of a hidden statement into the one that SPEC.md promises, and maps error positions in text
// that the client never sent back to its own. Works on single messages; knows no state of the session.
#pragma once

#include <string>
#include <string_view>

#include "proxy/session/hidden_run.hpp"
#include "proxy/session/script.hpp"

namespace proxy::session {

/// Text that the server was sent in place of, or beside, the client's: how its error positions are mapped.
struct sent_text {
  std::string_view sql;
  const std::vector<rules::copied_text>* copied = nullptr;
  std::string_view client_sql;
  bool utf8 = true;  // positions count characters; other encodings are taken as one byte a character
};

/// Whether the error is one that a check of ours raised.
[[nodiscard]] bool is_raised(std::string_view body);

/// An ErrorResponse of `run` as the client is to see it, and what it counts as.
/// `body` is the server's ErrorResponse.
void translate_error(std::string_view body, const hidden_run& run, const sent_text& text, outbox& out);

/// The client's own error, with its position mapped back. Other fields stay.
void map_error_position(std::string_view body, const sent_text& text, outbox& out);

/// Appends an ErrorResponse of the proxy's own.
void append_refusal(const refusal& what, std::string_view severity, std::string& out);

}  // namespace proxy::session
