// What every planner of one statement needs at hand: the rules, the text, the tokens, and where results go.
// Holds references only; owns nothing and decides nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/clauses.hpp"
#include "rules/compiled_book.hpp"
#include "rules/parse_tree.hpp"
#include "rules/plan.hpp"
#include "rules/scope.hpp"

namespace rules {

struct statement_context {
  const compiled_book& book;
  const token_text& text;
  token_range tokens;  // of this statement
};

/// A function that PostgreSQL may answer differently, or that does something, is called below `root`.
[[nodiscard]] bool calls_volatile(const compiled_book& book, const message* root);
[[nodiscard]] bool calls_volatile(const compiled_book& book, node* const* nodes, std::size_t count);

/// How a prelude names the guarded relation itself.
[[nodiscard]] std::string relation_sql(const PgQuery__RangeVar& named);

/// Adds a prelude and gives its index until settle(), which drops those that lock the same again.
std::int16_t add_prelude(plan& into, prelude made);

/// Counts one thing once.
void add_touch(plan& into, touch counted);
[[nodiscard]] touch unguarded(std::uint16_t rule, statement_kind kind, unguarded_reason reason);

/// Reads: every SELECT below `top` whose result reaches the client and holds a guarded column.
void plan_read(const statement_context& context, const PgQuery__SelectStmt& top, plan& in_block,
               plan& autonomous);

/// UPDATE of a guarded table. Both plans are alike.
void plan_update(const statement_context& context, const PgQuery__UpdateStmt& update, plan& both);

/// Whether its rule's group_commit applies to the UPDATE that `planned` is made for.
[[nodiscard]] bool may_share_commit(const statement_context& context, const PgQuery__UpdateStmt& update,
                                    const plan& planned);

/// DELETE from a guarded table. Both plans are alike.
void plan_delete(const statement_context& context, const PgQuery__DeleteStmt& removal, plan& both);

/// Any other statement, and what UPDATE and SELECT do to guarded tables on the side: counted, not guarded.
void plan_other(const statement_context& context, const message* statement, plan& both);

/// EXPLAIN with ANALYZE that is not switched off.
[[nodiscard]] bool explain_runs(const PgQuery__ExplainStmt& explained);

/// One of PostgreSQL's functions, or its extensions', that run SQL which they are given as text.
[[nodiscard]] bool runs_text(const PgQuery__FuncCall& call);

/// Code that the statement calls and that reaches guarded tables out of the parser's sight: functions whose
/// bodies name them, and functions that run the SQL they are given.
void plan_calls(const statement_context& context, const message* statement, plan& both);

/// The tokens of one statement of the string, without white space, comments and semicolons around it.
[[nodiscard]] token_range statement_tokens(const token_text& text, const PgQuery__RawStmt& raw);

/// One statement: its effect and both plans, modes and policies applied.
[[nodiscard]] statement plan_statement(const statement_context& context, const node* parsed);

/// The plan for text that cannot be analysed.
[[nodiscard]] plan opaque_plan(const compiled_book& book, std::string_view text, std::string why);

/// Applies `mode = "observe"` and `on_opaque = "reject"`, and settles the plan's kind.
void settle(const compiled_book& book, plan& made);

}  // namespace rules
