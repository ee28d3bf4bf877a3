// One client and its server connection: what each message means, what is sent to whom, what is being waited
// for. Bytes and events in, effects out: it refuses to know sockets, clocks, threads, logs and how rules are
// made.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/framer.hpp"
#include "protocol/frontend.hpp"
#include "protocol/startup.hpp"
#include "proxy/session/block_tracker.hpp"
#include "proxy/session/error_translation.hpp"
#include "proxy/session/flat_queue.hpp"
#include "proxy/session/name_register.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/plan_cache.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/raw_requests.hpp"
#include "proxy/session/reply_ledger.hpp"
#include "proxy/session/row_memory.hpp"
#include "proxy/session/script.hpp"
#include "proxy/session/session_values.hpp"
#include "proxy/session/statement_cache.hpp"
#include "proxy/session/transaction_account.hpp"
#include "proxy/session/watch.hpp"
#include "rules/name_filter.hpp"
#include "rules/trace_comment.hpp"

namespace proxy::session {

class commit_sharing;  // proxy/session/commit_sharing.hpp

class session {
 public:
  /// `cache` and `shared` outlive the session. `refused`: the client is told this at its StartupMessage
  /// instead of being connected (too many connections).
  session(plan_cache& cache, neighbourhood& shared, session_identity who,
          std::optional<refusal> refused = std::nullopt);
  session(const session&) = delete;  // what it keeps counts towards its own total
  session& operator=(const session&) = delete;
  ~session();

  /// Before the first event; without it, TLS is refused.
  void offer_tls(tls_policy policy) noexcept { tls_ = policy; }

  /// Before the first event: statements that come again and again are prepared once, at most so many (0:
  /// none).
  void keep_statements(std::size_t most) {
    cached_ = most > 0 ? std::make_unique<statement_cache>(most) : nullptr;
  }

  // Events. Each appends its effects; the caller carries them out and then calls settle().
  void on_client_bytes(std::string_view bytes, outbox& out);
  void on_client_closed(outbox& out);
  /// Both connections are gone.
  void on_lost(outbox& out) { end("connection lost", out); }
  /// The TLS handshake with the client is done; it may also have begun with it, without asking.
  void on_client_secured() noexcept;
  /// `binding_ends_here`: PostgreSQL sees TLS with another certificate than the client, or the client none:
  /// SCRAM's channel binding cannot succeed and is taken out of the server's offer.
  /// `server`: its address; sessions at different ones share nothing.
  void on_server_connected(outbox& out, bool binding_ends_here = false, std::string_view server = {});
  void on_server_unreachable(std::string_view reason, outbox& out);
  void on_server_bytes(std::string_view bytes, outbox& out);
  void on_server_closed(std::string_view reason, outbox& out);

  /// Rules concern this session's database and user. Called once, after connect_server was requested. `book`
  /// is null while the catalog is unknown; guarded statements then wait for on_book, at most `patience`.
  void guard(std::shared_ptr<const rules::rule_set> rules, book_ptr book, std::chrono::milliseconds patience);
  void on_book(book_ptr book, outbox& out);

  /// deadline() has passed.
  void on_time(outbox& out);
  /// The session's turn may have come: it was in an outbox's `wake`.
  void on_turn(outbox& out);
  /// The client asked, on another connection, to cancel; the server is told by the caller.
  void on_cancel(outbox& out);
  /// Ends the session as soon as it is outside a transaction with nothing owed.
  void on_drain(outbox& out);
  /// Ends it now, with 57P01.
  void on_terminate(std::string_view reason, outbox& out);

  /// stalled(), and the server has taken most of what it was sent.
  void on_room(outbox& out);

  /// The bytes of this step have been written or copied; what was not taken is kept.
  void settle();

