#include <algorithm>

#include "rules/compiled_book.hpp"
#include "rules/plan.hpp"
#include "rules/rule_book.hpp"

namespace rules {
namespace {

std::string_view kind_name(plan_kind kind) noexcept {
  switch (kind) {
    case plan_kind::forward:
      return "forward";
    case plan_kind::wrap:
      return "wrap";
    case plan_kind::reject:
      break;
  }
  return "reject";
}

class plan_writer {
 public:
  /// `book` may be null: relations and columns are then told by number.
  plan_writer(const plan& planned, const compiled_book* book) : planned_{planned}, book_{book} {}

  std::string write() {
    line("plan: ", kind_name(planned_.kind));
    if (!planned_.why.empty()) line("why: ", planned_.why);
    if (!planned_.refusal.empty()) line("refusal: ", planned_.refusal);
    for (const auto& counted : planned_.touches) add(counted);
    for (const auto& note : planned_.reads) add(note);
    for (const auto& note : planned_.writes) add(note);
    for (const auto& hidden : planned_.preludes) add(hidden);
    if (planned_.shares_commit) line("shares: ", "a commit with others that write the row");
    return std::move(text_);
  }

 private:
  void line(std::string_view label, std::string_view content) { text_.append(label).append(content) += '\n'; }

  void add(const touch& counted) {
    text_ += "touch: rule " + std::to_string(counted.rule) + ", ";
    text_.append(name(counted.kind)).append(", ").append(name(counted.action));
    if (counted.unguarded) text_.append(", unguarded: ").append(name(counted.reason));
    text_ += '\n';
  }

  void add(const read_note& note) {
    text_ += "read: " + relation_name(note.relation) + " by ";
    rows(note.relation, note.rows);
    text_ += note.ambiguous ? ", ambiguous" : ", recorded";
    if (note.locks) text_ += ", held by its lock";
    text_ += '\n';
  }

  void add(const write_note& note) {
    text_ += "write: " + relation_name(note.relation) + " by ";
    rows(note.relation, note.rows);
    if (note.every_row) text_ += " alone";
    text_.append(", ").append(name(note.kind));
    if (note.removes) text_ += ", removes";
    if (note.compares) text_ += ", compares itself";
    text_ += '\n';
    for (const auto& value : note.values) add(note.relation, value);
    if (note.prelude >= 0) text_ += "validates: in prelude " + std::to_string(note.prelude) + '\n';
    for (const auto& own : note.rebase) add("rebases", note.relation, own);
  }

  void add(std::uint16_t relation, const assigned_value& value) {
    text_ += "value: " + guarded_name(relation, value.column) + ", ";
    text_.append(name(value.kind));
    if (!value.value.empty()) text_ += ", ";
    for (const auto& piece : value.value) {
      if (piece.kind == sql_piece::type::text) text_ += piece.text;
      if (piece.kind == sql_piece::type::parameter) text_ += '$' + std::to_string(piece.number);
      if (piece.kind == sql_piece::type::previous) text_ += "<previous>";
    }
    text_ += '\n';
  }

  void rows(std::uint16_t relation, const std::vector<pinned_row>& named) {
    if (named.empty()) text_ += "any row";
    for (std::size_t i = 0; i < named.size(); ++i) {
      text_ += i > 0 ? " or " : named[i].by_key ? "key " : named[i].unique ? "unique " : "";
      const char* between = "";
      for (const auto& pinned : named[i].columns) {
        text_ += between + column_name(relation, pinned.column) + " = ";
        text_ += pinned.parameter > 0 ? '$' + std::to_string(pinned.parameter) : "'" + pinned.constant + "'";
        between = " and ";
      }
    }
  }

