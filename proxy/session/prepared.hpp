// What a session remembers of the client's prepared statements and portals, where a rule or the transaction
// block is concerned. Plain values; the name registers hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/session/hidden_run.hpp"
#include "proxy/session/kept_preludes.hpp"
#include "proxy/session/reused.hpp"
#include "proxy/session/row_shape.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// Bytes that count towards a session's total for as long as this lives. The total must outlive it.
class kept_share {
 public:
  kept_share() = default;
  kept_share(const kept_share&) = delete;
  kept_share& operator=(const kept_share&) = delete;
  ~kept_share() { set(nullptr, 0); }

  void set(std::size_t* total, std::size_t bytes) noexcept {
    if (total_ != nullptr) *total_ -= bytes_;
    total_ = total;
    bytes_ = bytes;
    if (total_ != nullptr) *total_ += bytes_;
  }

 private:
  std::size_t* total_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A recorded value that a rebased statement is given.
struct own_parameter {
  std::uint16_t write = 0;   // index into plan::writes
  std::uint16_t column = 0;  // index into guarded_relation::columns
};

/// A prepared statement that touches a guarded table, or begins or ends a transaction block.
struct prepared_statement {
  std::shared_ptr<const rules::analysis> analysed;  // null: no rule is concerned
  std::shared_ptr<const rules::analysis> first;     // at its Parse; of it only the text is what it was
  std::shared_ptr<const rules::rule_book> book;     // under which it was analysed
  rules::parse_settings reads_sql;                  // as they were at its Parse
  rules::block_effect effect = rules::block_effect::none;
  bool commits_in_block = false;  // running it in a transaction block may make something permanent
  bool commits_outside = true;
  std::vector<std::uint32_t>
      types;  // of its parameters, as declared or as the server described them; 0 unknown

  std::optional<row_shape> shape;  // of its result, once it has been described; empty: it returns no rows
  std::shared_ptr<const result_readers> readers;  // of `shape`, as last used
  std::string description;                        // the RowDescription that told `shape`, unless it is long
  kept_share share;                               // of its text
  bool described = false;  // a Describe of it, or of a portal of it, is on its way or answered
  std::string trace;       // that its text names
  kept_preludes preludes;
  std::string savepoint;  // that it sets, releases or rolls back to

  // Where the statement carries text of ours: what the server was sent instead of the client's.
  // `carried.plan` is null where the text is the client's own.
  changed_text sent;
  hidden_run carried;
  std::uint16_t client_parameters = 0;        // behind them stand parameters of ours:
  std::vector<own_parameter> own_parameters;  // in the order of their numbers
  bool rebases = true;                        // false: what was sent is not what its rules ask for now

  [[nodiscard]] bool commits(bool in_block) const { return in_block ? commits_in_block : commits_outside; }
  /// A RowDescription: nearly always the one that is known, for many a driver asks each time.
  void learn_shape(std::string_view row_description);
  void returns_no_rows();
  /// 40001 where the text that the server knows lacks a check that only it can make, as its rules are now.
  [[nodiscard]] std::optional<refusal> lacks_check(const rules::plan& now) const;
  /// The one statement in it; null where no rule is concerned or it is empty.
  [[nodiscard]] const rules::statement* guarded() const {
    return analysed && !analysed->statements.empty() ? &analysed->statements.front() : nullptr;
  }
};

struct watch;

/// A portal of such a statement.
struct portal {
  std::shared_ptr<prepared_statement> statement;
  // Body of the Bind, kept where a hidden statement before Execute needs its parameters, until then.
  std::string bind;
  kept_share share;                   // of it
  reuse_pool<watch>::handle watched;  // what it reads and writes; null where it is neither
  bool executed = false;              // a second Execute only fetches more of the same result

  /// For reuse_pool.
  [[nodiscard]] bool let_go() noexcept;
};
using portal_pool = reuse_pool<portal>;
using portal_ptr = portal_pool::handle;

}  // namespace proxy::session
