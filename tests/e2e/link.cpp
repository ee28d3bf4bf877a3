#include "tests/e2e/link.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/e2e/child.hpp"

namespace e2e {
namespace {

std::vector<const char*> pointers(const parameters& values) {
  std::vector<const char*> made;
  made.reserve(values.size());
  for (const auto& each : values) made.push_back(each ? each->c_str() : nullptr);
  return made;
}

}  // namespace

ExecStatusType reply::status() const {
  return PQresultStatus(result_.get());
}

bool reply::ok() const {
  const auto now = status();
  return result_ && (now == PGRES_COMMAND_OK || now == PGRES_TUPLES_OK || now == PGRES_EMPTY_QUERY ||
                     now == PGRES_SINGLE_TUPLE);
}

std::string reply::field(int code) const {
  const char* found = result_ ? PQresultErrorField(result_.get(), code) : nullptr;
  return found == nullptr ? "" : found;
}

std::string reply::message() const {
  return result_ ? PQresultErrorMessage(result_.get()) : "no answer";
}

std::string reply::tag() const {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

std::string reply::text(int row, int column) const {
  if (row >= rows() || column >= PQnfields(result_.get())) return "(none)";
  if (PQgetisnull(result_.get(), row, column)) return "NULL";
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::string reply::brief() const {
  if (!result_) return "no answer";
  if (status() == PGRES_PIPELINE_ABORTED) return "aborted";
  if (status() == PGRES_PIPELINE_SYNC) return "sync";
  if (!ok()) return sqlstate().empty() ? message() : sqlstate();
  std::string made = "ok " + tag();
  for (int row = 0; row < rows(); ++row) {
    made += row == 0 ? ": " : ", ";
    for (int column = 0; column < PQnfields(result_.get()); ++column) {
      made += (column > 0 ? "|" : "") + text(row, column);
    }
  }
  return made;
}

link::link(const std::string& conninfo) : conn_(PQconnectdb(conninfo.c_str()), &PQfinish) {
  PQsetNoticeProcessor(
      conn_.get(), [](void*, const char*) {}, nullptr);
}

link::~link() = default;

bool link::open() const {
  return PQstatus(conn_.get()) == CONNECTION_OK;
}

std::string link::problem() const {
  return PQerrorMessage(conn_.get());
}

void link::begin(const std::string& sql) {
  EXPECT_EQ(PQsendQuery(conn_.get(), sql.c_str()), 1) << problem();
}

void link::begin(const std::string& sql, const parameters& values) {
  const auto bound = pointers(values);
  EXPECT_EQ(PQsendQueryParams(conn_.get(), sql.c_str(), static_cast<int>(bound.size()), nullptr, bound.data(),
                              nullptr, nullptr, 0),
            1)
      << problem();
}

bool link::answered() {
  return PQconsumeInput(conn_.get()) == 0 || PQisBusy(conn_.get()) == 0;
}

reply link::next() {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (PQisBusy(conn_.get()) != 0) {
    pollfd waiting{PQsocket(conn_.get()), POLLIN, 0};
    if (waiting.fd < 0 || std::chrono::steady_clock::now() > until) return {};
    static_cast<void>(PQflush(conn_.get()));
    if (poll(&waiting, 1, 1000) > 0 && PQconsumeInput(conn_.get()) == 0) break;
  }
  return reply(PQgetResult(conn_.get()));
}

reply link::collect() {
  reply last;
  for (reply each = next(); each.there(); each = next()) {
    last = each;
    const auto now = each.status();
    if (now == PGRES_COPY_IN || now == PGRES_COPY_OUT || now == PGRES_COPY_BOTH) return last;
    if (now == PGRES_PIPELINE_SYNC) return last;  // no empty answer ends it
  }
  return last;
}

reply link::run(const std::string& sql) {
  begin(sql);
  return collect();
}

reply link::run(const std::string& sql, const parameters& values) {
  begin(sql, values);
  return collect();
}

reply link::prepare(const std::string& name, const std::string& sql) {
  EXPECT_EQ(PQsendPrepare(conn_.get(), name.c_str(), sql.c_str(), 0, nullptr), 1) << problem();
  return collect();
}

reply link::run_prepared(const std::string& name, const parameters& values) {
  const auto bound = pointers(values);
  EXPECT_EQ(PQsendQueryPrepared(conn_.get(), name.c_str(), static_cast<int>(bound.size()), bound.data(),
                                nullptr, nullptr, 0),
            1)
      << problem();
  return collect();
}

std::string value(link& from, const std::string& sql) {
  const reply got = from.run(sql);
  EXPECT_TRUE(got.ok()) << sql << ": " << got.message();
  return got.text();
}

}  // namespace e2e
