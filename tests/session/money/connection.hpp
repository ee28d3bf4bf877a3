// One connection of the model of PostgreSQL: the simple and the extended protocol, transaction states,
// implicit transactions up to Sync, statements that wait for row locks. Knows nothing of who is at its other
// end.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/framer.hpp"
#include "tests/session/money/database.hpp"
#include "tests/session/money/statement.hpp"

namespace money {

using time_point = std::chrono::steady_clock::time_point;

class connection {
 public:
  /// `decimals`: 2 for numeric(12,2), 0 for integer. `greets`: a startup packet comes first.
  connection(database& of, std::uint64_t id, int decimals, bool greets);

  void receive(std::string_view bytes);
  /// No more bytes will come: what has come runs, then the connection ends.
  void end_of_input() { ended_ = true; }
  void cancel();

  [[nodiscard]] bool can_step(time_point now) const;
  /// Does one piece of work: a message, a statement of a string, or another try to get a lock.
  void step(time_point now);
  /// Everything has run that has come; an open transaction is rolled back.
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] std::optional<time_point> deadline() const;
  [[nodiscard]] bool waits() const { return waits_for_ != nullptr; }
  [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }
  /// Transactions that were committed and had written something.
  [[nodiscard]] std::uint64_t write_commits() const { return write_commits_; }
  [[nodiscard]] bool in_transaction() const { return transaction_ != nullptr; }

 private:
  struct prepared {
    std::shared_ptr<const statement> what;
  };
  struct portal {
    std::shared_ptr<const statement> what;
    std::vector<std::optional<std::string>> parameters;
    std::vector<std::int64_t> candidates;          // by the snapshot
    std::vector<std::vector<std::string>> result;  // of a read without locks
    bool scanned = false;
  };
  struct running {
    portal run;
    bool simple = false;
    std::size_t next = 0;
    std::size_t written = 0;
    std::int64_t count = 0;
    bool any = false;
    time_point since{};
  };

  // connection.cpp: messages.
  void take(const protocol::frame_view& from, time_point now);
  void greet(std::string_view& bytes);
  void parse(std::string_view body);
  void bind(std::string_view body);
  void describe(std::string_view body);
  void execute(std::string_view body, time_point now);
  void close(std::string_view body);
  void next_of_script(time_point now);
  void end_of_script();
  void ready();
  void fail(const sql_error& what);
  void describe_rows(const statement& of);

  // execution.cpp: statements.
  [[nodiscard]] bool is_refused(const statement& what) const;
  void begin_running(portal run, bool simple, time_point now);
  void proceed(time_point now);
  void run_command(const statement& what);
  [[nodiscard]] bool run_on_rows();
  void scan(portal& into);
  void visit(std::int64_t id);
  void count_row(const surroundings& of);
  void complete_rows();
  void complete(std::string_view command_tag);
  void end_transaction(bool committing);
  [[nodiscard]] surroundings columns_of(std::int64_t id, const std::optional<wallet>& what) const;
  [[nodiscard]] bool matches(const portal& of, std::int64_t id, const std::optional<wallet>& what) const;
  [[nodiscard]] std::vector<std::string> result_of(const statement& of, std::int64_t id,
                                                   const wallet& what) const;
  [[nodiscard]] bool is_deadlocked() const;
  [[nodiscard]] bool is_late(time_point now) const;

  void tell(std::string_view outcome);

  database& of_;
  std::uint64_t id_;
  int decimals_;
  bool greets_;
  bool ended_ = false;
  bool finished_ = false;
  protocol::framer framer_;
  std::string startup_;
  std::deque<std::string> messages_;
  std::string output_;
  std::map<std::string, prepared, std::less<>> statements_;
  std::map<std::string, portal, std::less<>> portals_;
  std::unique_ptr<transaction> transaction_;
  bool block_ = false;   // BEGIN was said
  bool failed_ = false;  // in a block
  bool skipping_ = false;
  std::deque<std::string> script_;
  bool in_script_ = false;
  std::optional<running> running_;
  const row* waits_for_ = nullptr;
  bool cancelled_ = false;
  std::uint64_t write_commits_ = 0;
};

}  // namespace money
