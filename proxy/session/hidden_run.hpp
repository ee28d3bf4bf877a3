// What a hidden statement is for, kept from the time it is sent until PostgreSQL has answered it.
// Plain values; how it travels and how its errors are told is decided elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/session/outbox.hpp"
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

/// One hidden statement in flight. `guard` points into `kept`.
struct hidden_run {
  std::shared_ptr<const rules::analysis> kept;
  std::shared_ptr<const rules::rule_book> book;
  const rules::prelude* guard = nullptr;  // null where it only raises
  std::optional<refusal> refused;
  clock::time_point sent{};
};

/// A statement that does nothing but fail, with a message by which it is recognised.
inline constexpr char raising_sql[] = "SELECT CAST('pgteller/refused' AS int)";

}  // namespace proxy::session
