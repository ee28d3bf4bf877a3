// Input: the first bytes of a connection. A packet that reads is exactly what its line gives back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/startup.hpp"
#include "protocol/trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const startup_packet read = read_startup(bytes);
  if (read.kind == startup_kind::broken) {
    if (read.reason.empty()) std::abort();
    return 0;
  }
  if (read.kind == startup_kind::need_more) {
    if (size >= max_startup_size) std::abort();
    return 0;
  }
  if (!bytes.starts_with(read.wire) || read.wire.size() < 8) std::abort();
  if (startup_from_text(startup_to_text(read)) != read.wire) std::abort();
  static_cast<void>(startup_from_text(bytes));
  return 0;
}
