// Finds the connection that a cancel request means, across threads, by the server's process id and key.
// Holds no connection alive and knows nothing of what cancelling does.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "proxy/session/session.hpp"

namespace proxy::io {

class connection;

class cancel_registry {
 public:
  void add(const session::cancel_key& key, std::weak_ptr<connection> who);
  void remove(const session::cancel_key& key);
  /// Null if nobody has this process id with this key.
  [[nodiscard]] std::shared_ptr<connection> find(const session::cancel_key& key) const;

 private:
  struct registered {
    std::string key;
    std::weak_ptr<connection> who;
  };
  mutable std::mutex lock_;
  std::unordered_map<std::uint32_t, registered> by_process_;
};

}  // namespace proxy::io
