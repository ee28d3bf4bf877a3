#include "proxy/session/block_tracker.hpp"

namespace proxy::session {

using rules::block_effect;

void block_tracker::declare(block_effect effect) {
  switch (effect) {
    case block_effect::begin:
    case block_effect::end:
      declared_.reset();
      break;
    case block_effect::begin_read_only:
    case block_effect::set_read_only:
      declared_ = true;
      break;
    case block_effect::begin_read_write:
    case block_effect::set_read_write:
      declared_ = false;
      break;
    case block_effect::chain:  // "with the same transaction characteristics"
    case block_effect::none:
    case block_effect::savepoint:
    case block_effect::release:
    case block_effect::rollback_to:
      break;
  }
}

void block_tracker::statement_sent(block_effect effect) {
  declare(effect);
  const bool begins = effect == block_effect::begin || effect == block_effect::begin_read_only ||
                      effect == block_effect::begin_read_write;
  if (begins) since_ = block::inside;
  if (effect == block_effect::end) since_ = block::outside;
  if (begins || effect == block_effect::end) began_in_batch_ = begins;
}

void block_tracker::query_sent(block_effect first) {
  declare(first);
  since_.reset();
  began_in_batch_ = false;
  base_known_ = false;
}

void block_tracker::ready(char status, bool query_owed, bool anything_owed) {
  status_ = status;
  if (!query_owed) base_known_ = true;
  if (anything_owed) return;
  since_.reset();
  if (status == 'I') declared_.reset();
}

void block_tracker::batch_sent() {
  if (since_ == block::outside) since_ = block::inside;
  began_in_batch_ = false;
}

block block_tracker::now() const {
  if (since_) return *since_;
  if (!base_known_) return block::unknown;
  return status_ == 'I' ? block::outside : block::inside;
}

bool block_tracker::surely_inside() const {
  if (since_) return began_in_batch_;
  return base_known_ && status_ != 'I';
}

bool block_tracker::read_only() const {
  return standby_ || declared_.value_or(default_read_only_);
}

}  // namespace proxy::session
