#include "proxy/ops/catalog_connection.hpp"

#include <algorithm>
#include <charconv>

#include <libpq-fe.h>
#include <poll.h>

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;

// How soon a stop is noticed.
constexpr std::chrono::milliseconds slice = 100ms;

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

// "... FATAL:  3D000: database ..." as PQERRORS_VERBOSE writes it; the severity's word may be translated.
std::size_t sqlstate_place(std::string_view text) {
  for (std::size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    if (is_sqlstate(text.substr(at + 3, 5)) && text.substr(at + 8, 2) == ": ") return at + 3;
  }
  return std::string_view::npos;
}

std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty() || part.starts_with("LOCATION:")) continue;
    if (!line.empty()) line += "; ";
    line += part;
  }
  return line;
}

}  // namespace

answer::answer(pg_result* result) noexcept : result_(result) {}

void answer::clear::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

int answer::rows() const noexcept {
  return result_ == nullptr ? 0 : PQntuples(result_.get());
}

std::string_view answer::cell(int row, int column) const noexcept {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::uint32_t answer::number(int row, int column) const noexcept {
  const auto text = cell(row, column);
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void catalog_connection::finish::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}

catalog_connection::catalog_connection(const std::vector<connection_word>& words,
                                       std::chrono::milliseconds connect_timeout,
                                       const std::atomic<bool>& stop)
    : stop_(stop), deadline_(clock::now() + connect_timeout) {
  connect(words);
}

catalog_connection::~catalog_connection() = default;

void catalog_connection::connect(const std::vector<connection_word>& words) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& word : words) {
    keywords.push_back(word.keyword.c_str());
    values.push_back(word.value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  // expand_dbname = 0: a client's database name must not be read as a conninfo string.
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (connection_ == nullptr) return fail("out of memory");
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);  // the only way to a failed connection's SQLSTATE
  auto step = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) break;
    if (!wait(step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN)) return;
    step = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) fail_connecting();
}

void catalog_connection::fail_connecting() {
  std::string text = PQerrorMessage(connection_.get());
  std::string sqlstate;
  if (const auto at = sqlstate_place(text); at != std::string::npos) {
    sqlstate = text.substr(at, 5);
    text.erase(at, 7);
  }
  fail(one_line(text), std::move(sqlstate));
}

// Waits in slices, so that a stop ends it. False: stopped, timed out or no socket; the error is set.
bool catalog_connection::wait(short events) {
  for (;;) {
    if (stop_.load(std::memory_order_relaxed)) {
      fail("stopped");
      return false;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now());
    if (left <= 0ms) {
      fail("timed out");
      return false;
    }
    pollfd watched{PQsocket(connection_.get()), events, 0};
    if (watched.fd < 0) {
      fail("the connection was lost");
      return false;
    }
    if (poll(&watched, 1, static_cast<int>(std::min(left, slice).count())) > 0) return true;
  }
}

answer catalog_connection::run(const char* sql) {
  return collect(ok() && PQsendQuery(connection_.get(), sql) == 1);
}

answer catalog_connection::ask(const char* sql, std::span<const std::string> parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  return collect(ok() && PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                                           values.data(), nullptr, nullptr, 0) == 1);
}

bool catalog_connection::input_arrived() {
  while (PQisBusy(connection_.get()) != 0) {
    if (!wait(POLLIN)) return false;
    if (PQconsumeInput(connection_.get()) == 0) {
      fail(one_line(PQerrorMessage(connection_.get())));
      return false;
    }
  }
  return true;
}

answer catalog_connection::collect(bool sent) {
  if (!ok()) return answer(nullptr);
  if (!sent) {
    fail(one_line(PQerrorMessage(connection_.get())));
    return answer(nullptr);
  }
  answer last(nullptr);
  for (;;) {
    if (!input_arrived()) return answer(nullptr);
    auto* result = PQgetResult(connection_.get());
    if (result == nullptr) return ok() ? std::move(last) : answer(nullptr);
    last = answer(result);
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
      const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
      fail(message != nullptr ? message : one_line(PQresultErrorMessage(result)),
           code != nullptr ? code : "");
    }
  }
}

void catalog_connection::fail(std::string error, std::string sqlstate) {
  if (!error_.empty()) return;
  error_ = error.empty() ? "unknown error" : std::move(error);
  sqlstate_ = std::move(sqlstate);
}

}  // namespace proxy::ops
