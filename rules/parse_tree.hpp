// libpg_query's tree of one SQL string: its ownership, typed access to nodes, and a walk over any part of it.
// Draws no conclusion from what it shows; only analysis code inside rules/ includes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <pg_query/pg_query.pb-c.h>

namespace rules {

using message = ProtobufCMessage;
using node = PgQuery__Node;

/// Which descriptor a struct of pg_query.pb-c.h belongs to.
template <class T>
struct descriptor_of;

#define PGTELLER_NODE(type, descriptor)                                                               \
  template <>                                                                                         \
  struct descriptor_of<PgQuery__##type> {                                                             \
    static constexpr const ProtobufCMessageDescriptor* value = &pg_query__##descriptor##__descriptor; \
  }
PGTELLER_NODE(AArrayExpr, a__array_expr);
PGTELLER_NODE(AConst, a__const);
PGTELLER_NODE(AExpr, a__expr);
PGTELLER_NODE(AIndirection, a__indirection);
PGTELLER_NODE(AStar, a__star);
PGTELLER_NODE(Alias, alias);
PGTELLER_NODE(AlterOwnerStmt, alter_owner_stmt);
PGTELLER_NODE(BoolExpr, bool_expr);
PGTELLER_NODE(CallStmt, call_stmt);
PGTELLER_NODE(CaseExpr, case_expr);
PGTELLER_NODE(CaseWhen, case_when);
PGTELLER_NODE(ClusterStmt, cluster_stmt);
PGTELLER_NODE(CoalesceExpr, coalesce_expr);
PGTELLER_NODE(ColumnRef, column_ref);
PGTELLER_NODE(CommentStmt, comment_stmt);
PGTELLER_NODE(CommonTableExpr, common_table_expr);
PGTELLER_NODE(CopyStmt, copy_stmt);
PGTELLER_NODE(CreateFunctionStmt, create_function_stmt);
PGTELLER_NODE(CreateStatsStmt, create_stats_stmt);
PGTELLER_NODE(CreateTableAsStmt, create_table_as_stmt);
PGTELLER_NODE(CurrentOfExpr, current_of_expr);
PGTELLER_NODE(DeclareCursorStmt, declare_cursor_stmt);
PGTELLER_NODE(DefElem, def_elem);
PGTELLER_NODE(DeleteStmt, delete_stmt);
PGTELLER_NODE(DiscardStmt, discard_stmt);
PGTELLER_NODE(DoStmt, do_stmt);
PGTELLER_NODE(DropStmt, drop_stmt);
PGTELLER_NODE(ExecuteStmt, execute_stmt);
PGTELLER_NODE(ExplainStmt, explain_stmt);
PGTELLER_NODE(FuncCall, func_call);
PGTELLER_NODE(GrantStmt, grant_stmt);
PGTELLER_NODE(IndexElem, index_elem);
PGTELLER_NODE(IndexStmt, index_stmt);
PGTELLER_NODE(InsertStmt, insert_stmt);
PGTELLER_NODE(Integer, integer);
PGTELLER_NODE(JoinExpr, join_expr);
PGTELLER_NODE(List, list);
PGTELLER_NODE(LockStmt, lock_stmt);
PGTELLER_NODE(LockingClause, locking_clause);
PGTELLER_NODE(MergeStmt, merge_stmt);
PGTELLER_NODE(MergeWhenClause, merge_when_clause);
PGTELLER_NODE(MinMaxExpr, min_max_expr);
PGTELLER_NODE(MultiAssignRef, multi_assign_ref);
PGTELLER_NODE(Node, node);
PGTELLER_NODE(NullTest, null_test);
PGTELLER_NODE(ParamRef, param_ref);
PGTELLER_NODE(PrepareStmt, prepare_stmt);
PGTELLER_NODE(RangeFunction, range_function);
PGTELLER_NODE(RangeSubselect, range_subselect);
PGTELLER_NODE(RangeTableSample, range_table_sample);
PGTELLER_NODE(RangeVar, range_var);
PGTELLER_NODE(RefreshMatViewStmt, refresh_mat_view_stmt);
PGTELLER_NODE(ReindexStmt, reindex_stmt);
PGTELLER_NODE(RenameStmt, rename_stmt);
PGTELLER_NODE(AlterObjectSchemaStmt, alter_object_schema_stmt);
PGTELLER_NODE(ResTarget, res_target);
PGTELLER_NODE(RowExpr, row_expr);
PGTELLER_NODE(SQLValueFunction, sqlvalue_function);
PGTELLER_NODE(SelectStmt, select_stmt);
PGTELLER_NODE(SetToDefault, set_to_default);
PGTELLER_NODE(SortBy, sort_by);
PGTELLER_NODE(String, string);
PGTELLER_NODE(SubLink, sub_link);
PGTELLER_NODE(TransactionStmt, transaction_stmt);
PGTELLER_NODE(TruncateStmt, truncate_stmt);
PGTELLER_NODE(TypeCast, type_cast);
PGTELLER_NODE(TypeName, type_name);
PGTELLER_NODE(UpdateStmt, update_stmt);
PGTELLER_NODE(VacuumStmt, vacuum_stmt);
PGTELLER_NODE(VariableSetStmt, variable_set_stmt);
PGTELLER_NODE(WithClause, with_clause);
#undef PGTELLER_NODE

