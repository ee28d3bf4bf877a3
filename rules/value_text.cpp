#include "rules/value_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace rules {
namespace {

// PostgreSQL's immutable functions of numbers; others, as now(), may answer differently later.
bool is_steady_call(const PgQuery__FuncCall& call) {
  constexpr std::array names{
      std::string_view{"round"}, std::string_view{"trunc"},   std::string_view{"abs"},
      std::string_view{"ceil"},  std::string_view{"ceiling"}, std::string_view{"floor"},
      std::string_view{"mod"},   std::string_view{"div"},     std::string_view{"sign"}};
  return call.n_funcname == 1 &&
         std::find(names.begin(), names.end(), string_of(call.funcname[0])) != names.end();
}

bool is_steady(const node* value) {
  bool steady = true;
  walk(value, [&](const message* found) {
    if (const auto* call = as<PgQuery__FuncCall>(found)) steady = steady && is_steady_call(*call);
    steady = steady && as<PgQuery__SQLValueFunction>(found) == nullptr &&
             as<PgQuery__SubLink>(found) == nullptr && as<PgQuery__SetToDefault>(found) == nullptr;
    return steady;
  });
  return steady;
}

// The tokens of name.name.name.
std::optional<token_range> tokens_of(const token_text& text, const PgQuery__ColumnRef& column) {
  const auto first = text.at(static_cast<std::uint32_t>(std::max(column.location, 0)));
  if (!first) return std::nullopt;
  const token_range range{*first, *first + 2 * column.n_fields - 1};
  const auto& tokens = text.tokens();
  if (range.last > tokens.size()) return std::nullopt;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const auto kind = tokens[i].kind;
    const bool dot = (i - range.first) % 2 == 1;
    const bool name = kind == token_kind::word || kind == token_kind::quoted_word;
    if (dot ? kind != token_kind::dot : !name) return std::nullopt;
  }
  return range;
}

class expression_writer {
 public:
  explicit expression_writer(const token_text& text) : text_{text} {}

  void add_text(std::string_view added) {
    if (made_.empty() || made_.back().kind != sql_piece::type::text) made_.emplace_back();
    made_.back().text += added;
  }

  /// Tokens of `range`; `columns`, in their order, stand for the value before.
  bool copy(token_range range, const std::vector<token_range>& columns) {
    const auto& tokens = text_.tokens();
    std::uint32_t from = tokens[range.first].begin;
    auto column = columns.begin();
    for (std::size_t i = range.first; i < range.last; ++i) {
      if (column != columns.end() && column->first == i) {
        stretch(from, tokens[i].begin);
        made_.push_back({sql_piece::type::previous, {}, 0});
        i = column->last - 1;
        from = tokens[i].end;
        ++column;
      } else if (tokens[i].kind == token_kind::parameter) {
        const auto number = parameter_number(text_, tokens[i]);
        if (number == 0) return false;
        stretch(from, tokens[i].begin);
        made_.push_back({sql_piece::type::parameter, {}, number});
        from = tokens[i].end;
      }
    }
    stretch(from, tokens[range.last - 1].end);
    return column == columns.end();
  }

  [[nodiscard]] sql_expression take() { return std::move(made_); }

 private:
  void stretch(std::uint32_t from, std::uint32_t to) {
    if (from < to) add_text(text_.text().substr(from, to - from));
  }

  const token_text& text_;
  sql_expression made_;
};

}  // namespace

std::uint16_t parameter_number(const token_text& text, const token& parameter) noexcept {
  const auto digits = text.text().substr(parameter.begin + 1, parameter.end - parameter.begin - 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} && end == digits.data() + digits.size() ? number : std::uint16_t{0};
}

sql_expression value_expression(const token_text& text, token_range range, const node* value,
                                std::string_view type) {
  if (range.empty() || !is_steady(value)) return {};
  std::vector<token_range> columns;
  bool fits = true;
  walk(value, [&](const message* found) {
    if (const auto* column = as<PgQuery__ColumnRef>(found)) {
      const auto place = tokens_of(text, *column);
      fits = fits && place && place->first >= range.first && place->last <= range.last;
      if (fits) columns.push_back(*place);
    }
    return fits;
  });
  if (!fits) return {};
  std::sort(columns.begin(), columns.end(),
            [](const token_range& one, const token_range& other) { return one.first < other.first; });
  expression_writer writer{text};
  writer.add_text("CAST(");
  if (!writer.copy(range, columns)) return {};
  writer.add_text(" AS ");
  writer.add_text(type);
  writer.add_text(")");
  return writer.take();
}

}  // namespace rules