  [[nodiscard]] session_phase phase() const noexcept { return phase_; }
  [[nodiscard]] hold held() const noexcept { return hold_; }
  [[nodiscard]] std::optional<clock::time_point> deadline() const noexcept { return deadline_; }
  /// PostgreSQL may be waiting for a lock on the session's behalf, before the client's own statement runs.
  [[nodiscard]] bool waits_for_lock() const noexcept;
  /// Others wait for what it runs: it goes on without its client, too.
  [[nodiscard]] bool leads_group() const noexcept;
  /// Others wait until its shared write is done, which says little: that is read however slow its client is.
  [[nodiscard]] bool holds_row() const noexcept;
  /// Nothing that is running can come to be permanent: without its client, it is for nobody.
  [[nodiscard]] bool is_for_nobody() const noexcept;
  /// Nothing is owed to the client.
  [[nodiscard]] bool owes_nothing() const noexcept { return ledger_.empty(); }
  /// A whole message of the client's is waiting here.
  [[nodiscard]] bool has_untaken() const noexcept;
  /// The client has said that it leaves.
  [[nodiscard]] bool terminated() const noexcept { return terminated_; }
  /// False: enough of the client is waiting here; do not read it.
  [[nodiscard]] bool wants_client_bytes() const noexcept;
  /// The last step has made as much for the server as one may: the client's next message waits for on_room.
  [[nodiscard]] bool stalled() const noexcept { return stalled_; }
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const std::string& database() const noexcept { return database_; }
  [[nodiscard]] const std::string& application() const noexcept { return application_; }
  [[nodiscard]] const cancel_key& key() const noexcept { return key_; }
  [[nodiscard]] bool guarded() const noexcept { return rules_ != nullptr; }
  /// Statements were prepared under names: new rules do not see those that no rule named before.
  [[nodiscard]] bool has_named_statements() const noexcept { return has_named_; }

 private:
  friend class commit_sharing;
  using frame_view = protocol::frame_view;

  // session.cpp: phases, startup, the end.
  void enter(session_phase next) noexcept;
  void end(std::string_view reason, outbox& out);
  void end_with(const refusal& why, outbox& out);
  void end_with(std::string_view sqlstate, std::string_view message, std::string_view detail, outbox& out);
  void end_unanswered(std::string_view sqlstate, std::string_view message, std::string_view detail,
                      outbox& out);
  void read_startup(outbox& out);

  // encryption.cpp: TLS and what it means for authentication.
  [[nodiscard]] bool answer_encryption_request(const protocol::startup_packet& packet, outbox& out);
  [[nodiscard]] bool take_binding_out(const frame_view& from, outbox& out);
  [[nodiscard]] bool expects_binding(const frame_view& from);
  static refusal without_tls();
  static refusal without_binding();

  // session.cpp, further.
  void start(const protocol::startup_packet& packet, outbox& out);
  void pass_raw(std::string_view bytes, outbox& out);
  [[nodiscard]] bool idle() const;
  void drain_if_idle(outbox& out);
  static refusal cancelled();

  // client_messages.cpp: what the client sends once ready.
  void pump_client(outbox& out);
  [[nodiscard]] bool may_take() const noexcept;
  [[nodiscard]] bool would_keep_too_much(std::size_t bytes, std::size_t count, std::size_t most, outbox& out);
  void take(const frame_view& from, outbox& out);
  void take_authentication(const frame_view& from, outbox& out);
  [[nodiscard]] bool will_not_run() const;
  void take_statement(const frame_view& from, outbox& out);
  void take_parse(const frame_view& from, outbox& out);
  [[nodiscard]] bool bind_guarded(const frame_view& from, const protocol::frontend::bind_view& bind,
                                  portal& made, outbox& out);
  void execute_write(portal& of, watch_ptr& watched, outbox& out);
  void pass_watched(const frame_view& from, std::string_view portal_name, watch_ptr watched, outbox& out);
  [[nodiscard]] watch_ptr copy_of(const watch& of);
  void take_bind(const frame_view& from, outbox& out);
  void take_execute(const frame_view& from, outbox& out);
  void take_describe(const frame_view& from, outbox& out);
  void take_close(const frame_view& from, outbox& out);
  void take_head(const protocol::piece& head, outbox& out);
  void note_large_parse(std::string_view front);
  void take_large_bind(const protocol::piece& head, outbox& out);
  void pass(const frame_view& from, request what, outbox& out, note kept = note::none, cache_mark mark = {});
  [[nodiscard]] bool executes_guarded(std::string_view sql, outbox& out);
  void forget_deallocated(std::string_view sql, owed& entry);

