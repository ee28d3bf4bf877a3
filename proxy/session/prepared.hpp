// What a session remembers of the client's prepared statements and portals, where a rule or the transaction
// block is concerned. Plain values; the name registers hold them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/session/hidden_run.hpp"
#include "proxy/session/row_shape.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// A recorded value that a rebased statement is given.
struct own_parameter {
  std::uint16_t write = 0;   // index into plan::writes
  std::uint16_t column = 0;  // index into guarded_relation::columns
};

/// A prepared statement that touches a guarded table, or begins or ends a transaction block.
struct prepared_statement {
  std::shared_ptr<const rules::analysis> analysed;  // null: no rule is concerned
  std::shared_ptr<const rules::rule_book> book;     // under which it was analysed
  rules::block_effect effect = rules::block_effect::none;
  std::vector<std::uint32_t>
      types;  // of its parameters, as declared or as the server described them; 0 unknown

  std::optional<row_shape> shape;  // of its result, once it has been described; empty: it returns no rows
  bool described = false;          // a Describe of it, or of a portal of it, is on its way or answered
  std::string trace;               // that its text names
  std::string savepoint;           // that it sets, releases or rolls back to

  // Where the statement carries text of ours: what the server was sent instead of the client's.
  // `carried.plan` is null where the text is the client's own.
  changed_text sent;
  hidden_run carried;
  std::uint16_t client_parameters = 0;        // behind them stand parameters of ours:
  std::vector<own_parameter> own_parameters;  // in the order of their numbers

  /// The one statement in it; null where no rule is concerned or it is empty.
  [[nodiscard]] const rules::statement* guarded() const {
    return analysed && !analysed->statements.empty() ? &analysed->statements.front() : nullptr;
  }
};

struct watch;

/// A portal of such a statement.
struct portal {
  std::shared_ptr<prepared_statement> statement;
  std::string bind;  // body of the Bind, kept where a hidden statement before Execute needs its parameters
  std::shared_ptr<watch> watched;  // what it reads and writes; null where it is neither
  bool executed = false;           // a second Execute only fetches more of the same result
};

}  // namespace proxy::session
