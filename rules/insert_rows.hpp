// The rows that an INSERT puts into a table, as far as its text tells them, and how a hidden statement can
// name the same rows. Decides nothing: what must hold for the values comes from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/statement_context.hpp"

namespace rules {

/// How far a hidden statement can know the value that the INSERT will store.
enum class known_value : std::uint8_t {
  exactly,   // it is the same however often it is computed in one transaction
  probably,  // it is read from tables, or by functions: another transaction's commit may change it in between
  no,        // the column's default, a volatile function, or text that cannot be taken apart
};

class insert_rows {
 public:
  /// `into` tells the columns' order where the statement has no list of them. References are kept.
  insert_rows(const statement_context& context, const PgQuery__InsertStmt& insert, const table& into);

  /// Rows of VALUES; 1 for a query.
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool is_query() const noexcept { return select_ != nullptr && select_->n_values_lists == 0; }

  [[nodiscard]] known_value knows(std::size_t row, std::string_view column) const;

  /// The column takes its default: the statement gives it no value.
  [[nodiscard]] bool leaves_out(std::size_t row, std::string_view column) const;

  /// Adds to `sql` a relation for a FROM clause, `name`(`name`0, `name`1, …): the values of `columns`, each
  /// CAST to its type, one row for each of `rows`. A value that is not known is NULL. `always`: a query
  /// without FROM gives its row whatever its WHERE says.
  void append_relation(prelude& into, const std::vector<const column*>& columns,
                       const std::vector<std::size_t>& rows, std::string_view name, bool always) const;

 private:
  void find_text(const PgQuery__InsertStmt& insert);
  void find_rows(token_range query);
  void find_query(token_range query);
  [[nodiscard]] std::optional<std::size_t> place(std::string_view column) const;
  [[nodiscard]] const node* value(std::size_t row, std::size_t place) const;
  [[nodiscard]] known_value judge(const message* value) const;
  [[nodiscard]] known_value judge_query(std::size_t place) const;

  const statement_context& context_;
  const PgQuery__SelectStmt* select_ = nullptr;
  std::string_view table_;
  std::vector<std::string_view> columns_;
  bool listed_ = false;                         // the statement names its columns
  std::vector<std::vector<token_range>> rows_;  // VALUES
  std::vector<token_range> targets_;            // a query whose rows are those of its FROM clause
  token_range from_;
  token_range where_;
  token_range whole_;  // any other query
};

}  // namespace rules