  // unnamed_statement.cpp: the client's unnamed statement where it may be a prepared one of ours.
  void pass_parse(const frame_view& from, const protocol::frontend::parse_view& parse, bool keeps, note kept,
                  outbox& out);
  [[nodiscard]] bool may_swap_parse() const;
  void send_swapped(statement_cache::statement what, note kept, outbox& out);
  void send_prepared(statement_cache::statement what, note kept, outbox& out);
  [[nodiscard]] bool awaits_unnamed(std::string_view name) const;
  void note_bound(std::string_view name);
  void pass_bind(const frame_view& from, const protocol::frontend::bind_view& bind, note kept, outbox& out);
  [[nodiscard]] bool pass_describe_unnamed(note kept, outbox& out);
  void note_query(std::string_view sql);
  void forget_unnamed();
  void drop_cached(bool failed, std::size_t place);
  void note_lost_names(const owed& subject, std::string_view sqlstate);
  [[nodiscard]] bool tell_unnamed(const frame_view& from, const owed& subject, outbox& out);
  [[nodiscard]] bool tell_swapped(const ruling& answer, outbox& out);

  // queries.cpp: simple queries.
  void take_query(const frame_view& from, outbox& out);
  [[nodiscard]] bool take_read(const frame_view& from, std::string_view sql, std::string_view trace,
                               const analysis_ptr& analysed, outbox& out);
  void take_plain_query(const frame_view& from, std::string_view sql, outbox& out);
  void declare_later_effects(std::string_view sql);
  void refuse_query(script_request& request, refusal what, outbox& out);
  void send_script(const frame_view& from, script_request request, outbox& out);

  // rebasing.cpp: statements with parameters of ours.
  using recorded_values = std::vector<std::vector<std::optional<bound_value>>>;
  [[nodiscard]] static bool carry_text(prepared_statement& statement);
  [[nodiscard]] static recorded_values rebased_of(const watch& on);
  [[nodiscard]] static refusal overtaken_bind(const watch& on);
  void pass_changed_bind(const frame_view& from, const protocol::frontend::bind_view& bind, portal& made,
                         note kept, outbox& out);
  [[nodiscard]] bool tell_parameters(const frame_view& from, outbox& out);

  // guarding.cpp: plans, hidden statements, holding.
  [[nodiscard]] bool must_await_catalog(std::string_view sql) const;
  [[nodiscard]] bool may_name_guarded(std::string_view sql) const;
  [[nodiscard]] bool may_concern_rule(std::string_view sql) const;
  void count_unknown_names(std::string_view sql, outbox& out) const;
  [[nodiscard]] rules::parse_settings reads_sql() const;
  void note_settings(std::string_view sql, bool sets, bool kept);
  analysis_ptr analyse(std::string_view sql, rules::parse_settings settings, outbox& out);
  void note_ddl(std::string_view sql, bool prepared);
  [[nodiscard]] std::shared_ptr<prepared_statement> prepare(const protocol::frontend::parse_view& parse,
                                                            outbox& out);
  void renew(prepared_statement& statement, outbox& out);
  [[nodiscard]] rules::traced_text traced(std::string_view sql) const;
  void run_preludes(const rules::plan& plan, bool before_bind, prepared_statement& statement,
                    const protocol::frontend::bind_view& bind, const watch* watched, outbox& out);
  [[nodiscard]] bool send_prelude(std::string_view sql, const parameter_list& parameters,
                                  prepared_statement& statement, outbox& out);
  [[nodiscard]] bool send_once(std::string_view sql, const parameter_list& parameters, outbox& out);
  void note_names(std::string_view name, std::string_view sql, bool again);
  [[nodiscard]] bool name_may_be_taken() const;
  void raise(refusal what, outbox& out);
  void raise_query(refusal what, outbox& out);
  static void report(const rules::plan& plan, const rules::rule_book& book, const watch* watched,
                     outbox& out);
  void hold_back(const frame_view& from, hold why, outbox& out);
  void release(outbox& out);
  void refuse_held(refusal what, outbox& out);
  [[nodiscard]] bool any_rule_rejects_opaque() const;

  // name_look_up.cpp: what unqualified names of guarded tables mean under the session's search_path.
  [[nodiscard]] bool asks_names(const frame_view& from, std::string_view sql, outbox& out);
  void ask_names(bool by_query, outbox& out);
  void on_names(const frame_view& from, const ruling& answer, outbox& out);
  void resume_named(outbox& out);
  void on_question_failed(const frame_view& from, std::string_view sqlstate, outbox& out);
  void note_made_names(const analysis_ptr& analysed);

