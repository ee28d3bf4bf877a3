// A simple-protocol string with hidden statements put between the client's own, and the way back from its
// error positions. Works on text and plans only; the ledger hides the results, the session decides what is in
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/session/block_tracker.hpp"
#include "proxy/session/hidden_run.hpp"
#include "proxy/session/watch.hpp"

namespace proxy::session {

/// Why text and not a pipeline of hidden messages: in one string the hidden statement and the client's share
/// the implicit transaction, one ReadyForQuery ends both, and no extra message changes what Sync would skip.
struct script {
  std::string sql;
  std::vector<bool> hidden;                     // by statement of `sql`
  std::vector<std::optional<hidden_run>> runs;  // by statement of `sql`: those that may raise for us
  std::vector<watch_ptr> watches;          // by statement of `sql`: those that read or write guarded rows
  std::vector<rules::copied_text> copied;  // of the client's text into `sql`
  std::shared_ptr<const rules::analysis> kept;
};

/// Plans for the statements of a simple query, given where the transaction block stands when it begins.
struct chosen_plans {
  std::vector<const rules::plan*> plans;  // by statement
  bool wrapped = false;                   // some plan needs a hidden statement
};

[[nodiscard]] chosen_plans choose_plans(const rules::analysis& analysed, block_tracker at_start);

/// A query's statements as they are to run.
struct script_request {
  std::shared_ptr<const rules::analysis> analysed;
  std::shared_ptr<const rules::rule_book> book;
  chosen_plans chosen;
  std::vector<watch_ptr> watches;  // by statement of the client's
  std::string_view rest;           // of the client's string, behind what was analysed: a comment
  clock::time_point now;
  bool commits = false;  // the string may make something permanent
};

/// Builds the string that the server is sent. A statement that is refused is replaced by one that raises,
/// since nothing after it will run. Nothing if something on record cannot be written as a constant.
[[nodiscard]] std::optional<script> compose_script(script_request request);

/// The write of `watched` whose checks belong into this prelude of its plan, or null.
[[nodiscard]] const watched_write* write_of(const watch* watched, std::size_t prelude);

/// The prelude need not be sent: the session has nothing to put into it.
[[nodiscard]] bool is_idle(const rules::prelude& guard, const watched_write* write);

/// The plan has preludes that go before the client's Bind, or before its Execute.
[[nodiscard]] bool has_preludes(const rules::plan& plan, bool before_bind);

/// The plan that applies to one statement: what its place asks for, except that nothing can be locked in a
/// transaction that is READ ONLY.
[[nodiscard]] const rules::plan& plan_for(const rules::statement& statement, const block_tracker& at);

/// Maps a byte offset in built text back to the client's, if it was copied from there.
[[nodiscard]] std::optional<std::uint32_t> client_offset(const std::vector<rules::copied_text>& copied,
                                                         std::uint32_t offset);

/// The refusal that a rejecting plan stands for.
[[nodiscard]] refusal refusal_of(const rules::plan& rejecting, const rules::rule_book& book);

}  // namespace proxy::session
