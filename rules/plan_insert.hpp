// Plans for statements that add rows: INSERT under a rule with bounds, and every way to a key of a [[once]].
// Adds preludes and touches to a plan; modes, policies and the plan's kind are settled elsewhere.
#pragma once

#include "rules/statement_context.hpp"

namespace rules {

/// INSERT into a guarded table: the new values' bounds. Both plans are alike.
void plan_insert(const statement_context& context, const PgQuery__InsertStmt& insert, plan& both);

/// What any statement does to the keys of tables under [[once]].
void plan_once(const statement_context& context, const message* statement, plan& both);

}  // namespace rules