  // guarded_rows.cpp: which rows statements read and write, and how writes are checked.
  [[nodiscard]] watch_ptr watch_for(const book_ptr& book, const analysis_ptr& analysed,
                                    const rules::statement& statement, const rules::plan& plan,
                                    const parameter_source& from, std::string_view trace,
                                    clock::time_point now);
  std::optional<refusal> settle_writes(watch& on, const parameter_source& from, outbox& out);
  void fail(watch& on);
  void end_turns_with(const watch& on, const watched_write& write);
  void remember_rows(const named_rows& rows);
  void remember_locks(const watch& on);
  void note_transaction_command(rules::block_effect effect);
  void forget_reads(outbox& out);
  [[nodiscard]] bool others_write(const watch* self) const;
  [[nodiscard]] bool must_await_outcome(const watch& on) const;
  void doubt_unseen(const rules::plan& plan, const rules::rule_book& book, std::string_view trace);

  // turns.cpp: waiting for others to write first.
  [[nodiscard]] turn_answer::type take_turns(const watch& on, outbox& out);
  [[nodiscard]] bool name_turns(const watch& on, const named_rows& rows);
  [[nodiscard]] turn_answer::type ask_turn(const rules::guarded_relation& of, const watch& on, outbox& out);
  [[nodiscard]] bool is_locked(const row_id& row) const;
  void on_turn_time(outbox& out);
  void stop_waiting(outbox& out);
  void leave_turns(outbox& out);
  void end_turns(outbox& out);
  [[nodiscard]] static refusal turn_deadlock(const watch& on);

  // told_rows.cpp: what answers put on record.
  void on_watched(const frame_view& from, const ruling& answer, outbox& out);
  void read_row(watch& on, const frame_view& from, outbox& out);
  void describe_result(watch& on, const frame_view& from);
  void complete(watch& on, const frame_view& from, outbox& out);
  void see_write(const watch& on, const watched_write& write, outbox& out);
  void on_command_tag(const frame_view& from, const ruling& answer, outbox& out);
  void end_transaction(bool committed, outbox& out);
  void note_conflict(const frame_view& from, const hidden_run& run, outbox& out);
  void note_deadlock(std::string_view sqlstate, outbox& out);
  void renew_reads(char status, outbox& out);

  // server_messages.cpp: what the server sends.
  void authenticate(const frame_view& from, outbox& out);
  void on_reply(const protocol::piece& from, outbox& out);
  void on_shared(const protocol::piece& from, const ruling& answer, outbox& out);
  void on_parameter(const frame_view& from);
  void on_ready(const frame_view& from, outbox& out);
  void on_server_error(const frame_view& from, const ruling& answer, outbox& out);
  void on_script_error(const frame_view& from, const ruling& answer, outbox& out);
  void on_hidden(const frame_view& from, const ruling& answer, outbox& out);
  void settle_note(const owed& entry, bool confirmed, std::size_t place = 0);
  void drop_skipped(outbox& out);
  void retry_held(outbox& out);
  void learn_shape(const frame_view& from);
  void note_lock_count(const frame_view& from, const ruling& answer);
  [[nodiscard]] sent_text sent_text_of(const hidden_run& run) const;

  // schema_changes.cpp
  void notice_schema_change(const frame_view& from);
  void tell_schema_change(outbox& out);

  plan_cache& cache_;
  neighbourhood& shared_;
  session_identity who_;
  std::optional<refusal> refused_;
  session_phase phase_ = session_phase::startup;
  hold hold_ = hold::none;
  bool draining_ = false;
  bool fatal_seen_ = false;  // the server has said why it ends the connection
  std::optional<clock::time_point> deadline_;

  std::string startup_;  // bytes received before the startup packet was complete; then what is to be sent
  bool tls_asked_ = false;
  bool gss_asked_ = false;
  tls_policy tls_ = tls_policy::disable;
  bool securing_ = false;           // the client has been told to begin its TLS handshake
  bool secured_ = false;            // it is done
  bool binding_ends_here_ = false;  // channel binding is to be taken out of the server's offer
  bool binding_taken_out_ = false;  // it was, and the client has not chosen yet
  std::string user_;
  std::string database_;
  std::string application_;
  cancel_key key_;
  rules::parse_settings reads_sql_;
  bool settings_doubted_ = false;   // something in flight may change them
  bool settings_seen_ = false;      // the session has changed them, so that a rollback may
  bool settings_prepared_ = false;  // a statement that does so is prepared
  bool utf8_ = true;

