// The system calls that this program has made through the C library, where the linker wraps them; see
// CMakeLists.txt. Refuses to know what they were for.
#pragma once

#include <cstddef>

namespace io_test {

struct call_counts {
  std::size_t receives = 0;
  std::size_t sends = 0;
  std::size_t waits = 0;          // epoll_wait, epoll_pwait2
  std::size_t registrations = 0;  // epoll_ctl
};

/// Since the program began.
extern call_counts calls;

}  // namespace io_test
