// The outcome of matching one SQL string against the rules: for each statement in it, what is to happen.
// Plain values, independent of protocol and transport; proxy/session turns them into messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

/// How a statement touches a guarded column; the `kind` label of statements_total.
enum class statement_kind : std::uint8_t {
  read,      // returns a guarded column
  relative,  // balance = balance ± e
  absolute,  // the value comes from the client
  computed,  // any other expression the database evaluates
  other,     // touches the table in a shape that no rule guards (see unguarded_reason)
};

/// The `action` label of statements_total.
enum class statement_action : std::uint8_t {
  forward,  // passes as it came
  lock,     // a prelude locks the rows
  check,    // a prelude locks the rows and checks the bounds
  observe,  // would have been locked or checked; mode = "observe"
  reject,   // refused with 42501
};

/// Why a statement that reaches a guarded table is not guarded; the `reason` label of unguarded_total.
enum class unguarded_reason : std::uint8_t {
  insert,      // INSERT, with or without ON CONFLICT
  delete_,     // DELETE
  merge,       // MERGE
  cte,         // WITH in front of a statement that writes the table
  copy,        // COPY to or from
  truncate,    // TRUNCATE
  cursor,      // DECLARE, FETCH, MOVE, WHERE CURRENT OF
  prepare,     // SQL-level PREPARE or EXECUTE
  view,        // a view, partition, parent or child
  wide_read,   // a read that lock_reads does not lock
  shape,       // a SELECT or UPDATE whose rows a prelude cannot name
  expression,  // a new value that the database may compute differently when it runs again
  ddl,         // CREATE TABLE AS, SELECT INTO, ALTER, ...
  opaque,      // does not parse, is too long, or may differ from what the server parses
  privilege,   // the role may not lock rows
};

[[nodiscard]] std::string_view name(statement_kind) noexcept;
[[nodiscard]] std::string_view name(statement_action) noexcept;
[[nodiscard]] std::string_view name(unguarded_reason) noexcept;

/// What running a statement does to the transaction block, as far as its first words tell.
enum class block_effect : std::uint8_t {
  none,
  begin,             // BEGIN, START TRANSACTION
  begin_read_only,   // the same, READ ONLY
  begin_read_write,  // the same, READ WRITE
  end,               // COMMIT, END, ROLLBACK, ABORT, PREPARE TRANSACTION
  chain,             // COMMIT or ROLLBACK AND CHAIN: the block goes on
  set_read_only,     // SET TRANSACTION READ ONLY
  set_read_write,    // SET TRANSACTION READ WRITE
};

/// Reads the effect off a single statement's first words. Linear in the leading words, no allocation.
[[nodiscard]] block_effect effect_of(std::string_view statement) noexcept;

/// A stretch of a prelude that was copied from the client's text; maps error positions back. Offsets in
/// bytes.
struct copied_text {
  std::uint32_t prelude_offset = 0;
  std::uint32_t client_offset = 0;  // from the start of the whole SQL string
  std::uint32_t size = 0;
};

/// One bound that a prelude checks; the raised marker carries its index.
struct bound_check {
  std::string column;
  bool is_min = true;
  std::string bound;  // decimal text
};

/// Text of ours inside the client's statement.
struct insertion {
  std::uint32_t client_offset = 0;  // from the start of the whole SQL string: what follows is pushed back
  std::string text;
};

/// A hidden statement that locks rows in key order and raises if a check fails.
struct prelude {
  std::uint16_t rule = 0;  // index into rule_book::rules()
  std::string schema;      // of the guarded table, for error fields
  std::string table;
  std::string sql;                        // parameters renumbered $1..$n in order of `parameters`
  std::vector<std::uint16_t> parameters;  // client's parameter number ($k) behind each of ours, 1-based
  std::vector<copied_text> copied;
  std::vector<bound_check> checks;
  // Where the rows are not pinned by the key, one may come to match between the prelude and the statement:
  // the statement then checks its new values itself, and raises the same marker. In the order of their
  // offsets.
  std::vector<insertion> insertions;
  bool before_bind = false;  // a read: its lock must precede the snapshot that Bind takes
};

/// One thing to count. A statement may touch several rules.
struct touch {
  std::uint16_t rule = 0;
  statement_kind kind = statement_kind::other;
  statement_action action = statement_action::forward;
  bool unguarded = false;
  unguarded_reason reason = unguarded_reason::opaque;  // where unguarded
};

enum class plan_kind : std::uint8_t { forward, wrap, reject };

/// What happens to one statement under one transaction status.
struct plan {
  plan_kind kind = plan_kind::forward;
  std::vector<prelude> preludes;  // wrap: in the order they are sent
  std::vector<touch> touches;     // what is counted, whatever the kind
  std::string refusal;            // reject: the message; the rule is touches.front().rule
  std::string why;                // one sentence for `explain`
};

/// One statement of a SQL string.
struct statement {
  std::uint32_t begin = 0;  // byte range in the string, without the semicolon
  std::uint32_t end = 0;
  block_effect effect = block_effect::none;
  plan in_block;    // inside a transaction block
  plan autonomous;  // outside one: the statement is its own transaction (or the string's implicit one)
};

/// A whole SQL string, analysed. `exact` is false where the string could not be parsed; then it has one
/// statement that spans it.
struct analysis {
  std::string text;
  std::vector<statement> statements;
  bool exact = true;
};

/// What `explain` prints for a plan: stable text, one fact a line, golden-tested.
[[nodiscard]] std::string to_text(const plan&);

}  // namespace rules