  std::shared_ptr<const rules::rule_set> rules_;     // null: no rule concerns this session
  std::shared_ptr<const rules::name_filter> named_;  // the tables of `rules_`, whomever they concern
  book_ptr book_;                                    // null: the catalog is not known yet
  book_ptr base_;                                    // the same, whatever search_path says
  book_ptr last_known_;                              // the last that was known
  std::vector<std::string> asked_names_;             // that the server is being asked about
  bool asking_names_ = false;
  bool waits_for_copy_ = false;   // hold::status, until it is known that no COPY FROM STDIN is running
  bool question_failed_ = false;  // with an error that was told to the client
  bool cancelled_ = false;        // the client has asked to cancel what the question is for
  bool names_fresh_ = false;      // nothing has run since the server told what they mean
  bool made_names_ = false;  // the session may have made relations of such names itself, also temporary ones
  bool copies_names_ = false;  // a SELECT INTO, or code, that does so is on its way
  std::chrono::milliseconds patience_{0};
  std::string held_;  // the message that is held back

  std::size_t kept_bytes_ = 0;  // of statements_ and portals_, and of what refers to them
  bool stalled_ = false;

  statement_memory spare_;
  protocol::framer from_client_;
  protocol::framer from_server_;
  bool swallow_client_ = false;  // the rest of a streamed message is dropped: it was refused
  verdict streaming_ = verdict::forward;
  block_tracker block_;
  reply_ledger ledger_;
  name_register<prepared_statement> statements_;
  name_register<portal, portal_ptr> portals_;
  flat_queue<std::shared_ptr<prepared_statement>> describes_;
  flat_queue<hidden_run> runs_;
  std::shared_ptr<prelude_names> prelude_names_ = std::make_shared<prelude_names>();
  flat_queue<watch_ptr> watches_;
  flat_queue<std::pair<rules::block_effect, std::string>> savepoints_;  // commands in flight
  flat_queue<script> scripts_;
  name_register<portal, portal_ptr>::batch batch_ = 0;
  bool hidden_left_over_ = false;  // a hidden statement failed: its name may still be taken on the server
  bool query_failed_ = false;      // the query in front has raised an error
  bool passes_raw_ = false;  // no rule, authenticated: the client's bytes are not even cut into messages
  raw_requests raw_;         // in those bytes
  bool ddl_named_guarded_ = false;  // what may be DDL, and may be running, has named a guarded table
  bool ddl_prepared_ = false;       // such a one may run again
  bool schema_changed_ = false;     // such DDL has run; its transaction has not ended
  bool has_named_ = false;          // the client has prepared statements under names of its own
  bool terminated_ = false;         // the client has sent Terminate

  row_memory memory_;
  std::vector<refused_write> refusals_;
  std::vector<row_id> granted_;  // correlate = "client": turns of the message that is being taken
  bool unsettled_ = false;       // what may move the records has been sent and not been answered
  bool resets_ = false;          // RESET ALL or DISCARD ALL has been prepared
  bool resets_again_ = false;    // under a name: it may run more than once
  bool in_census_ = false;
  bool unit_failed_ = false;  // the client was told to retry
  transaction_account account_;
  std::optional<turn_wait> waiting_;
  analysis_ptr not_all_locked_;              // a read whose prelude has found fewer rows than it names
  std::unique_ptr<statement_cache> cached_;  // null: statements are not kept prepared
  std::uint64_t bound_ = 0;     // number of the kept statement that was bound last, if it was one
  bool named_changes_ = false;  // a statement under a name of the client's may change what texts mean
  std::unique_ptr<commit_sharing> sharing_;  // null: no rule has group_commit
  bool has_turns_ = false;                   // turns were asked for: they are to be left
  // Changes when locks may end: the transaction, or a savepoint. No other session has the same: what was read
  // may be on record for several.
  std::uint64_t lock_epoch_ = (who_.id << 32U) + 1;
};

}  // namespace proxy::session
