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
  forward,   // passes as it came
  lock,      // a prelude locks the rows
  check,     // a prelude locks the rows and checks the bounds
  validate,  // a prelude compares the rows with what was read
  rebase,    // the new value is put on the newest one
  reject,    // refused with 42501
  // mode = "observe": what would have been done.
  would_lock,
  would_check,
  would_validate,
  would_rebase,
  would_reject,
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
  blind,       // an absolute write with no read on record
  key_unread,  // a read whose result and predicate do not tell the rows' keys
  forgotten,   // a read that was dropped because a session's memory is bounded
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
  savepoint,         // SAVEPOINT name
  release,           // RELEASE [SAVEPOINT] name
  rollback_to,       // ROLLBACK TO [SAVEPOINT] name
};

/// Whether it begins with SELECT, INSERT, UPDATE or DELETE and a blank, as most do: then it does nothing to
/// the block. False says nothing.
[[nodiscard]] bool begins_with_plain_verb(std::string_view statement) noexcept;

/// Reads the effect off a single statement's first words. Linear in the leading words, no allocation.
[[nodiscard]] block_effect effect_of(std::string_view statement) noexcept;

/// The name in SAVEPOINT, RELEASE and ROLLBACK TO, as PostgreSQL stores it; empty for any other statement.
[[nodiscard]] std::string savepoint_name(std::string_view statement);

/// What a session puts into prepared text when the statement runs: what it has on record is not known before.
enum class hole_kind : std::uint8_t {
  checks,  // further branches of a CASE: " WHEN condition THEN expression of type int4", any number, also
           // none
  read,    // the recorded value of one guarded column, as an expression of that column's type, or NULL
};

struct hole {
  std::uint32_t offset = 0;  // into the text that it belongs to; ascending
  hole_kind kind = hole_kind::checks;
  std::uint16_t column = 0;  // read: index into guarded_relation::columns

  bool operator==(const hole&) const = default;
};

/// SQL cut where a statement's parameters stand in it.
struct sql_piece {
  enum class type : std::uint8_t {
    text,
    parameter,  // the client's $`number`
    previous,   // the guarded column itself: its value before
  };
  type kind = type::text;
  std::string text;
  std::uint16_t number = 0;

  bool operator==(const sql_piece&) const = default;
};
using sql_expression = std::vector<sql_piece>;

/// One value that a statement's text gives to a column by equality: a parameter or a constant.
struct pinned_column {
  std::int16_t column = 0;      // pg_attribute.attnum
  std::uint16_t parameter = 0;  // the client's $k; 0: `constant`
  std::string constant;         // without quotes and escapes

  bool operator==(const pinned_column&) const = default;
};

/// One row, or a few, as named by equality. With `by_key`, `columns` are those of the key, in its order, and
/// at most one row is meant; else all columns that are pinned, in the order of their numbers.
struct pinned_row {
  bool by_key = false;
  bool unique = false;  // at most one row is meant: the key or a unique index
  std::vector<pinned_column> columns;

  bool operator==(const pinned_row&) const = default;
};

/// The client is told guarded columns of a relation: what may be put on record.
struct read_note {
  std::uint16_t relation = 0;    // index into rule_book::relations()
  std::vector<pinned_row> rows;  // empty: any row; more than one for an IN list on a key of one column
  bool ambiguous =
      false;           // the relation stands in the query more than once: its columns cannot be told apart
  bool locks = false;  // the prelude locks exactly the rows that are returned

  bool operator==(const read_note&) const = default;
};

/// The new value of one guarded column.
struct assigned_value {
  std::uint16_t column = 0;  // index into guarded_relation::columns
  statement_kind kind = statement_kind::computed;
  sql_expression value;  // CAST(… AS the column's type); empty where it cannot be written (computed)

  bool operator==(const assigned_value&) const = default;
};

/// A stretch of a prelude that was copied from the client's text; maps error positions back. Offsets in
/// bytes.
struct copied_text {
  std::uint32_t prelude_offset = 0;
  std::uint32_t client_offset = 0;  // from the start of the whole SQL string
  std::uint32_t size = 0;

  bool operator==(const copied_text&) const = default;
};

