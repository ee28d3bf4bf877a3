// One session's part in shared commits: whether its write may be run by another session's connection, waiting
// for its answer, and running a group for others. Works on its session from inside; which sessions share is
// the table's business.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/framer.hpp"
#include "protocol/frontend.hpp"
#include "protocol/startup.hpp"
#include "proxy/session/commit_groups.hpp"
#include "proxy/session/commit_leader.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/reply_ledger.hpp"
#include "proxy/session/script.hpp"
#include "proxy/session/watch.hpp"

namespace proxy::session {

class session;

/// Whether some rule has group_commit.
[[nodiscard]] bool shares_commits(const rules::rule_set& configured) noexcept;

class commit_sharing {
 public:
  commit_sharing(session& of, const protocol::startup_packet& startup, std::string_view server);

  // What tells one session's settings from another's.
  void on_parameter(std::string_view name, std::string_view value, bool starting);
  /// The client sends this SQL, or prepares it. `analysed` may be null.
  void note_query(std::string_view sql, const rules::analysis* analysed);
  void note_sql(std::string_view sql);
  /// It sends what is not looked at.
  void touch() noexcept { touched_ = true; }

  /// True: the message is held back until the answer is there, and the request is used up. False: it runs in
  /// the ordinary way, now.
  [[nodiscard]] bool hold_query(const protocol::frame_view& from, script_request& request, outbox& out);
  [[nodiscard]] bool hold_bind(const protocol::frame_view& from, const protocol::frontend::bind_view& bind,
                               const portal& made, const watch& watched, outbox& out);

  /// A message is taken that cannot share.
  void pass_on() noexcept { passed_ = passed_ || passing_; }

  /// The session was in an outbox's `wake`.
  void on_wake(outbox& out);
  void on_time(outbox& out);
  void on_cancel(outbox& out);
  /// A ReadyForQuery for the client.
  void on_ready(outbox& out);
  /// Whether it is the group's, and not this session's own client's.
  [[nodiscard]] bool takes(const protocol::piece& from, bool asynchronous);
  /// A message that answers a group's statement.
  void on_reply(const protocol::piece& from, const ruling& answer, outbox& out);
  void on_part(std::string_view bytes) { leader_.on_part(bytes); }
  /// True: others wait for what the session is running. It ends when that is done.
  [[nodiscard]] bool outlives_client() noexcept;
  [[nodiscard]] bool leads() const noexcept { return stage_ == stage::leading; }
  /// Others wait until its own statement, or its group, is done.
  [[nodiscard]] bool holds_row() const noexcept { return leads() || stage_ == stage::alone; }
  /// The session ends: may what it waits for come to be committed, or have been?
  [[nodiscard]] bool may_commit(outbox& out);
  void leave(outbox& out);

 private:
  enum class stage : std::uint8_t {
    none,
    alone,    // its statement runs in the ordinary way, and others wait for that
    waiting,  // in the table's queue, or run by another session
    leading,  // it runs a group, itself in it
  };
  /// The write that waits for its answer.
  struct pending {
    watch on;
    bool extended = false;
    std::size_t tail = 0;  // extended: messages behind the Bind that belong to it
    bool describes = false;
  };

  [[nodiscard]] bool may_share() const;
  [[nodiscard]] bool is_idle(bool but_for_parse) const;
  [[nodiscard]] bool end_parse(const protocol::frame_view& from, std::size_t tail, outbox& out);
  void on_parsed(outbox& out);
  [[nodiscard]] bool runs_at_once(const watch& on, outbox& out);
  [[nodiscard]] bool enter(group_job job, const watch& on, outbox& out);
  void wait(const protocol::frame_view& from, pending what, outbox& out);
  void run_alone(outbox& out);
  void refuse(refusal what, outbox& out);
  void deliver(group_answer answer, outbox& out);
  void deliver_query(pending of, std::string_view frames, outbox& out);
  void deliver_bind(pending of, std::string_view frames, outbox& out);
  void feed(std::string_view frames, outbox& out);
  void begin(std::vector<group_member> group, outbox& out);
  void conclude(bool lost, outbox& out);
  [[nodiscard]] static const rules::rule& rule_of(const watch& on);
  static void report_size(const watch& on, std::size_t size, outbox& out);
  [[nodiscard]] refusal refused(std::string sqlstate, std::string message, std::string detail) const;

  session& session_;
  session_kind kind_;  // the server, startup parameters and what the server has said of its settings
  bool touched_ = false;
  stage stage_ = stage::none;
  shared_row row_;
  std::optional<pending> pending_;
  commit_leader leader_;
  std::optional<clock::time_point> due_;  // waiting: until then
  std::size_t parsed_tail_ = 0;           // behind the Bind that waits for its Parse: messages of its unit
  bool passing_ = false;                  // the held message is taken in the ordinary way
  bool passed_ = false;                   // and has been sent
  bool cancelled_ = false;                // by the client, too late
  bool overdue_ = false;                  // its answer
  bool client_left_ = false;
};

}  // namespace proxy::session
