// Who shares a commit with whom: while a row is being written at PostgreSQL, other sessions' writes of it
// queue here, and one of these sessions then runs all that have come. Safe between threads; knows no messages
// and asks no clock, and wakes nobody itself: calls return the sessions that have something to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/turn_table.hpp"
#include "proxy/session/values.hpp"

namespace proxy::session {

/// One statement as any session of the same database, user and settings can run it.
struct group_statement {
  std::string sql;
  std::vector<std::uint32_t> types;  // of the first parameters; 0: left to the server
  std::vector<bound_value> values;   // their `type` is not looked at
  std::vector<std::int16_t> result_formats;
  bool hidden = false;     // ours: its answer is for nobody
  bool describes = false;  // its client is told the shape of its rows
};

/// One member's write, with what must go before it.
struct group_job {
  std::vector<group_statement> statements;
  bool goes_first = false;  // it is compared with what was read: no other write of the group may precede it
};
using group_job_ptr = std::shared_ptr<const group_job>;

struct group_member {
  session_id who = 0;  // 0: it has gone; what it sent stands
  group_job_ptr job;
  std::uint32_t failures = 0;  // of groups that it was in
  bool withdrawn = false;      // too late: if its group fails, it is not in another one
};

/// What a member is to do.
struct group_answer {
  enum class type : std::uint8_t {
    committed,  // `frames` answer its statement
    alone,      // nothing of it has been done: it runs in the ordinary way
    unknown,    // it may have been committed
    timed_out,  // the row's lock was not got in time
  };
  type what = type::alone;
  std::string frames;  // RowDescription or NoData where it describes, DataRows, CommandComplete
};

/// How a group has ended.
struct group_result {
  enum class type : std::uint8_t {
    committed,  // `frames`, by member
    refused,    // `culprit`'s statement failed, and with it the transaction
    failed,     // the transaction failed, and no member can be blamed
    timed_out,  // a lock_timeout passed
    lost,       // it may have been committed
  };
  type what = type::failed;
  std::size_t culprit = 0;
  std::vector<std::string> frames;
};

/// What must be alike in sessions that share: only then does a statement mean the same in them.
class session_kind {
 public:
  void add(std::string_view part);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }

 private:
  std::string text_;
  std::size_t hash_ = 0;  // of the text, which is long
};

/// A row as sessions of one kind see it.
class shared_row {
 public:
  shared_row() = default;
  shared_row(std::string_view row, const session_kind& seen_by);
  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }
  friend bool operator==(const shared_row&, const shared_row&) = default;

 private:
  std::size_t hash_ = 0;
  std::string name_;
};

/// Whom a session is called to run.
struct called_group {
  std::vector<group_member> members;              // itself among them; none: it is not its turn, or not yet
  std::optional<clock::time_point> ask_again_at;  // more are expected until then, or it is woken earlier
};

class commit_groups {
 public:
  commit_groups();
  ~commit_groups();

  /// Members of one group at most. More make each slower: every update walks the versions before it.
  static constexpr std::size_t most_members = 64;
  /// A member of so many groups that failed runs alone.
  static constexpr std::uint32_t most_failures = 3;
  /// Those whose commit has just ended are expected to write again at once: the next group waits for them for
  /// a fraction of the time that the last one took, at most so long, and only while that is seen to pay. So
  /// does the first of them who comes again, if nobody was waiting.
  static constexpr std::chrono::microseconds longest_pause{1000};
  static constexpr int pause_divisor = 2;

  /// True: nobody writes the row; it is the session's until done().
  [[nodiscard]] bool take(const shared_row& row, session_id who, clock::time_point now);
  /// True: the same. False: it waits, until lead() or answer() has something for it, or withdraw(). It may be
  /// woken at once.
  [[nodiscard]] bool enter(const shared_row& row, session_id who, group_job_ptr job, clock::time_point now,
                           wake_list& wake);

  /// A group of one the session runs in the ordinary way until done(), any other until finish().
  [[nodiscard]] called_group lead(const shared_row& row, session_id who, clock::time_point now);
  /// What has become of a waiting session's write, once.
  [[nodiscard]] std::optional<group_answer> answer(const shared_row& row, session_id who);

  /// False: too late, its write has been sent; an answer will come. If that group fails, it is told `alone`.
  [[nodiscard]] bool withdraw(const shared_row& row, session_id who, clock::time_point now, wake_list& wake);
  /// It waits no longer, and no answer will come: what is known now is returned. `alone`: it was not sent.
  group_answer abandon(const shared_row& row, session_id who, clock::time_point now, wake_list& wake);

  void done(const shared_row& row, session_id who, clock::time_point now, wake_list& wake);
  void finish(const shared_row& row, session_id who, group_result result, clock::time_point now,
              wake_list& wake);

  /// Rows that are being written or waited for.
  [[nodiscard]] std::size_t rows() const;

 private:
  struct shard;
  [[nodiscard]] shard& shard_of(const shared_row& row) const;
  std::vector<std::unique_ptr<shard>> shards_;
};

}  // namespace proxy::session
