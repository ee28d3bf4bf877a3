// What one session was told of guarded rows and has done to them, and so what a write of its may rest on.
// Decides how each write is to be checked; knows no messages, and sends nothing itself.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/neighbourhood.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/row_shape.hpp"
#include "proxy/session/statement_rows.hpp"
#include "proxy/session/write_journal.hpp"
#include "rules/plan.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// When and on whose behalf a statement runs.
struct occasion {
  clock::time_point now;
  std::uint64_t lock = 0;   // rows locked now stay so while this number does; 0: no transaction block
  std::string_view trace;   // correlate = "trace": what the statement's comment says
  std::uint64_t shape = 0;  // rules::statement::shape
  /// Nothing is in flight, or stands before it in the same string, that may yet move what is on record.
  bool settled = true;
};

struct write_decision {
  enum class type : std::uint8_t {
    pass,      // nothing beyond what the plan says
    validate,  // `checks` go into the prelude
    rebase,    // `read` goes into the statement
    refuse,    // on_blind_write = "reject"
    outdated,  // rows were read when the rules of its table were others: 40001
  };
  type what = type::pass;
  bool blind = false;
  sql_value checks;
  std::vector<std::optional<bound_value>> read;  // by guarded_relation::columns
  std::vector<row_id> found_as;                  // rows, as the reads that it rests on named them
  std::vector<std::uint64_t> shapes;             // of the reads that it rests on
  std::optional<clock::time_point> read_at;      // of the oldest of them
};

class row_memory {
 public:
  using moved = write_journal::moved;

  explicit row_memory(neighbourhood& shared, session_id who) : shared_(shared), who_(who) {}

  /// Known from startup. `client`: what stands for the application's whole pool.
  void belongs_to(std::string_view database, std::string_view client);

  /// A row was told to the client. `named`: the rows that the statement named. Counts what cannot be
  /// recorded.
  void told(const rules::rule_book& book, const rules::read_note& note, const named_rows& named,
            const told_row& row, const occasion& when, outbox& out);
  /// A read by key has found no row. Its record ends if the next read was to count, else the reads differ.
  void not_there(const rules::rule_book& book, const rules::read_note& note, const named_row& row,
                 const occasion& when);
  /// What a write returned is its writer's new record.
  void returned(const rules::rule_book& book, const rules::write_note& note, const named_rows& named,
                const told_row& row, const occasion& when);

  /// `guard`: the prelude that can carry checks, or null.
  [[nodiscard]] write_decision decide(const rules::rule_book& book, const rules::write_note& note,
                                      const rules::prelude* guard, const named_rows& named,
                                      const occasion& when);

  /// The write is being sent: what is on record moves with it.
  [[nodiscard]] std::vector<moved> move(const rules::rule_book& book, const rules::write_note& note,
                                        const named_rows& named, const parameter_source& from,
                                        const occasion& when, write_decision::type decided);
  /// It has failed, was skipped, or met no row.
  void undo(const std::vector<moved>& movements);
  /// It has met some of the rows that it names, not all.
  void doubt(const std::vector<moved>& movements);
  /// Rows of this table may have been written by what is not looked at; 0: of any. `trace`: what it names.
  void doubt(std::uint32_t table, std::string_view trace = {});
  /// It has run.
  void keep(std::vector<moved> movements);

  /// The unit of work has failed: its client is to begin anew, with reads that count as the first.
  void renew() { own_.renew(); }
  /// The same for a row whose reads belong to a client or a trace. `key`: as the error tells it. `again`:
  /// this was said before, at the error itself.
  void refused(const rules::rule_book& book, std::uint16_t relation, std::string_view key,
               const std::vector<row_id>& named, const occasion& when, bool again);

  void ran(rules::block_effect savepoint_command, std::string_view name);
  void committed() {
    journal_.committed_all();
    written_.clear();
  }
  void rolled_back();
  /// DISCARD ALL, RESET ALL: another user of the connection comes.
  void forget();

  /// Who holds turns and records under this rule: this session, its client or a trace.
  [[nodiscard]] std::uint64_t turn_owner(const rules::rule& rule, std::string_view trace) const;
  [[nodiscard]] const std::string& database() const noexcept { return database_; }
  [[nodiscard]] const std::string& client() const noexcept { return client_; }
  [[nodiscard]] session_id who() const noexcept { return who_; }
  /// Nothing is on record that a rollback could move.
  [[nodiscard]] bool settled() const noexcept { return journal_.empty(); }

 private:
  /// What the owner begins with that stands for a client.
  static constexpr std::string_view of_client = "c/";
  [[nodiscard]] std::string owner_of_trace(std::string_view trace) const;
  /// Empty: the session itself.
  [[nodiscard]] std::string owner_of(const rules::rule& rule, std::string_view trace) const;
  template <class What>
  auto with(std::string_view owner, What&& what) {
    if (owner.empty()) return std::forward<What>(what)(own_);
    return shared_.reads.with(owner, std::forward<What>(what));
  }
  [[nodiscard]] bool may_rest_on_outdated(const rules::rule_book& book,
                                          const rules::guarded_relation& relation, const named_rows& named,
                                          const occasion& when);
  /// `exact`: nothing else can have been undone with it.
  void undo_one(const moved& movement, bool exact);
  static std::optional<moved> move_one(recorded_reads& reads, const rules::write_note& note,
                                       const row_id& row, recorded_read record, const parameter_source& from,
                                       const occasion& when, bool certain, bool held);
  static std::optional<moved> take_one(recorded_reads& reads, const rules::write_note& note,
                                       const row_id& row, const recorded_read& record, const occasion& when);
  void journal(moved movement);
  void bound_journal();
  /// A row that was told: which it is, and as what it is on record.
  struct identity {
    reused_list<std::string> key;
    row_id record;             // begins with the row's own
    std::size_t row_size = 0;  // of that

    [[nodiscard]] row_id row() const { return record.substr(0, row_size); }
  };
  bool identify(const rules::guarded_relation& relation, const named_rows& named, const told_row& row);
  void complete(recorded_read& record, const rules::guarded_relation& relation, const told_row& row) const;
  std::vector<recorded_read> on_record(const rules::rule_book& book, const rules::write_note& note,
                                       const named_rows& named, const occasion& when);
  bool try_rebase(const rules::rule_book& book, const rules::write_note& note, const named_rows& named,
                  const recorded_read& record, const occasion& when, write_decision& decision) const;

  neighbourhood& shared_;
  session_id who_;
  std::string database_;
  std::string client_;
  std::string pool_;        // the owner that stands for the client
  std::string last_trace_;  // the owner that stands for the trace of its last read; empty: none
  identity told_;           // the row that is being told
  recorded_reads own_;
  write_journal journal_;
  std::vector<std::string_view> current_;  // as what rows of one table are recorded now
  std::set<row_id> written_;               // records of rows that the transaction has written
};

}  // namespace proxy::session
