// Dialogue files: what client, server and proxy say to each other, in PostgreSQL's message names, and the
// ways of playing one. Knows nothing of what a dialogue is about.
//
//   # a comment
//   setting: guarded | transparent | unknown catalog[, opaque allowed] | refused | tls | tls required, or a
//   setting of stage::rule_set
//                                      (first line that is none; default guarded)
//   login                                       the usual start of a session, played and checked nowhere else
//   client> Query "SELECT 1"           the client sends                   server> ...   the server sends
//   server< Query "SELECT 1"           the server is sent                 client< ...   the client is sent
//   proxy> book                        something happens: no book, connected, connected over TLS, secured,
//                                      unreachable, book, book: SETTING, cancel, drain, terminate,
//                                      time +5, client closed, server closed, rival reads 1, rival writes 1,
//                                      row is busy | waited for | written | shared | answered | lost
//   proxy< close "reason"              an effect: connect, secure, cancel, want book, close "...", count ...
#pragma once

#include <string>
#include <vector>

namespace stage {

enum class speaker : std::uint8_t {
  comment,
  setting,
  login,
  client_says,
  server_says,
  event,
  client_hears,
  server_hears,
  effect
};

struct line {
  speaker who = speaker::comment;
  std::string text;   // after the speaker's mark
  std::string bytes;  // of what is said or heard
};

struct dialogue {
  std::string name;
  std::string setting = "guarded";
  std::vector<line> lines;
};

/// Throws std::runtime_error with file and line if a line cannot be read.
[[nodiscard]] dialogue read_dialogue(const std::string& path);

/// Each returns what went otherwise than the dialogue says, empty if nothing did.
[[nodiscard]] std::string play_whole(const dialogue&);
[[nodiscard]] std::string play_byte_by_byte(const dialogue&);
/// Everything that one side says in a row, cut in two at `offset` of each such run; false when no run is
/// longer.
[[nodiscard]] bool play_cut(const dialogue&, std::size_t offset, std::string& difference);
/// Up to line `count`, then a peer is gone.
[[nodiscard]] std::string play_vanishing(const dialogue&, std::size_t count, bool client);

/// The file's text with what the session really says.
[[nodiscard]] std::string rewritten(const dialogue&);

}  // namespace stage
