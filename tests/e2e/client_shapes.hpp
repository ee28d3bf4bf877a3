// How client libraries read a balance and write it back, in the bytes that they send: wallet 1 (user 10) is
// read with 100.00 in it, and 90.00 is written. Knows no rule and no server.
#pragma once

#include <string>
#include <vector>

#include "tests/e2e/streams.hpp"

namespace e2e {

struct client_shape {
  std::string name;
  std::vector<step> read;
  std::vector<step> write;
  char refused = 'I';         // transaction status once the write has been refused
  bool reads_outside = true;  // no transaction is open between the read and the write
  bool rereads = false;       // `write` begins with another read, which is not what it rests on
};

[[nodiscard]] std::vector<client_shape> client_shapes();

/// A Bind whose every detail can be said: one format for all parameters, formats of the result columns.
[[nodiscard]] std::string bind_formats(const std::string& portal, const std::string& statement,
                                       const std::vector<std::string>& values, int format,
                                       const std::vector<int>& results);
/// A Parse that names the types of its parameters.
[[nodiscard]] std::string parse_types(const std::string& name, const std::string& sql,
                                      const std::vector<unsigned>& types);
/// What most libraries send for one statement: unnamed, text, Describe of the portal.
[[nodiscard]] std::string one_batch(const std::string& sql, const std::vector<std::string>& values = {});

}  // namespace e2e
