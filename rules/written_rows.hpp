// The rows that an UPDATE or DELETE of a guarded table writes: how the statement names them, and how a
// prelude can. Does not look at the values that are assigned.
#pragma once

#include <optional>
#include <vector>

#include "rules/pins.hpp"
#include "rules/prelude_sql.hpp"
#include "rules/statement_context.hpp"

namespace rules {

class written_rows {
 public:
  /// `others`: what FROM or USING brings besides the target.
  written_rows(const statement_context& context, const PgQuery__RangeVar& target, const node* where,
               node* const* others, std::size_t count);

  /// The target is the first relation.
  [[nodiscard]] const scope& inside() const noexcept { return inside_; }
  [[nodiscard]] const relation& target_relation() const noexcept { return inside_.relations.front(); }
  [[nodiscard]] bool alone() const noexcept { return count_ == 0; }
  [[nodiscard]] const pinned_columns& pinned() const noexcept { return pinned_; }

  /// At most one row is meant.
  [[nodiscard]] bool one_row(const target& guarding) const;

  /// What a prelude for these rows needs, save values; nothing where it cannot name them. The ranges are the
  /// clauses' texts.
  [[nodiscard]] std::optional<prelude_request> request(const target& guarding, token_range relation,
                                                       token_range from, token_range where) const;

  /// The prelude of `request` finds no row only if none has the key.
  [[nodiscard]] bool tells_gone(const target& guarding, const prelude_request& request) const;

  /// One for each table that may be meant, with its rows.
  [[nodiscard]] std::vector<write_note> notes(const target& guarding, statement_kind kind) const;

 private:
  [[nodiscard]] bool has_twin() const;

  const statement_context& context_;
  const node* where_;
  node* const* others_;
  std::size_t count_;
  scope inside_;
  pinned_columns pinned_;
};

/// The same for a statement whose rows cannot be told: any.
[[nodiscard]] std::vector<write_note> notes_of_any_row(const target& guarding, statement_kind kind);

/// Adds the notes to the plan; `prelude` is the one with their hole for checks, or -1.
void add_notes(plan& into, std::vector<write_note> notes, std::int16_t prelude);

}  // namespace rules
