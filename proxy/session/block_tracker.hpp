// Whether the server will be inside a transaction block when it comes to run the next message.
// It knows ReadyForQuery's letters and the effects of statements sent since; nothing of queues or SQL.
#pragma once

#include <cstdint>
#include <optional>

#include "rules/plan.hpp"

namespace proxy::session {

enum class block : std::uint8_t {
  unknown,  // a simple query is running whose effect its ReadyForQuery will tell
  outside,  // every statement, or the batch up to Sync, is its own transaction
  inside,   // in a block, or in a failed one, where nothing but its end is run
};

/// The effect of a statement in flight is taken as it is if it succeeds. If it fails, what follows up to Sync
/// is skipped, and then the assumption errs towards `inside` (a BEGIN that failed: locks end with the
/// statement) or meets a failed block, in which PostgreSQL runs nothing.
class block_tracker {
 public:
  /// A statement runs by Execute.
  void statement_sent(rules::block_effect effect);
  /// A Sync is sent. An end of the block in its batch may have been skipped, and the next batch may revive
  /// the block (ROLLBACK TO): until that is answered, a statement is taken to be inside, which can only lock
  /// too much.
  void batch_sent();
  /// A simple query is sent; `first` is the effect of its first statement.
  void query_sent(rules::block_effect first);
  /// ReadyForQuery. `query_owed`: another query sent later has not been answered; `anything_owed`: any
  /// request.
  void ready(char status, bool query_owed, bool anything_owed);
  /// A further statement of the simple query that was sent: only READ ONLY and READ WRITE matter, since its
  /// ReadyForQuery tells the rest.
  void declare(rules::block_effect effect);
  /// The queries in flight will not run: an error before them made the server skip to Sync.
  void queries_skipped() { base_known_ = true; }

  /// The session's default_transaction_read_only and in_hot_standby, as ParameterStatus reports them.
  void default_read_only(bool on) { default_read_only_ = on; }
  void standby(bool on) { standby_ = on; }

  [[nodiscard]] block now() const;
  /// Whatever fails of what is in flight: what is sent next runs inside a block, or not at all. Where it is
  /// false, it may be a transaction of its own and commit.
  [[nodiscard]] bool surely_inside() const;
  /// Rows cannot be locked: the transaction is declared READ ONLY, or the server is a standby.
  [[nodiscard]] bool read_only() const;
  /// The last letter that the server sent: I, T or E.
  [[nodiscard]] char status() const { return status_; }

 private:
  char status_ = 'I';
  bool base_known_ = true;
  std::optional<block> since_;    // what statements sent since the last answer make of it
  bool began_in_batch_ = false;   // by a BEGIN without which nothing up to Sync runs
  std::optional<bool> declared_;  // READ ONLY or READ WRITE, by this transaction
  bool default_read_only_ = false;
  bool standby_ = false;
};

}  // namespace proxy::session
