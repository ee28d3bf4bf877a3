// Input: direction, tag, body. Every decoder runs through its trace line, which must give the same bytes
// back; an error that is rewritten must read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/error_fields.hpp"
#include "protocol/trace.hpp"
#include "protocol/writer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol;
  if (size < 2) return 0;
  const direction from = (data[0] & 1) != 0 ? direction::from_server : direction::from_client;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string wire;
  writer to(wire);
  to.begin(static_cast<char>(data[1]));
  to.bytes(body);
  if (!to.end()) std::abort();
  const frame_view frame{wire[0], std::string_view(wire).substr(header_size), wire};
  if (from_text(to_text(frame, from), from) != wire) std::abort();
  static_cast<void>(from_text(body, from));

  const error_field replace[] = {{'C', "23514"}, {'n', "rule"}};
  std::string rewritten;
  if (!rewrite_error('E', body, "WP", replace, rewritten)) std::abort();
  const error_fields read(std::string_view(rewritten).substr(header_size));
  if (!read.ok() || read.get('C') != "23514" || read.get('n') != "rule" || read.get('W')) std::abort();
  return 0;
}