/// One bound that a prelude checks; the raised marker carries its index.
struct bound_check {
  std::string column;
  bool is_min = true;
  std::string bound;  // decimal text

  bool operator==(const bound_check&) const = default;
};

/// Text of ours inside the client's statement.
struct insertion {
  std::uint32_t client_offset = 0;  // from the start of the whole SQL string: what follows is pushed back
  std::string text;
  std::vector<hole> holes{};  // of kind read

  bool operator==(const insertion&) const = default;
};

/// A statement assigns guarded columns of a relation, or removes its rows.
struct write_note {
  std::uint16_t relation = 0;  // index into rule_book::relations()
  statement_kind kind =
      statement_kind::computed;  // absolute before computed before relative; DELETE is absolute
  bool removes = false;          // DELETE
  bool compares = false;         // it compares a guarded or version column itself, so it is not validated
  bool every_row = false;        // `rows` name the rows written exactly: there is no further condition
  std::vector<pinned_row> rows;  // empty: any row
  std::vector<assigned_value> values;
  std::int16_t prelude = -1;  // index into plan::preludes of the one that has a hole for checks; -1: none
  // strategy = "escrow": balance = $1 becomes balance + ($1 - read) where the hole is filled, and stays
  // balance = $1 where it is NULL. The bounds that the statement must carry itself are in it. Empty: cannot
  // be rebased.
  std::vector<insertion> rebase;

  bool operator==(const write_note&) const = default;
};

/// A hidden statement that locks rows in key order and raises if a check fails.
struct prelude {
  std::uint16_t rule = 0;  // index into rule_book::rules()
  /// Sent only where the session has a check to put into it.
  bool only_with_checks = false;
  /// pgteller_w.pgteller_key0 is null only if no row has the key: the row that was read is gone.
  bool tells_gone = false;
  std::string schema;  // of the guarded table, for error fields
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
  /// Of `sql`. Branches put into a `checks` hole may use pgteller_w.pgteller_key<i> (columns of the key) and
  /// pgteller_w.pgteller_old<j> (guarded_relation::columns) of the locked row.
  std::vector<hole> holes;
  bool once = false;  // it looks for a row with the same key: its marker means 23505

  bool operator==(const prelude&) const = default;
};

/// One thing to count. A statement may touch several rules.
struct touch {
  std::uint16_t rule = 0;
  statement_kind kind = statement_kind::other;
  statement_action action = statement_action::forward;
  bool unguarded = false;
  unguarded_reason reason = unguarded_reason::opaque;  // where unguarded
  bool opaque = false;  // on_opaque applies, although its reason alone does not say so

  bool operator==(const touch&) const = default;
};

enum class plan_kind : std::uint8_t { forward, wrap, reject };

/// What happens to one statement under one transaction status.
struct plan {
  plan_kind kind = plan_kind::forward;
  std::vector<prelude> preludes;  // wrap: in the order they are sent
  std::vector<touch> touches;     // what is counted, whatever the kind
  std::vector<read_note> reads;
  std::vector<write_note> writes;
  /// Outside a transaction, its rule lets it share a commit with other sessions' writes of the same row,
  /// whose key it names; the same on any session with the same settings.
  bool shares_commit = false;
  std::string refusal;  // reject: the message; the rule is touches.front().rule
  std::string why;      // one sentence for `explain`

  bool operator==(const plan&) const = default;
};

/// One statement of a SQL string.
struct statement {
  std::uint32_t begin = 0;  // byte range in the string, without the semicolon
  std::uint32_t end = 0;
  block_effect effect = block_effect::none;
  std::uint16_t parameters = 0;  // the highest $k in it
  std::uint64_t shape = 0;  // the same for statements that differ in constants, comments and white space only
  plan in_block;            // inside a transaction block
  plan autonomous;  // outside one: the statement is its own transaction (or the string's implicit one)

  bool operator==(const statement&) const = default;
};

/// A whole SQL string, analysed. `exact` is false where the string could not be parsed; then it has one
/// statement that spans it.
struct analysis {
  std::string text;
  std::vector<statement> statements;
  bool exact = true;

  bool operator==(const analysis&) const = default;
};

/// What `explain` prints for a plan: stable text, one fact a line, golden-tested.
[[nodiscard]] std::string to_text(const plan&);

}  // namespace rules
