// A libpq connection as an application has one, and what came back for a statement. Never waits for ever.
// Knows nothing of pgteller.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace e2e {

/// One answer; empty if none came in time or the connection was lost without a word.
class reply {
 public:
  reply() = default;
  explicit reply(PGresult* result) : result_(result, &PQclear) {}

  [[nodiscard]] bool there() const { return result_ != nullptr; }
  [[nodiscard]] ExecStatusType status() const;
  [[nodiscard]] bool ok() const;
  [[nodiscard]] std::string field(int code) const;  // PG_DIAG_...
  [[nodiscard]] std::string sqlstate() const { return field(PG_DIAG_SQLSTATE); }
  [[nodiscard]] std::string message() const;
  [[nodiscard]] std::string tag() const;
  [[nodiscard]] int rows() const { return result_ ? PQntuples(result_.get()) : 0; }
  [[nodiscard]] std::string text(int row = 0, int column = 0) const;
  /// "ok UPDATE 1", "ok SELECT 1: 100.00|a", "55P03": everything an assertion wants on one line.
  [[nodiscard]] std::string brief() const;

 private:
  std::shared_ptr<PGresult> result_;
};

using parameters = std::vector<std::optional<std::string>>;

class link {
 public:
  /// A failed connection gives a link that is not open; see problem().
  explicit link(const std::string& conninfo);
  ~link();
  link(link&&) noexcept = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  [[nodiscard]] bool open() const;
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::string connect_sqlstate_text() const { return problem(); }
  [[nodiscard]] PGconn* raw() const { return conn_.get(); }
  [[nodiscard]] std::string pid() const { return std::to_string(PQbackendPID(conn_.get())); }
  [[nodiscard]] PGTransactionStatusType block() const { return PQtransactionStatus(conn_.get()); }

  /// Simple protocol; the last answer of the string.
  reply run(const std::string& sql);
  /// Extended protocol, unnamed statement.
  reply run(const std::string& sql, const parameters& values);
  reply prepare(const std::string& name, const std::string& sql);
  reply run_prepared(const std::string& name, const parameters& values);

  /// Sends without waiting for the answer; collect() it later.
  void begin(const std::string& sql);
  void begin(const std::string& sql, const parameters& values);
  reply collect();
  /// The next single answer, nothing at the end of a statement (or of time).
  reply next();
  [[nodiscard]] bool answered();

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> conn_;
};

/// First column of the first row; a failed test if the statement fails.
[[nodiscard]] std::string value(link& from, const std::string& sql);

}  // namespace e2e
