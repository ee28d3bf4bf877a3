// What a session remembers of the client's prepared statements and portals, where a rule or the transaction
// block is concerned. Plain values; the name registers hold them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/session/hidden_run.hpp"
#include "proxy/session/script.hpp"

namespace proxy::session {

/// A prepared statement that touches a guarded table, or begins or ends a transaction block.
struct prepared_statement {
  std::shared_ptr<const rules::analysis> analysed;  // null: no rule is concerned
  std::shared_ptr<const rules::rule_book> book;     // under which it was analysed
  rules::block_effect effect = rules::block_effect::none;
  std::vector<std::uint32_t>
      types;  // of its parameters, as declared or as the server described them; 0 unknown

  // Where the statement carries checks of ours: what the server was sent instead of the client's text, and
  // the prelude whose checks they are. `carried.guard` is null where the text is the client's own.
  changed_text sent;
  hidden_run carried;

  /// The one statement in it; null where no rule is concerned or it is empty.
  [[nodiscard]] const rules::statement* guarded() const {
    return analysed && !analysed->statements.empty() ? &analysed->statements.front() : nullptr;
  }
};

/// A portal of such a statement.
struct portal {
  std::shared_ptr<prepared_statement> statement;
  std::string bind;  // body of the Bind, kept where a hidden statement before Execute needs its parameters
  bool executed = false;  // a second Execute only fetches more of the same result
};

}  // namespace proxy::session
