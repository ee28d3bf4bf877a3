// The queue of replies that the server still owes, in the order in which their requests were sent, and for
// each whether it is the client's or hidden. Decides what one server message answers; holds no bytes and no
// rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/session/flat_queue.hpp"

namespace proxy::session {

/// A request that has been sent to the server. The comment says which reply settles it.
enum class request : std::uint8_t {
  parse,               // ParseComplete
  bind,                // BindComplete
  describe_statement,  // ParameterDescription, then RowDescription or NoData
  describe_portal,     // RowDescription or NoData
  execute,             // CommandComplete, EmptyQueryResponse, PortalSuspended
  close,               // CloseComplete
  sync,                // ReadyForQuery
  query,               // ReadyForQuery
  function_call,       // ReadyForQuery
  copy_end,            // none: CopyDone or CopyFail, kept to know which Sync a COPY swallows
};

/// What the session has kept beside a request, so that it can be confirmed or dropped with it.
enum class note : std::uint8_t {
  none,
  statement_name,  // a prepared statement's name comes, goes or changes its meaning
  portal_name,     // the same of a portal
  types,           // parameter types and the shape of rows are learnt from the answer
  hidden_run,      // the Execute of a hidden statement
  prelude_name,    // a hidden statement is prepared under a name that stays, or such a name is freed
  watch,      // the Execute of a statement that reads or writes guarded rows, or a query that is one read
  script,     // a query with hidden statements in it, or with statements that are watched otherwise
  savepoint,  // SAVEPOINT, RELEASE or ROLLBACK TO
  names,      // the server is asked what unqualified names mean
  group,      // it runs other sessions' writes, too
};

/// What a request does to the statements that are kept prepared: statement_cache.hpp.
struct cache_mark {
  bool renames = false;    // the client's unnamed statement becomes another one, or none
  bool prepares = false;   // a Parse under a name of ours
  bool frees = false;      // a Close of such a name
  bool swapped = false;    // a Close in the place of a Parse of the client's, who is told ParseComplete
  std::uint64_t uses = 0;  // a Bind, Describe or Execute of the one with this number

  [[nodiscard]] bool any() const noexcept { return renames || prepares || frees; }
};

/// One owed reply.
struct owed {
  request what = request::sync;
  bool hidden = false;  // ours: the client must not see it
  note kept = note::none;
  bool commits = false;  // what it makes permanent, if anything, the client knows when it has been answered
  cache_mark cached{};
};

/// What to do with a server message.
enum class verdict : std::uint8_t {
  forward,    // the client's own
  hide,       // the reply to a hidden statement
  translate,  // a hidden statement raised: the client sees the mapped error
  desync,     // the server sent what nothing asked for: the session must end
};

/// The answer for one server message.
struct ruling {
  verdict what = verdict::forward;
  bool settled = false;  // `subject` left the ledger by this message
  owed subject;          // what the message answers
};

class reply_ledger {
 public:
  /// A request is being sent. While the server skips to Sync after an error, only Sync is recorded.
  /// Returns false if the server will not answer it (it is skipped, or swallowed by a COPY).
  bool expect(const owed& entry);

  /// A query whose results are partly hidden: `hidden[i]` says so of its i-th statement.
  bool expect_script(std::vector<bool> hidden);

  /// The next Execute, Query or FunctionCall of the client's may make something permanent, and so may the
  /// Sync behind an Execute.
  void commits_next() noexcept { commits_next_ = true; }

  /// Of the request that has just been expected.
  void mark_newest(cache_mark mark) noexcept { queue_.back().entry.cached = mark; }

  /// The client ends its COPY data.
  void copy_ended();

  /// A message of the server, after authentication. Requests that an error made the server skip are moved to
  /// dropped() first.
  ruling on_reply(char tag);

  /// Requests skipped by the last ErrorResponse, oldest first, or the one read by the COPY that the last
  /// CopyInResponse has begun. Valid until the next call of on_reply.
  [[nodiscard]] const std::vector<owed>& dropped() const noexcept { return dropped_; }

  [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
  /// ReadyForQuery messages that are owed.
  [[nodiscard]] std::size_t owed_ready() const noexcept { return owed_ready_; }
  /// Queries and function calls that are owed: their effect on the transaction block is not known yet.
  [[nodiscard]] std::size_t owed_queries() const noexcept { return owed_queries_; }
  /// Extended-protocol messages were sent that no Sync has followed yet.
  [[nodiscard]] bool batch_open() const noexcept { return batch_open_; }
  /// A Parse of the client's is in flight, and nothing else has been sent since the last Sync.
  [[nodiscard]] bool owes_only_parse() const noexcept {
    return queue_.size() == 1 && batch_count_ == 1 && queue_.front().entry.what == request::parse;
  }
  /// After an error the server discards everything up to the next Sync, which has not been sent.
  [[nodiscard]] bool skipping() const noexcept { return skipping_; }
  /// The server waits for CopyData.
  [[nodiscard]] bool copying_in() const noexcept { return copying_in_; }
  /// Among what is owed there may be a COPY FROM STDIN whose data has not been ended: what is sent now may be
  /// read by it.
  [[nodiscard]] bool may_copy_in() const noexcept;
  /// Something that may have been made permanent has not been answered to its ReadyForQuery, nor has failed.
  [[nodiscard]] bool commit_in_flight() const noexcept;
  /// The index, among the statements of the query in front, of the one that is running.
  [[nodiscard]] std::size_t script_position() const noexcept { return script_position_; }

 private:
  struct item {
    owed entry;
    std::unique_ptr<const std::vector<bool>> script;  // of a query: which of its statements are hidden
  };

  void push(const owed& entry, std::unique_ptr<const std::vector<bool>> script = nullptr);
  void forget(const owed& entry);
  void pop();
  ruling settle(verdict what);
  ruling on_error();
  void on_copy_in();
  void mark_commits(owed& entry);
  void carry_commit(std::size_t from);
  [[nodiscard]] bool accepts(request what);
  [[nodiscard]] verdict front_verdict() const;
  ruling on_query_reply(char tag);
  ruling on_extended_reply(char tag);

  flat_queue<item> queue_;
  std::vector<owed> dropped_;
  std::size_t owed_ready_ = 0;
  std::size_t owed_queries_ = 0;
  std::size_t script_position_ = 0;
  std::size_t batch_count_ = 0;  // messages since the last Sync
  bool batch_open_ = false;
  bool skipping_ = false;  // an error was seen and no Sync is in the queue yet
  bool copying_in_ = false;
  bool commits_next_ = false;   // the next statement may commit
  bool batch_commits_ = false;  // so may the Sync that is to come
  bool described_ = false;      // ParameterDescription of the Describe in front has come
};

}  // namespace proxy::session
