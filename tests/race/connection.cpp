#include "tests/race/connection.hpp"

#include <utility>
#include <vector>

#include <poll.h>

namespace race {
namespace {

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

std::string conninfo_of(const address& where) {
  std::string text;
  const auto add = [&text](const char* word, const std::string& value) {
    if (!value.empty()) text += std::string(word) + "=" + quoted(value) + " ";
  };
  add("host", where.host);
  add("port", where.port);
  add("dbname", where.dbname);
  add("user", where.user);
  return text;
}

}  // namespace

bool reply::ok() const {
  const ExecStatusType status = PQresultStatus(result_.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

std::string reply::sqlstate() const {
  const char* state = result_ ? PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE) : nullptr;
  return state == nullptr ? "" : state;
}

std::string reply::message() const {
  return result_ ? PQresultErrorMessage(result_.get()) : "connection lost";
}

std::string_view reply::tag() const {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

int reply::rows() const {
  return PQntuples(result_.get());
}

std::string reply::text(int row, int column) const {
  return row < rows() && column < PQnfields(result_.get()) ? PQgetvalue(result_.get(), row, column) : "";
}

connection::connection(address where, std::chrono::seconds patience)
    : conninfo_(conninfo_of(where)), patience_(patience) {}

connection::connection(const std::string& conninfo, std::chrono::seconds patience)
    : conninfo_(conninfo), patience_(patience) {}

bool connection::open() {
  prepared_.clear();
  const std::string limit = std::to_string(patience_.count());
  // The last word wins, and a whole conninfo string may stand in for the name of the database.
  const std::vector<const char*> words = {"dbname", "application_name", "connect_timeout", nullptr};
  const std::vector<const char*> values = {conninfo_.c_str(), "race", limit.c_str(), nullptr};
  link_.reset();
  link_.reset(PQconnectdbParams(words.data(), values.data(), 1));
  if (is_open()) return true;
  problem_ = PQerrorMessage(link_.get());
  return false;
}

bool connection::is_open() const {
  return link_ && PQstatus(link_.get()) == CONNECTION_OK;
}

bool connection::in_transaction() const {
  return is_open() && PQtransactionStatus(link_.get()) != PQTRANS_IDLE;
}

reply connection::run(const std::string& sql) {
  if (!is_open() || PQsendQuery(link_.get(), sql.c_str()) == 0) return lost("cannot send");
  return answer();
}

reply connection::run(style how, const statement& one) {
  if (how == style::simple) return run(inlined(one));
  if (!is_open()) return lost("not connected");
  if (!prepared_.contains(one.name)) {
    if (PQsendPrepare(link_.get(), one.name.c_str(), one.text.c_str(), 0, nullptr) == 0)
      return lost("cannot send");
    reply made = answer();
    if (!made.ok()) return made;
    if (!one.name.empty()) prepared_.insert(one.name);
  }
  std::vector<const char*> values;
  values.reserve(one.values.size());
  for (const std::string& value : one.values) values.push_back(value.c_str());
  if (PQsendQueryPrepared(link_.get(), one.name.c_str(), static_cast<int>(values.size()), values.data(),
                          nullptr, nullptr, 0) == 0) {
    return lost("cannot send");
  }
  return answer();
}

// The first error, or else the last result, of everything up to ReadyForQuery.
reply connection::answer() {
  const auto until = std::chrono::steady_clock::now() + patience_;
  reply kept;
  bool failed = false;
  for (;;) {
    while (PQisBusy(link_.get()) != 0) {
      if (!wait_readable(until)) return lost("no answer in " + std::to_string(patience_.count()) + " s");
      if (PQconsumeInput(link_.get()) == 0) break;
    }
    PGresult* result = PQgetResult(link_.get());
    if (result == nullptr) break;
    reply next(result);
    if (failed) continue;
    failed = !next.ok();
    kept = std::move(next);
  }
  // libpq makes an error of its own, without SQLSTATE, when the peer hangs up.
  if (!is_open() && kept.sqlstate().empty()) return lost(PQerrorMessage(link_.get()));
  return kept;
}

bool connection::wait_readable(std::chrono::steady_clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  if (left <= 0) return false;
  pollfd waited{PQsocket(link_.get()), POLLIN, 0};
  return poll(&waited, 1, static_cast<int>(left)) != 0;
}

reply connection::lost(std::string why) {
  problem_ = std::move(why);
  link_.reset();
  return reply();
}

}  // namespace race
