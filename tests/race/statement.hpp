// What the application says to the database: the SQL that Django with psycopg2 (simple) and node-postgres,
// psycopg3 or JDBC (extended) really send. Refuses to know how it travels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/race/money.hpp"

namespace race {

enum class style : std::uint8_t {
  simple,    // simple protocol, values inlined as literals
  extended,  // named prepared statements, values as parameters
};

struct statement {
  std::string name;  // of the prepared statement; the same name always has the same text. Empty: unnamed
  std::string text;  // with $1, $2 …
  std::vector<std::string> values;
  bool writes = false;  // alone in autocommit, it changes something
};

/// What a wallet is looked up by. It is always written by its id.
enum class found_by : std::uint8_t { id, user };

/// Django's get(user_id=…) in the simple style, find(id) in the extended one.
[[nodiscard]] found_by habit_of(style);

/// A wallet as the application has just read it.
struct wallet {
  std::int64_t id = 0;
  std::int64_t user_id = 0;
  std::string owner;
  cents balance = 0;
};

/// One movement of money; several of them make an operation.
struct entry {
  std::int64_t wallet_id = 0;
  cents amount = 0;
};

[[nodiscard]] statement begin();
[[nodiscard]] statement commit();

/// Columns: id, user_id, owner, balance. `locking`: FOR UPDATE.
[[nodiscard]] statement read_wallet(style, std::int64_t wallet_id, found_by, bool locking);

/// The balance as the application computed it: an absolute write.
[[nodiscard]] statement write_wallet(style, const wallet& as_read, cents balance);

/// The balance moved by the database: a relative write. Returns the new balance.
[[nodiscard]] statement move_wallet(style, std::int64_t wallet_id, cents amount);

/// Entries in the ledger, under the operation's own number. They may carry the number of an order or an item.
[[nodiscard]] statement enter(style, std::int64_t operation, const std::vector<entry>& entries);
[[nodiscard]] statement enter_order(style, std::int64_t operation, std::int64_t order_id, const entry&);
[[nodiscard]] statement enter_item(style, std::int64_t operation, std::int64_t item_id);
[[nodiscard]] statement find_order(style, std::int64_t order_id);

/// Columns: id, label, quantity. `locking`: FOR UPDATE.
[[nodiscard]] statement read_item(style, std::int64_t item_id, bool locking);
[[nodiscard]] statement delete_item(style, std::int64_t item_id);

/// The statement with the trace it belongs to in a trailing comment, as sqlcommenter writes it. Its text is
/// then never the same twice, so it is sent unnamed. `trace`: 32 hex digits.
[[nodiscard]] statement traced(statement, std::string_view trace);

/// The text with its values in place of $1 …, numbers bare, as a client without parameters writes it.
[[nodiscard]] std::string inlined(const statement&);

/// The owner and the user of a wallet are made from its number.
[[nodiscard]] std::string owner_of(std::int64_t wallet_id);
[[nodiscard]] std::int64_t user_of(std::int64_t wallet_id);

}  // namespace race
