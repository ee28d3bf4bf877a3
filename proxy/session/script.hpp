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

namespace proxy::session {

/// Why text and not a pipeline of hidden messages: in one string the hidden statement and the client's share
/// the implicit transaction, one ReadyForQuery ends both, and no extra message changes what Sync would skip.
struct script {
  std::string sql;
  std::vector<bool> hidden;                     // by statement of `sql`
  std::vector<std::optional<hidden_run>> runs;  // by statement of `sql`: those that may raise for us
  std::vector<rules::copied_text> copied;       // of the client's text into `sql`
  std::shared_ptr<const rules::analysis> kept;
};

/// Client's text with insertions of ours in it, and where it went.
struct changed_text {
  std::string sql;
  std::vector<rules::copied_text> copied;
  std::vector<std::uint32_t> placed;  // where each insertion begins in `sql`
};

/// The client's SQL string as the server is to see it; `insertions` in the order of their offsets.
[[nodiscard]] changed_text insert_into(std::string_view client_sql,
                                       const std::vector<rules::insertion>& insertions);

/// The prelude of `plan` whose checks the client's statement carries itself, or null.
[[nodiscard]] const rules::prelude* carried_by(const rules::plan& plan);

/// Plans for the statements of a simple query, given where the transaction block stands when it begins.
struct chosen_plans {
  std::vector<const rules::plan*> plans;  // by statement
  bool wrapped = false;                   // some plan needs a hidden statement
};

[[nodiscard]] chosen_plans choose_plans(const rules::analysis& analysed, block_tracker at_start);

/// Builds the string that the server is sent. A statement that is refused is replaced by one that raises,
/// since nothing after it will run.
[[nodiscard]] script compose_script(std::shared_ptr<const rules::analysis> analysed,
                                    std::shared_ptr<const rules::rule_book> book, const chosen_plans& chosen,
                                    clock::time_point now);

/// The plan that applies to one statement: what its place asks for, except that nothing can be locked in a
/// transaction that is READ ONLY.
[[nodiscard]] const rules::plan& plan_for(const rules::statement& statement, const block_tracker& at);

/// Maps a byte offset in built text back to the client's, if it was copied from there.
[[nodiscard]] std::optional<std::uint32_t> client_offset(const std::vector<rules::copied_text>& copied,
                                                         std::uint32_t offset);

/// The refusal that a rejecting plan stands for.
[[nodiscard]] refusal refusal_of(const rules::plan& rejecting, const rules::rule_book& book);

}  // namespace proxy::session
