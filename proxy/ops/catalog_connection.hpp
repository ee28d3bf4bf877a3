// One short-lived libpq connection that can be stopped, and whose every step has a deadline.
// Knows nothing of which questions are asked over it.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ops/conninfo.hpp"

struct pg_conn;
struct pg_result;

namespace proxy::ops {

/// The rows of one answer, as text.
class answer {
 public:
  explicit answer(pg_result* result) noexcept;
  [[nodiscard]] int rows() const noexcept;
  [[nodiscard]] std::string_view cell(int row, int column) const noexcept;
  [[nodiscard]] std::uint32_t number(int row, int column) const noexcept;

 private:
  struct clear {
    void operator()(pg_result*) const noexcept;
  };
  std::unique_ptr<pg_result, clear> result_;
};

/// Errors are sticky: after the first, every query is empty at once.
class catalog_connection {
 public:
  using clock = std::chrono::steady_clock;

  catalog_connection(const std::vector<connection_word>& words, std::chrono::milliseconds connect_timeout,
                     const std::atomic<bool>& stop);
  ~catalog_connection();  // says goodbye to the server
  catalog_connection(const catalog_connection&) = delete;
  catalog_connection& operator=(const catalog_connection&) = delete;

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }

  /// All queries together must be done by then.
  void set_deadline(clock::time_point deadline) noexcept { deadline_ = deadline; }

  /// Several statements without parameters; the rows are those of the last.
  [[nodiscard]] answer run(const char* sql);

  /// One statement with text parameters $1...
  [[nodiscard]] answer ask(const char* sql, std::span<const std::string> parameters);

 private:
  void connect(const std::vector<connection_word>& words);
  [[nodiscard]] answer collect(bool sent);
  [[nodiscard]] bool input_arrived();
  [[nodiscard]] bool wait(short events);
  void fail(std::string error, std::string sqlstate = {});
  void fail_connecting();

  struct finish {
    void operator()(pg_conn*) const noexcept;
  };
  std::unique_ptr<pg_conn, finish> connection_;
  const std::atomic<bool>& stop_;
  clock::time_point deadline_;
  std::string error_;
  std::string sqlstate_;
};

}  // namespace proxy::ops
