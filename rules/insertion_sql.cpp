#include "rules/insertion_sql.hpp"

#include <algorithm>

#include "rules/check_sql.hpp"
#include "rules/identifiers.hpp"
#include "rules/marker.hpp"

// A rebased value (tried on PostgreSQL 15), where $1 is the client's and $3 what was read:
//
//   (SELECT CASE WHEN pgteller_read IS NULL OR wallets.balance = pgteller_read THEN pgteller_v
//                WHEN …it is a finite number… THEN CAST((wallets.balance + (pgteller_v - pgteller_read)) AS
//                …) ELSE …raise "changed row"… END
//    FROM (SELECT CAST(($1) AS numeric(12,2)) AS pgteller_v,
//                 CAST($3 AS numeric(12,2)) AS pgteller_read OFFSET 0) pgteller_s)
//
// It is evaluated again where another transaction has changed the row meanwhile: the column is the newest
// then.

namespace rules {
namespace {

struct wrapping {
  std::string before;
  std::string after;
  std::vector<hole> holes;  // of `after`
};

class insertion_writer {
 public:
  explicit insertion_writer(const prelude_request& request)
      : request_{request},
        alias_{quoted_name(request.sources.front().alias)},
        key_{key_text(*request.guarded, [this](std::size_t i) { return named(request_.guarded->key[i]); })} {}

  // The value is computed once, whatever it is: OFFSET 0 keeps the sub-select. Only what has no type of its
  // own is given the column's; the rest is left to the assignment, which accepts less than an explicit cast.
  wrapping bounds(const new_value& value, std::size_t first_check) const {
    const std::string& type = value.assigned->type;
    const bool cast = value.untyped || value.rebased || number_type_of(*value.assigned) == number_type::money;
    const std::string checked = cast ? "pgteller_new" : "CAST(pgteller_new AS " + type + ")";
    wrapping made;
    made.before = "(SELECT CASE";
    for (const auto& bound : value.checks) {
      made.before += " WHEN NOT (" + bound_holds(checked, *value.assigned, bound) + ") THEN " +
                     raise(value, first_check++);
    }
    made.before += " ELSE pgteller_new END FROM (SELECT ";
    made.before += cast ? "CAST((" : "(";
    made.after = (cast ? ") AS " + type + ")" : std::string{")"}) + " AS pgteller_new OFFSET 0) pgteller_s)";
    return made;
  }

  wrapping rebase(const new_value& value) const {
    const std::string& type = value.assigned->type;
    wrapping made;
    made.before = "(SELECT " +
                  rebased_value(named(value.assigned->name), "pgteller_v", "pgteller_read", type,
                                raise(value, changed_row)) +
                  " FROM (SELECT CAST((";
    made.after = ") AS " + type + ") AS pgteller_v, CAST(";
    made.holes.push_back({static_cast<std::uint32_t>(made.after.size()), hole_kind::read, value.place});
    made.after += " AS " + type + ") AS pgteller_read OFFSET 0) pgteller_s)";
    return made;
  }

 private:
  [[nodiscard]] std::string named(const std::string& column) const {
    return alias_ + "." + quoted_name(column);
  }

  [[nodiscard]] std::string raise(const new_value& value, std::size_t check) const {
    const auto old = request_.log_values ? as_text(named(value.assigned->name)) : std::string{};
    return "CAST(CAST(" + marker_sql(request_.rule_index, check, key_, old) + " AS pg_catalog.int4) AS " +
           value.assigned->type + ")";
  }

  const prelude_request& request_;
  std::string alias_;
  std::string key_;
};

void insert_around(const token_text& text, const new_value& value, wrapping made,
                   std::vector<insertion>& into) {
  const auto& tokens = text.tokens();
  into.push_back({tokens[value.expression.first].begin, std::move(made.before), {}});
  into.push_back({tokens[value.expression.last - 1].end, std::move(made.after), std::move(made.holes)});
}

void sort_by_place(std::vector<insertion>& made) {
  std::stable_sort(made.begin(), made.end(), [](const insertion& one, const insertion& other) {
    return one.client_offset < other.client_offset;
  });
}

}  // namespace

std::vector<insertion> write_insertions(const token_text& text, const prelude_request& request) {
  std::vector<insertion> made;
  const insertion_writer writer{request};
  std::size_t check = 0;
  for (const auto& value : request.values) {
    if (number_type_of(*value.assigned) == number_type::unknown) return {};
    if (!value.rebased && !value.checks.empty())
      insert_around(text, value, writer.bounds(value, check), made);
    check += value.checks.size();
  }
  sort_by_place(made);
  return made;
}

std::vector<insertion> write_rebase(const token_text& text, const prelude_request& request, bool carry) {
  std::vector<insertion> made;
  const insertion_writer writer{request};
  std::size_t check = 0;
  for (const auto& value : request.values) {
    if (value.rebased) {
      auto around = writer.rebase(value);
      if (carry && !value.checks.empty()) {
        const auto outer = writer.bounds(value, check);
        around.before.insert(0, outer.before);
        around.after += outer.after;
      }
      insert_around(text, value, std::move(around), made);
    }
    check += value.checks.size();
  }
  sort_by_place(made);
  return made;
}

}  // namespace rules
