#include "rules/changed_names.hpp"

#include <algorithm>

#include "rules/statement_context.hpp"

namespace rules {
namespace {

bool is_ddl(const touch& counted) {
  return counted.unguarded && counted.reason == unguarded_reason::ddl;
}

bool is_ddl(const rules::statement& planned) {
  const auto& touches = planned.in_block.touches;
  return std::any_of(touches.begin(), touches.end(), [](const touch& counted) { return is_ddl(counted); });
}

// A relation that stood before another goes; SET, RESET and DISCARD, also of a role ("$user" stands in
// search_path), the end of a SET LOCAL, and code.
bool may_change_path(const message* statement) {
  if (const auto* block = as<PgQuery__TransactionStmt>(statement)) {
    return block->kind != PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN &&
           block->kind != PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START &&
           block->kind != PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT &&
           block->kind != PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE;
  }
  if (as<PgQuery__DropStmt>(statement) != nullptr || as<PgQuery__RenameStmt>(statement) != nullptr ||
      as<PgQuery__AlterObjectSchemaStmt>(statement) != nullptr ||
      as<PgQuery__VariableSetStmt>(statement) != nullptr || as<PgQuery__DiscardStmt>(statement) != nullptr ||
      as<PgQuery__DoStmt>(statement) != nullptr || as<PgQuery__CallStmt>(statement) != nullptr ||
      as<PgQuery__ExecuteStmt>(statement) != nullptr) {
    return true;
  }
  bool calls = false;
  walk(statement, [&](const message* found) {
    calls = calls || as<PgQuery__FuncCall>(found) != nullptr;
    return !calls;
  });
  return calls;
}

}  // namespace

void changed_names::note(const message* statement, const rules::statement& planned) {
  path_ = path_ || may_change_path(statement);
  if (!is_ddl(planned)) return;
  for (const auto& counted : planned.in_block.touches) {
    if (is_ddl(counted) && std::find(rules_.begin(), rules_.end(), counted.rule) == rules_.end())
      rules_.push_back(counted.rule);
  }
  walk(statement, [&](const message* found) {
    if (const auto* named = as<PgQuery__RangeVar>(found)) names_.emplace_back(text_of(named->relname));
    return true;
  });
  if (const auto* renamed = as<PgQuery__RenameStmt>(statement))
    names_.emplace_back(text_of(renamed->newname));
}

// Rules whose table an unqualified name in it may mean, and another relation as well: one of the session's
// own, where PostgreSQL was asked for it.
std::vector<std::uint16_t> changed_names::named_ambiguously(const compiled_book& book,
                                                            const message* statement) {
  std::vector<std::uint16_t> found;
  if (book.ambiguous.empty() && book.meanings.empty()) return found;
  walk(statement, [&](const message* each) {
    const auto* named = as<PgQuery__RangeVar>(each);
    if (named == nullptr || !text_of(named->schemaname).empty()) return true;
    const auto name = text_of(named->relname);
    const bool asked = std::any_of(book.meanings.begin(), book.meanings.end(),
                                   [&](const auto& one) { return one.first == name; });
    if (!asked && !contains(book.ambiguous, name)) return true;
    for (std::size_t i = 0; i < book.rules.size(); ++i) {
      if (book.rules[i].table == name) found.push_back(static_cast<std::uint16_t>(i));
    }
    return true;
  });
  return found;
}

void changed_names::doubt(const compiled_book& book, const message* statement,
                          rules::statement& planned) const {
  if (is_ddl(planned)) return;
  std::vector<std::uint16_t> doubted =
      path_ ? named_ambiguously(book, statement) : std::vector<std::uint16_t>{};
  bool named = false;
  walk(statement, [&](const message* found) {
    const auto* relation = as<PgQuery__RangeVar>(found);
    named = named || (relation != nullptr && contains(names_, text_of(relation->relname)));
    return !named;
  });
  if (named) doubted.insert(doubted.end(), rules_.begin(), rules_.end());
  if (doubted.empty()) return;
  plan made;
  for (const auto rule : doubted)
    add_touch(made, unguarded(rule, statement_kind::other, unguarded_reason::opaque));
  settle(book, made);
  made.why += " An earlier statement of the string changes what its names mean.";
  planned.in_block = made;
  planned.autonomous = std::move(made);
}

}  // namespace rules
