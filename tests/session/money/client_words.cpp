// How clients say what they do: SQL, and the messages that carry it.
#include <cstdio>
#include <cstdlib>

#include "protocol/frontend.hpp"
#include "tests/session/money/client.hpp"
#include "tests/session/money/expression.hpp"

namespace money {
namespace {

using type = step::type;
namespace frontend = protocol::frontend;

void must(bool built) {
  if (!built) std::abort();
}

}  // namespace

/// With `$1`… and their values in the extended protocol, else with constants.
std::string client::sql_of(const step& what, std::vector<std::string>& parameters) {
  const auto placed = [&](std::string text, bool may_be_quoted) {
    if (!how_.extended) return may_be_quoted && what.row % 2 == 0 ? "'" + text + "'" : text;
    parameters.push_back(std::move(text));
    return "$" + std::to_string(parameters.size());
  };
  const auto key = [&] { return placed(std::to_string(what.row), false); };
  const auto user = [&] { return placed(std::to_string(user_of(what.row)), false); };
  const auto added = [&] {
    const bool less = what.delta < 0;
    const std::string size = number_text(less ? -what.delta : what.delta, how_.decimals);
    return std::string(less ? "balance - " : "balance + ") + placed(size, false);
  };
  switch (what.what) {
    case type::begin:
      return "BEGIN";
    case type::commit:
      return "COMMIT";
    case type::rollback:
      return "ROLLBACK";
    case type::savepoint:
      return "SAVEPOINT here";
    case type::rollback_to:
      return "ROLLBACK TO SAVEPOINT here";
    case type::read:
      return "SELECT id, balance FROM wallets WHERE id = " + key();
    case type::read_user:
      return "SELECT id, balance FROM wallets WHERE user_id = " + user();
    case type::read_locked:
      return "SELECT id, balance FROM wallets WHERE id = " + key() + " FOR UPDATE";
    case type::write: {
      const auto sum = placed(number_text(believed(what.row) + what.delta, how_.decimals), true);
      return "UPDATE wallets SET balance = " + sum + " WHERE id = " + key();
    }
    case type::add: {
      const auto sum = added();
      return "UPDATE wallets SET balance = " + sum + " WHERE id = " + key();
    }
    case type::add_if: {
      const auto sum = added();
      const auto least = placed(number_text(-what.delta, how_.decimals), false);
      return "UPDATE wallets SET balance = " + sum + " WHERE id = " + key() + " AND balance >= " + least;
    }
    case type::add_user: {
      const auto sum = added();
      return "UPDATE wallets SET balance = " + sum + " WHERE user_id = " + user();
    }
    case type::remove:
      return "DELETE FROM wallets WHERE id = " + key();
  }
  return {};
}

namespace {

std::string trace_comment(const std::string& prefix, int number) {
  if (prefix.empty()) return {};
  char id[40];
  std::snprintf(id, sizeof id, "%s%024x", prefix.c_str(), static_cast<unsigned>(number));
  return " /*traceparent='00-" + std::string(id) + "-00f067aa0ba902b7-01'*/";
}

}  // namespace

std::string client::in_simple(const std::vector<step>& flight) {
  std::string sql;
  std::vector<std::string> none;
  for (const step& each : flight) sql += (sql.empty() ? "" : "; ") + sql_of(each, none);
  std::string bytes;
  must(frontend::encode_query(sql + trace_comment(how_.traces, traced_), bytes));
  return bytes;
}

std::string client::in_extended(const std::vector<step>& flight) {
  std::string bytes;
  for (const step& each : flight) add_extended(each, bytes);
  bytes.append(frontend::sync_frame);
  return bytes;
}

void client::add_extended(const step& what, std::string& bytes) {
  std::vector<std::string> parameters;
  const std::string sql = sql_of(what, parameters) + trace_comment(how_.traces, traced_);
  std::string name;
  const bool named = how_.named && !parameters.empty();
  bool parses = true;
  if (named) {
    const auto known = prepared_.find(sql);
    const auto coming = being_prepared_.find(sql);
    parses = known == prepared_.end() && coming == being_prepared_.end();
    if (parses) being_prepared_[sql] = "s" + std::to_string(++names_);
    name = known != prepared_.end() ? known->second : being_prepared_[sql];
  }
  if (parses) must(frontend::encode_parse(name, sql, {}, bytes));
  const std::vector<std::optional<std::string_view>> values(parameters.begin(), parameters.end());
  must(frontend::encode_bind("", name, {}, values, {}, bytes));
  if (random_.one_in(2)) must(frontend::encode_describe(frontend::target_kind::portal, "", bytes));
  must(frontend::encode_execute("", 0, bytes));
}

}  // namespace money
