#include "tests/race/statement.hpp"

#include <cctype>
#include <cstddef>
#include <utility>

namespace race {
namespace {

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0 && c != '.') return false;
  }
  return true;
}

std::string literal(std::string_view text) {
  if (is_number(text)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

}  // namespace

std::string owner_of(std::int64_t wallet_id) {
  return "customer's no. " + number(wallet_id);
}

std::int64_t user_of(std::int64_t wallet_id) {
  return 100 + wallet_id;
}

statement begin() {
  return {"race_begin", "BEGIN", {}, false};
}

statement commit() {
  return {"race_commit", "COMMIT", {}, true};
}

found_by habit_of(style how) {
  return how == style::simple ? found_by::user : found_by::id;
}

statement read_wallet(style how, std::int64_t wallet_id, found_by by, bool locking) {
  const std::string column = by == found_by::id ? "id" : "user_id";
  statement made{"race_read_by_" + column + (locking ? "_for_update" : ""),
                 "",
                 {number(by == found_by::id ? wallet_id : user_of(wallet_id))},
                 false};
  if (how == style::extended) {
    made.text = "SELECT id, user_id, owner, balance FROM wallets WHERE " + column + " = $1";
  } else {
    // Django's get() asks for 21 rows, to notice when there is more than one.
    made.text =
        "SELECT \"wallets\".\"id\", \"wallets\".\"user_id\", \"wallets\".\"owner\", \"wallets\".\"balance\" "
        "FROM \"wallets\" WHERE \"wallets\".\"" +
        column + "\" = $1 LIMIT 21";
  }
  if (locking) made.text += " FOR UPDATE";
  return made;
}

statement write_wallet(style how, const wallet& as_read, cents balance) {
  if (how == style::extended) {
    return {"race_write",
            "UPDATE wallets SET balance = $1 WHERE id = $2",
            {to_text(balance), number(as_read.id)},
            true};
  }
  // Django's save(): every column, changed or not.
  return {"race_write",
          "UPDATE \"wallets\" SET \"user_id\" = $1, \"owner\" = $2, \"balance\" = $3 WHERE "
          "\"wallets\".\"id\" = $4",
          {number(as_read.user_id), as_read.owner, to_text(balance), number(as_read.id)},
          true};
}

statement move_wallet(style how, std::int64_t wallet_id, cents amount) {
  const bool debit = amount < 0;
  const std::string size = to_text(debit ? -amount : amount);
  if (how == style::extended) {
    return {debit ? "race_debit" : "race_credit",
            std::string("UPDATE wallets SET balance = balance ") + (debit ? "-" : "+") +
                " $1 WHERE id = $2 RETURNING balance",
            {size, number(wallet_id)},
            true};
  }
  // Django's F(), and RETURNING as Sequelize's decrement() has it.
  return {"race_move",
          std::string("UPDATE \"wallets\" SET \"balance\" = (\"wallets\".\"balance\" ") +
              (debit ? "-" : "+") + " $1) WHERE \"wallets\".\"id\" = $2 RETURNING \"wallets\".\"balance\"",
          {size, number(wallet_id)},
          true};
}

statement enter(style, std::int64_t operation, const std::vector<entry>& entries) {
  statement made{"race_enter_" + number(static_cast<std::int64_t>(entries.size())),
                 "INSERT INTO transactions (op, wallet_id, amount) VALUES ",
                 {number(operation)},
                 true};
  for (const entry& one : entries) {
    if (made.values.size() > 1) made.text += ", ";
    made.text += "($1, $" + std::to_string(made.values.size() + 1) + ", $" +
                 std::to_string(made.values.size() + 2) + ")";
    made.values.push_back(number(one.wallet_id));
    made.values.push_back(to_text(one.amount));
  }
  return made;
}

statement enter_order(style, std::int64_t operation, std::int64_t order_id, const entry& one) {
  return {"race_enter_order",
          "INSERT INTO transactions (op, order_id, wallet_id, amount) VALUES ($1, $2, $3, $4)",
          {number(operation), number(order_id), number(one.wallet_id), to_text(one.amount)},
          true};
}

statement enter_item(style, std::int64_t operation, std::int64_t item_id) {
  return {"race_enter_item",
          "INSERT INTO transactions (op, item_id, amount) VALUES ($1, $2, 0)",
          {number(operation), number(item_id)},
          true};
}

statement find_order(style, std::int64_t order_id) {
  return {"race_find_order", "SELECT id FROM transactions WHERE order_id = $1", {number(order_id)}, false};
}

statement read_item(style how, std::int64_t item_id, bool locking) {
  statement made{locking ? "race_read_item_for_update" : "race_read_item", "", {number(item_id)}, false};
  made.text = how == style::extended
                  ? "SELECT id, label, quantity FROM items WHERE id = $1"
                  : "SELECT \"items\".\"id\", \"items\".\"label\", \"items\".\"quantity\" FROM \"items\" "
                    "WHERE \"items\".\"id\" = $1 LIMIT 21";
  if (locking) made.text += " FOR UPDATE";
  return made;
}

statement delete_item(style how, std::int64_t item_id) {
  if (how == style::extended) {
    return {"race_delete_item", "DELETE FROM items WHERE id = $1", {number(item_id)}, true};
  }
  return {
      "race_delete_item", "DELETE FROM \"items\" WHERE \"items\".\"id\" IN ($1)", {number(item_id)}, true};
}

statement traced(statement one, std::string_view trace) {
  one.name.clear();
  one.text += " /*traceparent='00-" + std::string(trace) + "-00f067aa0ba902b7-01'*/";
  return one;
}

std::string inlined(const statement& one) {
  std::string text;
  for (std::size_t at = 0; at < one.text.size(); ++at) {
    if (one.text[at] != '$') {
      text += one.text[at];
      continue;
    }
    std::size_t place = 0;
    while (at + 1 < one.text.size() && std::isdigit(static_cast<unsigned char>(one.text[at + 1])) != 0) {
      place = place * 10 + static_cast<std::size_t>(one.text[++at] - '0');
    }
    text += literal(one.values.at(place - 1));
  }
  return text;
}

}  // namespace race
