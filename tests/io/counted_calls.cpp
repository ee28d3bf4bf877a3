#include "tests/io/counted_calls.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

namespace io_test {

call_counts calls;

}  // namespace io_test

// Names that `ld --wrap` prescribes.
extern "C" {
ssize_t __real_recv(int, void*, size_t, int);
ssize_t __real_send(int, const void*, size_t, int);
int __real_epoll_wait(int, epoll_event*, int, int);
int __real_epoll_pwait2(int, epoll_event*, int, const timespec*, const sigset_t*);
int __real_epoll_ctl(int, int, int, epoll_event*);

ssize_t __wrap_recv(int socket, void* into, size_t most, int flags) {
  ++io_test::calls.receives;
  return __real_recv(socket, into, most, flags);
}
ssize_t __wrap_send(int socket, const void* from, size_t size, int flags) {
  ++io_test::calls.sends;
  return __real_send(socket, from, size, flags);
}
int __wrap_epoll_wait(int epoll, epoll_event* into, int most, int patience) {
  ++io_test::calls.waits;
  return __real_epoll_wait(epoll, into, most, patience);
}
int __wrap_epoll_pwait2(int epoll, epoll_event* into, int most, const timespec* patience,
                        const sigset_t* signals) {
  ++io_test::calls.waits;
  return __real_epoll_pwait2(epoll, into, most, patience, signals);
}
int __wrap_epoll_ctl(int epoll, int what, int socket, epoll_event* how) {
  ++io_test::calls.registrations;
  return __real_epoll_ctl(epoll, what, socket, how);
}
}
