// What an operator's [[rule]] and [[once]] tables say, as plain values with their defaults.
// Knows nothing of files, of any database's catalog, or of the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rules {

enum class strategy : std::uint8_t {
  pessimistic,  // reads in transactions lock; conflicting sessions wait
  optimistic,   // writes are validated against what was read
  escrow,       // absolute writes are rebased on the newest value
};

enum class mode : std::uint8_t {
  enforce,
  observe,  // classify, count and report; change nothing on the wire
};

enum class lock_reads : std::uint8_t {
  key,       // the key, or a unique index, is pinned by equality
  equality,  // at least one column is pinned by equality, an IN list or an equijoin
  all,
  none,
};

enum class row_lock : std::uint8_t { update, no_key_update, share };
enum class turns : std::uint8_t { on, adaptive, off };
enum class reread : std::uint8_t { first, last };
enum class correlate : std::uint8_t { session, client, trace };
enum class policy : std::uint8_t { allow, reject };

/// One [[rule]]: which columns of which table are guarded, and how.
struct rule {
  std::string name;    // unique; appears in errors, metrics, logs
  std::string schema;  // empty: every schema that has the table
  std::string table;   // as PostgreSQL stores it (folded unless it was quoted)
  std::vector<std::string> columns;
  std::vector<std::string> key;  // empty: the primary key
  std::vector<std::string> version;
  rules::strategy strategy = strategy::pessimistic;
  rules::mode mode = mode::enforce;
  std::optional<std::string> min;  // exact decimal text, e.g. "-12.50"
  std::optional<std::string> max;
  rules::lock_reads lock_reads = lock_reads::equality;
  rules::row_lock row_lock = row_lock::no_key_update;
  std::chrono::milliseconds lock_timeout{5000};
  rules::turns turns = turns::adaptive;
  std::chrono::milliseconds turn_timeout{1000};
  std::chrono::milliseconds read_ttl{10000};
  rules::reread reread = reread::first;
  rules::correlate correlate = correlate::session;
  policy on_blind_write = policy::allow;
  policy on_opaque = policy::allow;
  bool group_commit = false;
  bool once = false;                      // made from a [[once]]: no columns; `key` may be there once only
  std::vector<std::string> databases;     // empty: all
  std::vector<std::string> users;         // empty: all
  std::vector<std::string> except_users;  // wins over users

  friend bool operator==(const rule&, const rule&) = default;
};

/// One [[once]]: a second INSERT with the same key fails with 23505.
struct once_rule {
  std::string name;
  std::string schema;
  std::string table;
  std::vector<std::string> key;

  friend bool operator==(const once_rule&, const once_rule&) = default;
};

/// Everything the file says about guarding, in the file's order.
struct rule_set {
  std::vector<rule> rules;
  std::vector<once_rule> once;

  friend bool operator==(const rule_set&, const rule_set&) = default;
};

}  // namespace rules