  void add(const prelude& hidden) {
    text_ += "prelude: rule " + std::to_string(hidden.rule) + ", table ";
    if (!hidden.schema.empty()) text_ += hidden.schema + ".";
    text_ += hidden.table;
    text_ += hidden.before_bind ? ", before Bind" : ", before Execute";
    if (hidden.only_with_checks) text_ += ", only with checks";
    if (hidden.tells_gone) text_ += ", tells a row that is gone";
    if (hidden.once) text_ += ", once";
    text_ += '\n';
    indented(with_holes(hidden.sql, hidden.holes, relation_of(hidden)));
    for (std::size_t i = 0; i < hidden.parameters.size(); ++i) {
      text_ += "parameter: $" + std::to_string(i + 1) + " is the client's $" +
               std::to_string(hidden.parameters[i]) + '\n';
    }
    for (std::size_t i = 0; i < hidden.checks.size(); ++i) {
      const auto& check = hidden.checks[i];
      text_ += "check: " + std::to_string(i) + ", " + check.column + (check.is_min ? " >= " : " <= ") +
               check.bound + '\n';
    }
    for (const auto& own : hidden.insertions) add("inserted", relation_of(hidden), own);
    text_ += "copied:";
    for (const auto& stretch : hidden.copied) {
      text_ += " " + std::to_string(stretch.client_offset) + "+" + std::to_string(stretch.size) + " at " +
               std::to_string(stretch.prelude_offset) + ";";
    }
    text_ += '\n';
  }

  void add(std::string_view label, std::uint16_t relation, const insertion& own) {
    text_.append(label).append(" into the client's statement at ");
    text_ += std::to_string(own.client_offset) + ": " + with_holes(own.text, own.holes, relation) + '\n';
  }

  // Continuation lines are indented, so that every fact still begins at a line's start.
  void indented(std::string_view sql) {
    text_ += "  ";
    for (const char c : sql) {
      text_ += c;
      if (c == '\n') text_ += "  ";
    }
    text_ += '\n';
  }

  [[nodiscard]] std::string with_holes(std::string_view sql, const std::vector<hole>& holes,
                                       std::uint16_t relation) const {
    std::string shown;
    std::size_t from = 0;
    for (const auto& one : holes) {
      shown.append(sql.substr(from, one.offset - from));
      shown +=
          one.kind == hole_kind::checks ? " <checks>" : "<read " + guarded_name(relation, one.column) + ">";
      from = one.offset;
    }
    return shown.append(sql.substr(from));
  }

  // The one whose columns the prelude's holes mean.
  [[nodiscard]] std::uint16_t relation_of(const prelude& hidden) const {
    const auto index = &hidden - planned_.preludes.data();
    const auto note = std::find_if(planned_.writes.begin(), planned_.writes.end(),
                                   [index](const write_note& one) { return one.prelude == index; });
    return note == planned_.writes.end() ? no_relation : note->relation;
  }

  [[nodiscard]] const guarded_relation* find(std::uint16_t relation) const {
    return book_ == nullptr || relation >= book_->relations.size() ? nullptr : &book_->relations[relation];
  }

  [[nodiscard]] std::string relation_name(std::uint16_t relation) const {
    const auto* known = find(relation);
    if (known == nullptr) return "relation " + std::to_string(relation);
    return known->schema.empty() ? known->name : known->schema + "." + known->name;
  }

  [[nodiscard]] std::string guarded_name(std::uint16_t relation, std::uint16_t column) const {
    const auto* known = find(relation);
    if (known == nullptr || column >= known->columns.size()) return "column " + std::to_string(column);
    return known->columns[column].name;
  }

  [[nodiscard]] std::string column_name(std::uint16_t relation, std::int16_t number) const {
    const auto* known = find(relation);
    if (known != nullptr) {
      for (const auto& guarded : book_->details[known->rule].tables) {
        if (guarded.relation != relation) continue;
        for (const auto& column : guarded.table.columns) {
          if (column.number == number) return column.name;
        }
      }
    }
    return "column " + std::to_string(number);
  }

  const plan& planned_;
  const compiled_book* book_;
  std::string text_;
};

}  // namespace

std::string to_text(const plan& planned) {
  return plan_writer{planned, nullptr}.write();
}

std::string rule_book::to_text(const plan& planned) const {
  return plan_writer{planned, compiled_.get()}.write();
}

}  // namespace rules
