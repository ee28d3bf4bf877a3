// What a result's columns are: which of them hold guarded columns and keys, by RowDescription; and a DataRow
// read by that. Knows the messages' bodies and the rule book's relations, nothing of what is done with rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/backend.hpp"
#include "proxy/session/values.hpp"
#include "rules/rule_book.hpp"

namespace proxy::session {

/// RowDescription, as far as it says where a field comes from.
struct row_shape {
  struct column {
    std::uint32_t table = 0;  // OID; 0: an expression
    std::int16_t number = 0;  // pg_attribute.attnum
    std::uint32_t type = 0;
    std::int16_t format = 0;  // meaningless where it came from Describe of a statement
  };
  std::vector<column> columns;
};
[[nodiscard]] std::optional<row_shape> read_shape(std::string_view row_description_body);

/// Makes `formats` those that the shape itself names: those of the rows of a simple query (a binary cursor's
/// are binary).
void formats_of(const row_shape& shape, std::vector<std::int16_t>& formats);

/// One row of one relation, as the client is told it. The bytes are those of the message.
struct told_row {
  std::vector<std::optional<value_view>> key;           // by guarded_relation::key; none: not in the result
  std::vector<std::optional<value_view>> columns;       // by guarded_relation::columns
  std::vector<std::optional<std::string_view>> fields;  // all of the result's
};

/// Reads the rows of one relation out of a result.
class row_reader {
 public:
  /// Nothing to read: no guarded column of the relation is in the result, or one is there twice.
  [[nodiscard]] static std::optional<row_reader> make(const row_shape& shape,
                                                      const rules::guarded_relation& of);

  /// `formats` as in Bind: none for text, one for all, or one each. A key column that is there twice with
  /// different bytes counts as not there. False if the row is not of this shape. A key of NULL (an outer
  /// join without this row) is a value without bytes.
  [[nodiscard]] bool read(std::string_view data_row_body, const std::vector<std::int16_t>& formats,
                          told_row& row) const;

  /// All columns of the key are in the result.
  [[nodiscard]] bool has_key() const noexcept;

 private:
  struct place {
    std::vector<std::size_t> fields;  // in the row; none: not in the result
    std::uint32_t type = 0;
  };
  static place find(const row_shape& shape, std::uint32_t table, std::int16_t number);

  std::vector<place> key_;
  std::vector<place> columns_;
  std::size_t fields_ = 0;  // in a row
};

/// The readers that one statement's result needs. Made once for as long as its shape and the rules last.
struct result_readers {
  static constexpr std::int32_t nothing = -1;
  std::shared_ptr<const rules::rule_book> book;
  std::vector<std::int32_t> relations;             // which each reads: index into rule_book::relations()
  std::vector<std::optional<row_reader>> readers;  // none: nothing can be read
};

}  // namespace proxy::session
