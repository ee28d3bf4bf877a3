// A TCP relay in front of the test cluster, which can cut every connection at a moment of the test's choice.
// Knows nothing of what it relays.
#pragma once

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace e2e {

class gate {
 public:
  gate();
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// Resets all connections; returns when that is done.
  void cut();

 private:
  void run();
  void relay();
  void admit();
  void drop(std::size_t which);

  int listener_ = -1;
  int port_ = 0;
  std::vector<std::pair<int, int>> pairs_;
  std::atomic<bool> cut_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace e2e
