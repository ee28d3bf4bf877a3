// Builds a prelude's SQL from text of ours and stretches of the client's, whose parameters it renumbers.
// Keeps the prelude's lists of parameters and copied stretches right; knows nothing of what the SQL says.
#pragma once

#include <string>
#include <string_view>

#include "rules/clauses.hpp"
#include "rules/plan.hpp"

namespace rules {

class sql_writer {
 public:
  sql_writer(const token_text& text, prelude& into) : text_{text}, into_{into} {}

  sql_writer& raw(std::string_view sql) {
    into_.sql += sql;
    return *this;
  }

  /// The client's text, with its parameters renumbered.
  sql_writer& copy(token_range range);

 private:
  void stretch(std::uint32_t from, std::uint32_t to);
  [[nodiscard]] std::size_t renumbered(const token& parameter);

  const token_text& text_;
  prelude& into_;
};

}  // namespace rules
