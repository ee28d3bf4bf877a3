// Input: limit, chunk seed, then the stream. Whatever the chunking, the pieces joined are the stream.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/framer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol;
  if (size < 2) return 0;
  whole_limits limits;
  limits.bytes.fill(data[0]);
  std::uint32_t random = data[1] + 1u;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  framer cut(limits);
  std::string joined;
  std::string_view left = stream;
  bool stop = false;
  while (!stop) {
    random = random * 1664525u + 1013904223u;
    const std::string chunk(left.substr(0, 1 + (random >> 16) % (data[1] + 1u)));
    left.remove_prefix(chunk.size());
    stop = chunk.empty();
    cut.feed(chunk);
    // Sometimes pieces are left untaken, as a full outbox does; at the end all are taken.
    std::uint32_t most = stop ? UINT32_MAX : (random >> 8) % 4;
    for (; most > 0; --most) {
      const piece one = cut.next();
      if (one.kind == piece_kind::need_more || one.kind == piece_kind::broken) break;
      if (one.frame.wire.empty()) std::abort();
      if (one.kind == piece_kind::whole && data[0] != 0 && one.body_size > data[0]) std::abort();
      joined += one.frame.wire;
    }
    cut.settle();
  }
  if (!stream.starts_with(joined)) std::abort();
  if (!cut.broken() && joined.size() + cut.held() != stream.size()) std::abort();
  return 0;
}
