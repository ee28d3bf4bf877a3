// What a hidden statement is for, kept from the time it is sent until PostgreSQL has answered it.
// Plain values; how it travels and how its errors are told is decided elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/session/filling.hpp"
#include "proxy/session/outbox.hpp"
#include "proxy/session/recorded_reads.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// An error that the proxy decides on and PostgreSQL raises, so that the transaction is truly aborted, a
/// pipeline truly skipped.
struct refusal {
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string rule;  // empty: no rule is to blame
  std::string schema;
  std::string table;
  std::string column;
};

/// One hidden statement in flight, or one of the client's that carries checks. Pointers are into `kept`.
struct hidden_run {
  std::shared_ptr<const rules::analysis> kept;
  std::shared_ptr<const rules::rule_book> book;
  const rules::prelude* guard = nullptr;  // null where it only raises
  std::optional<refusal> refused;
  clock::time_point sent{};
  const rules::plan* plan = nullptr;  // that `guard` belongs to
  std::optional<filled_text> text{};  // what was sent, where holes were filled; else guard->sql
  std::vector<row_id> rows{};         // that are checked, as far as they are known
  std::string trace{};                // that the client's statement names
};

/// A statement that does nothing but fail, with a message by which it is recognised.
inline constexpr char raising_sql[] = "SELECT CAST('pgteller/refused' AS int)";

}  // namespace proxy::session