/// The message inside a Node wrapper, or null.
[[nodiscard]] const message* content(const node* wrapper) noexcept;

/// `found` as a T, or null if it is something else.
template <class T>
[[nodiscard]] const T* as(const message* found) noexcept {
  if (found == nullptr || found->descriptor != descriptor_of<T>::value) return nullptr;
  return reinterpret_cast<const T*>(found);
}

template <class T>
[[nodiscard]] const T* as(const node* wrapper) noexcept {
  return as<T>(content(wrapper));
}

template <class T>
[[nodiscard]] const message* base_of(const T* typed) noexcept {
  return typed == nullptr ? nullptr : &typed->base;
}

/// The text of a String node, or an empty view.
[[nodiscard]] std::string_view string_of(const node* wrapper) noexcept;

/// A C string of the tree; null is empty.
[[nodiscard]] inline std::string_view text_of(const char* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

/// The source location that a node carries itself, or nothing.
[[nodiscard]] std::optional<std::uint32_t> location_of(const message* found) noexcept;

namespace detail {
using visitor = bool (*)(void* context, const message*);
void walk(const message* root, visitor visit, void* context);
}  // namespace detail

/// Visits `root` and everything below it, parents first. `visit(const message*)` returns whether to go
/// deeper. Null roots are nothing. Wrapper nodes are passed through, not visited.
template <class Visit>
void walk(const message* root, Visit&& visit) {
  detail::walk(
      root,
      [](void* context, const message* found) {
        return (*static_cast<std::remove_reference_t<Visit>*>(context))(found);
      },
      &visit);
}

template <class Visit>
void walk(const node* root, Visit&& visit) {
  walk(content(root), visit);
}

/// Visits each of a repeated field's nodes.
template <class Visit>
void walk_all(node* const* nodes, std::size_t count, Visit&& visit) {
  for (std::size_t i = 0; i < count; ++i) walk(content(nodes[i]), visit);
}

/// The parsed string. Parsing needs a stack in proportion to nesting: check nesting_of() first.
class parse_tree {
 public:
  /// Nothing if PostgreSQL 15's grammar does not accept the text. Thread-safe.
  [[nodiscard]] static std::optional<parse_tree> parse(const std::string& text);

  [[nodiscard]] const PgQuery__ParseResult& root() const noexcept { return *root_; }

 private:
  struct release {
    void operator()(PgQuery__ParseResult* root) const noexcept;
  };
  std::unique_ptr<PgQuery__ParseResult, release> root_;
};

}  // namespace rules
