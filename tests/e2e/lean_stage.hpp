// A stage for tests that measure pgteller's memory: the sanitizer in it keeps little of what was freed.
// Refuses to know any bound.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/e2e/stage.hpp"

namespace e2e {

class lean_stage : public stage {
 protected:
  void SetUp() override {
    stage::SetUp();
    // The sanitizer keeps up to 256 MB of freed memory by default; that is not pgteller's.
    const char* set = std::getenv("ASAN_OPTIONS");
    setenv("ASAN_OPTIONS", ((set == nullptr ? "" : set + std::string(":")) + "quarantine_size_mb=8").c_str(),
           1);
  }
};

}  // namespace e2e
