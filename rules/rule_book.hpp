// The rules compiled against one database's catalog for one user: answers what a SQL string touches and what
// to do. Immutable after compile() and safe to share between threads; knows nothing of sessions, messages or
// caching.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/catalog.hpp"
#include "rules/plan.hpp"
#include "rules/rule.hpp"

namespace rules {

/// What is wrong, or worth knowing, about a rule in a given database; printed by `pgteller check`.
struct finding {
  enum class severity : std::uint8_t { note, problem };
  severity level = severity::problem;
  std::string rule;
  std::string message;  // what, and what to do
};

/// One table that one rule guards, as far as a session must know it to put reads on record.
struct guarded_relation {
  std::uint16_t rule = 0;  // index into rule_book::rules()
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  std::vector<column> key;
  std::vector<column> columns;  // the guarded ones, in the rule's order
  /// The rule's name and which columns it means: what was recorded under another one says nothing here.
  std::string recorded_as;
};

/// As what rows of a table are recorded by users to whom other rules apply: guarded_relation::recorded_as.
struct foreign_record {
  std::uint32_t oid = 0;
  std::string recorded_as;
};

/// Settings of a session that change how the server reads SQL text.
struct parse_settings {
  bool standard_conforming_strings = true;
  bool ascii_safe_encoding = true;  // client_encoding where no trail byte is below 0x80
  bool utf8 = true;                 // client_encoding is UTF8, which names in rules and catalogs are kept in
};

struct compiled_book;  // rules/compiled_book.hpp

/// What the server says unqualified names mean, by oid.
using name_meanings = std::vector<std::pair<std::string, std::uint32_t>>;

class rule_book {
 public:
  /// Rules that apply to `user` in `known.database`. Rules whose table does not exist there are left out;
  /// rules that cannot be compiled (no key, column missing) make every statement that names their table
  /// opaque. `log_values`: error markers may carry balances.
  [[nodiscard]] static std::shared_ptr<const rule_book> compile(const rule_set& configured,
                                                                const catalog& known, std::string_view user,
                                                                bool log_values);

  ~rule_book();
  rule_book(const rule_book&) = delete;
  rule_book& operator=(const rule_book&) = delete;

  /// No rule applies: every statement passes without a look.
  [[nodiscard]] bool empty() const noexcept;

  /// Names of guarded tables that more than one relation of the database has: which of them an unqualified
  /// name means, only the session's search_path tells.
  [[nodiscard]] const std::vector<std::string>& ambiguous() const noexcept;

  /// Names of all guarded tables, each once.
  [[nodiscard]] std::vector<std::string> table_names() const;

  /// The same rules where each of these unqualified names means the relation of that oid (0: none).
  /// Remembered: the same answer gives the same book. Thread-safe. Call it on what compile() returned.
  [[nodiscard]] std::shared_ptr<const rule_book> resolved(const name_meanings& meanings) const;

  /// The applicable rules; prelude::rule and touch::rule index them.
  [[nodiscard]] const std::vector<rule>& rules() const noexcept;

  /// Error markers and messages may carry balances.
  [[nodiscard]] bool log_values() const noexcept;

  /// Some rule has correlate = "trace".
  [[nodiscard]] bool traces() const noexcept;

  /// The tables that the rules guard; read_note::relation and write_note::relation index them. A table under
  /// two rules is there twice.
  [[nodiscard]] const std::vector<guarded_relation>& relations() const noexcept;

  /// By the rules that do not apply to this user.
  [[nodiscard]] const std::vector<foreign_record>& of_others() const noexcept;

  /// False only if no statement in `sql` can name a guarded relation. Case, quotes and Unicode escapes
  /// considered. Linear, allocates nothing.
  [[nodiscard]] bool may_touch(std::string_view sql) const noexcept;

  /// Parses and plans. Bounded: a string above 1 MiB, or nested too deep, is opaque.
  [[nodiscard]] std::shared_ptr<const analysis> analyse(std::string_view sql, parse_settings settings) const;

  /// to_text() of a plan of this book's, with the names of tables and columns.
  [[nodiscard]] std::string to_text(const plan& planned) const;

 private:
  explicit rule_book(std::unique_ptr<const compiled_book>) noexcept;
  std::unique_ptr<const compiled_book> compiled_;
  mutable std::mutex resolving_;
  mutable std::map<name_meanings, std::shared_ptr<const rule_book>> resolved_;
};

/// Whether `sql` can name a table of `configured` for this user and database at all, before any catalog is
/// known.
[[nodiscard]] bool may_touch(const rule_set& configured, std::string_view database, std::string_view user,
                             std::string_view sql) noexcept;

/// Checks rules against a live catalog: missing tables and columns, no key, types that cannot be bounded.
[[nodiscard]] std::vector<finding> check(const rule_set& configured, const catalog& known);

/// A catalog invented from the rules alone, for `explain --offline` and tests: each table in schema "public"
/// unless the rule names one, the key as configured, else "id", guarded columns numeric.
[[nodiscard]] catalog assumed_catalog(const rule_set& configured);

}  // namespace rules
