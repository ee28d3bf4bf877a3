#include "proxy/session/outbox.hpp"

namespace proxy::session {

void channel::forward(std::string_view bytes) {
  if (bytes.empty()) return;
  if (borrowed_.empty()) {
    borrowed_ = bytes;
  } else if (borrowed_.data() + borrowed_.size() == bytes.data()) {
    borrowed_ = {borrowed_.data(), borrowed_.size() + bytes.size()};
  } else {
    own();
    borrowed_ = bytes;
  }
}

void channel::append(std::string_view bytes) {
  own();
  owned_.append(bytes);
}

void channel::own() {
  owned_.append(borrowed_);
  borrowed_ = {};
}

void channel::clear() {
  owned_.clear();
  borrowed_ = {};
}

}  // namespace proxy::session
