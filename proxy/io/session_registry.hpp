// Finds the connection of a session by its number, across threads, to tell it that its turn may have come.
// Holds no connection alive and knows nothing of turns.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "proxy/session/turn_table.hpp"

namespace proxy::io {

class connection;

class session_registry {
 public:
  /// Numbers ascend from 1 and are not used again.
  [[nodiscard]] session::session_id next();
  void add(session::session_id id, std::weak_ptr<connection> who);
  void remove(session::session_id id);
  /// Null if it is gone.
  [[nodiscard]] std::shared_ptr<connection> find(session::session_id id) const;

 private:
  mutable std::mutex lock_;
  session::session_id next_ = 1;
  std::unordered_map<session::session_id, std::weak_ptr<connection>> by_id_;
};

}  // namespace proxy::io
