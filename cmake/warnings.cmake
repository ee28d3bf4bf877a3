# Flags for our own code only; headers of dependencies come in as system headers.
add_library(pgteller_flags INTERFACE)
target_include_directories(pgteller_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(pgteller_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wformat=2 -Wimplicit-fallthrough -Werror
  # g++ 12 reports false overlaps in std::string concatenations (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

set(PGTELLER_SANITIZE "" CACHE STRING "sanitizers for the whole build, e.g. address,undefined or thread")
if(PGTELLER_SANITIZE)
  add_compile_options(-fsanitize=${PGTELLER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PGTELLER_SANITIZE})
  # The vptr check looks at memory through a pipe: a test that leaves the process no file descriptor would be told
  # that a good object is bad. What it is there for, a call on freed memory, AddressSanitizer reports.
  add_compile_options(-fno-sanitize=vptr)
  if(PGTELLER_SANITIZE STREQUAL "thread")
    # g++ warns of the fences in Boost.Asio, and takes an empty optional's contents for read once the code is
    # instrumented; -Werror makes that fatal.
    add_compile_options(-Wno-tsan -Wno-maybe-uninitialized)
  endif()
endif()
