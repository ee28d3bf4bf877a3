#include "tests/ops/live_database.hpp"

#include <atomic>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

namespace proxy::ops {
namespace {

std::string conninfo() {
  const char* text = std::getenv("PGTELLER_TEST_CONNINFO");
  return text == nullptr ? "" : text;
}

std::string run_on(pg_conn* connection, const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection) << sql;
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace

void live_database::finish::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}

bool live_database::available() {
  return !conninfo().empty();
}

live_database::live_database() {
  static std::atomic<int> count{0};
  name_ = "ops_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  outside_.reset(PQconnectdb(conninfo().c_str()));
  run_outside("SET client_min_messages = error");
  run_outside("CREATE DATABASE " + name_);
  inside_.reset(PQconnectdb((conninfo() + " dbname=" + name_).c_str()));
  EXPECT_EQ(PQstatus(inside_.get()), CONNECTION_OK) << PQerrorMessage(inside_.get());
  run("SET client_min_messages = error");
}

live_database::~live_database() {
  inside_.reset();
  run_outside("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
}

upstream_settings live_database::upstream() const {
  upstream_settings settings;
  settings.host = PQhost(outside_.get());
  settings.port = static_cast<std::uint16_t>(std::stoi(PQport(outside_.get())));
  return settings;
}

std::string live_database::run(const std::string& sql) {
  return run_on(inside_.get(), sql);
}

std::string live_database::run_outside(const std::string& sql) {
  return run_on(outside_.get(), sql);
}

bool live_database::drop() {
  inside_.reset();
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(outside_.get(), ("DROP DATABASE " + name_).c_str()), PQclear);
  return PQresultStatus(result.get()) == PGRES_COMMAND_OK;
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

}  // namespace proxy::ops
