// Runs a group's statements as one pipeline, and so as one transaction, on a session's own server connection,
// and collects what answers each member. Knows messages and the ledger; not who the members are, nor what
// they are told if it fails.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/framer.hpp"
#include "proxy/session/commit_groups.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/reply_ledger.hpp"

namespace proxy::session {

class commit_leader {
 public:
  /// Sends everything up to the Sync that commits. False: a statement is too long for a message; nothing has
  /// been sent.
  /// `lock_timeout`: of any lock that the group waits for; 0: the session's own.
  [[nodiscard]] bool begin(const std::vector<group_member>& group, std::chrono::milliseconds lock_timeout,
                           reply_ledger& ledger, outbox& out);

  /// The client may have freed the names of prepared statements.
  void doubt_names() noexcept { limit_ = std::min(limit_, kept::doubted); }

  /// Whether a message that has come meanwhile is for a member, or about the group: all but ParameterStatus,
  /// NotificationResponse, and notices of no member's statement.
  [[nodiscard]] bool takes(char message, bool asynchronous);

  /// A message that answers what begin() has sent, or the beginning of one that is streamed. True: it is the
  /// last one.
  [[nodiscard]] bool on_reply(const protocol::piece& from, const ruling& answer);
  /// A further piece of the message that is being streamed.
  void on_part(std::string_view bytes);

  [[nodiscard]] bool running() const noexcept { return running_; }
  /// It may come to be committed, or has been.
  [[nodiscard]] bool may_commit() const noexcept { return running_ && !failed_; }
  /// The error's, if one came.
  [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }
  [[nodiscard]] std::size_t size() const noexcept { return frames_.size(); }
  /// After the last message; `lost`: before it, the connection is gone.
  [[nodiscard]] group_result take_result(bool lost);

 private:
  /// What one owed reply is to a member.
  struct step {
    std::size_t member = 0;
    bool of_member = false;  // an error here is its own
    bool visible = false;    // its client is told
    bool keeps = false;      // behind it the statement that sets lock_timeout is there
  };
  /// Whether that statement is there.
  enum class kept : std::uint8_t { never, doubted, surely };

  void on_error(std::string_view body, const ruling& answer);
  [[nodiscard]] group_result::type outcome() const;

  std::deque<step> steps_;  // by owed reply; the Sync has none
  std::vector<std::string> frames_;
  std::string* streaming_ = nullptr;
  std::string sqlstate_;
  std::size_t culprit_ = 0;
  std::size_t names_left_ = 0;  // prepared by a group that failed: they may still be there
  kept limit_ = kept::never;
  bool running_ = false;
  bool failed_ = false;  // it is certain that nothing has been, or will be, committed
  bool blames_ = false;  // `culprit_` is known
};

}  // namespace proxy::session
