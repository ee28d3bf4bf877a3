// What earlier statements of one SQL string make of relations' names: DDL over a guarded table, whose result
// no catalog shows yet. Knows names only, not what has become of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/compiled_book.hpp"
#include "rules/parse_tree.hpp"

namespace rules {

class changed_names {
 public:
  /// Remembers the names in a statement that was planned as DDL of a guarded table, and whether it may change
  /// what unqualified names mean.
  void note(const message* statement, const rules::statement& planned);

  /// Turns the plans of a statement that names one of them, where it may reach rows, into opaque ones.
  void doubt(const compiled_book& book, const message* statement, rules::statement& planned) const;

 private:
  [[nodiscard]] static std::vector<std::uint16_t> named_ambiguously(const compiled_book& book,
                                                                    const message* statement);

  std::vector<std::string> names_;
  std::vector<std::uint16_t> rules_;
  bool path_ = false;  // search_path may be another
};

}  // namespace rules
