// Which rows a statement names, once its parameters have values: the rows' identities in the proxy.
// Knows notes and Bind; nothing of what is on record.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frontend.hpp"
#include "proxy/session/recorded_reads.hpp"
#include "proxy/session/reused.hpp"
#include "rules/plan.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// Values for a statement's parameters; `bind` is null in the simple protocol.
struct parameter_source {
  const protocol::frontend::bind_view* bind = nullptr;
  const std::vector<std::uint32_t>* types = nullptr;
};

/// The value of $`number` as it was bound; nothing if there is none.
[[nodiscard]] std::optional<bound_value> parameter(const parameter_source& from, std::uint16_t number);
/// The same where it stands in the Bind.
[[nodiscard]] std::optional<value_view> parameter_view(const parameter_source& from, std::uint16_t number);

struct named_row {
  row_id id;
  bool by_key = false;           // `key` says which row; else `id` stands for the rows found in this way
  bool unique = false;           // at most one row is meant
  reused_list<std::string> key;  // canonical text, by guarded_relation::key
};
using named_rows = reused_list<named_row>;

/// Puts the rows that one note names into `named`. Empty: any row, or some whose values cannot be told apart
/// here.
void name_rows(std::string_view database, const rules::guarded_relation& relation,
               const std::vector<rules::pinned_row>& rows, const parameter_source& from, named_rows& named);

/// The row with this key, as canonical text.
[[nodiscard]] row_id id_of(std::string_view database, const rules::guarded_relation& relation,
                           const std::vector<std::string>& key);

/// All of them are named by key.
[[nodiscard]] bool all_by_key(const named_rows& rows) noexcept;

}  // namespace proxy::session
