#include "proxy/session/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <system_error>

#include "protocol/reader.hpp"
#include "proxy/session/numbers.hpp"
#include "rules/identifiers.hpp"

namespace proxy::session {
namespace {

enum class family : std::uint8_t { integer, decimal, floating, boolean, text, uuid, other };

struct known_type {
  std::uint32_t oid;
  family kind;
  std::string_view name;
};

constexpr std::uint32_t oid_type = 26;
constexpr std::uint32_t unknown_type = 705;
constexpr std::uint32_t bpchar_type = 1042;
constexpr std::uint32_t name_type = 19;

/// pg_type.dat; these never change.
constexpr std::array<known_type, 14> known_types{{
    {16, family::boolean, "bool"},
    {name_type, family::text, "name"},
    {20, family::integer, "int8"},
    {21, family::integer, "int2"},
    {23, family::integer, "int4"},
    {25, family::text, "text"},
    {oid_type, family::integer, "oid"},
    {700, family::floating, "float4"},
    {701, family::floating, "float8"},
    {unknown_type, family::text, ""},  // a constant of it is a constant without a type
    {bpchar_type, family::text, "bpchar"},
    {1043, family::text, "varchar"},
    {1700, family::decimal, "numeric"},
    {2950, family::uuid, "uuid"},
}};

const known_type* known(std::uint32_t oid) {
  const auto* const found = std::lower_bound(known_types.begin(), known_types.end(), oid,
                                             [](const known_type& a, std::uint32_t b) { return a.oid < b; });
  return found != known_types.end() && found->oid == oid ? found : nullptr;
}

family family_of(std::uint32_t oid) {
  const known_type* const type = known(oid);
  return type ? type->kind : family::other;
}

/// A signed big-endian integer of 2, 4 or 8 bytes; `type` says whether 4 bytes are an oid.
std::optional<std::int64_t> integer_in(std::string_view bytes, std::uint32_t type) {
  protocol::reader in(bytes);
  switch (bytes.size()) {
    case 2:
      return in.i16();
    case 4:
      return type == oid_type ? std::int64_t{in.u32()} : std::int64_t{in.i32()};
    case 8: {
      const std::uint64_t high = in.u32();
      return static_cast<std::int64_t>((high << 32U) | in.u32());
    }
    default:
      return std::nullopt;
  }
}

std::optional<std::string> integer_text(std::string_view bytes, const known_type& type) {
  const std::size_t size = type.name == "int2" ? 2 : type.name == "int8" ? 8 : 4;
  const auto number = bytes.size() == size ? integer_in(bytes, type.oid) : std::nullopt;
  return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

std::optional<std::string> floating_text(std::string_view bytes, const known_type& type) {
  protocol::reader in(bytes);
  if (type.name == "float4") {
    if (bytes.size() != 4) return std::nullopt;
    return shortest(std::bit_cast<float>(in.u32()));
  }
  const auto bits = bytes.size() == 8 ? integer_in(bytes, type.oid) : std::nullopt;
  return bits ? std::optional(shortest(std::bit_cast<double>(*bits))) : std::nullopt;
}

std::optional<std::string> uuid_text(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (bytes.size() != 16) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += digits[byte >> 4U];
    text += digits[byte & 0xFU];
  }
  return text;
}

std::optional<std::string> binary_text(std::string_view bytes, std::uint32_t type_oid) {
  const known_type* const type = known(type_oid);
  if (!type) return std::nullopt;
  switch (type->kind) {
    case family::integer:
      return integer_text(bytes, *type);
    case family::decimal:
      return numeric_text(bytes);
    case family::floating:
      return floating_text(bytes, *type);
    case family::boolean:
      if (bytes.size() != 1) return std::nullopt;
      return bytes.front() != 0 ? "t" : "f";
    case family::uuid:
      return uuid_text(bytes);
    default:
      return std::string(bytes);
  }
}

/// uuid_in: 32 digits, a hyphen after any four of them, perhaps in braces.
std::optional<std::string> uuid_form(std::string_view text) {
  if (text.size() > 1 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  std::string bytes;
  while (bytes.size() < 16) {
    if (!bytes.empty() && bytes.size() % 2 == 0 && text.starts_with('-')) text.remove_prefix(1);
    unsigned byte = 0;
    const std::string_view pair = text.substr(0, 2);
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), byte, 16);
    if (error != std::errc{} || pair.size() != 2 || end != pair.data() + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
    text.remove_prefix(2);
  }
  return text.empty() ? uuid_text(bytes) : std::nullopt;
}

/// boolin: any beginning of a word that means one of them only, or a digit.
std::optional<std::string> boolean_form(std::string_view text) {
  const std::string word = lower_case(trimmed(text));
  const auto begins = [&](std::string_view of, std::size_t least) {
    return word.size() >= least && of.starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") return "t";
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return "f";
  return std::nullopt;
}

/// The family by which `value` is read if it stands for a key of type `key_type`.
family own_family(const value_view& value, std::uint32_t key_type) {
  return family_of(value.type == 0 ? key_type : value.type);
}

std::optional<std::string> number_form(const value_view& value, std::uint32_t key_type) {
  const std::uint32_t type = value.type == 0 ? key_type : value.type;
  const family own = family_of(type);
  if (own == family::integer && value.format != 0) {
    const auto number = integer_in(*value.bytes, type);
    return number ? std::optional(std::to_string(*number)) : std::nullopt;
  }
  if (own != family::integer && own != family::decimal && own != family::floating && own != family::text) {
    return std::nullopt;
  }
  const auto text = text_of({type, value.format, value.bytes});
  if (!text) return std::nullopt;
  auto number = decimal_form(*text);
  // Beyond 2^53 several integers are equal to one double.
  if (number && own == family::floating) {
    const auto exact = int64_in(*number);
    if (!exact || std::abs(static_cast<double>(*exact)) > 0x1p53) return std::nullopt;
  }
  return number;
}

/// As PostgreSQL and nearly every client spells an integer that is not negative.
bool is_plain_integer(std::string_view text) {
  constexpr std::size_t fits_in_64_bits = 18;
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char each) { return each >= '0' && each <= '9'; });
  return digits && !text.empty() && text.size() <= fits_in_64_bits && (text[0] != '0' || text.size() == 1);
}

std::optional<std::string> integer_form(const value_view& value, std::uint32_t key_type) {
  const bool integer = value.type == 0 || value.type == key_type || family_of(value.type) == family::integer;
  if (value.format == 0 && integer && is_plain_integer(*value.bytes)) return std::string(*value.bytes);
  const auto number = number_form(value, key_type);
  const auto whole = number ? int64_in(*number) : std::nullopt;
  if (!whole) return std::nullopt;
  if (key_type == oid_type && *whole < 0) return std::nullopt;  // oidin wraps it
  return std::to_string(*whole);
}

std::optional<std::string> numeric_form(const value_view& value, std::uint32_t key_type) {
  // PostgreSQL compares numeric with a float as floats, where several numerics are equal to one.
  if (own_family(value, key_type) == family::floating) return std::nullopt;
  return number_form(value, key_type);
}

std::optional<std::string> text_form(const value_view& value, std::uint32_t key_type) {
  if (own_family(value, key_type) != family::text) return std::nullopt;
  auto text = text_of({value.type == 0 ? unknown_type : value.type, value.format, value.bytes});
  if (!text) return std::nullopt;
  if (key_type == name_type && text->size() > rules::longest_name) return std::nullopt;
  const bool padded_key = key_type == bpchar_type;
  const bool padded =
      value.type == bpchar_type || (padded_key && (value.type == 0 || value.type == unknown_type));
  // Trailing spaces count or not, depending on which of the two types PostgreSQL compares by.
  if (padded != padded_key && text->ends_with(' ')) return std::nullopt;
  if (padded_key) text->erase(text->find_last_not_of(' ') + 1);
  return text;
}

constexpr std::string_view cast_begin = "CAST(";
constexpr std::string_view cast_as = " AS ";

/// Adds to the text before the next value, so that equal expressions have equal pieces.
void append_text(sql_value& to, std::string_view text) {
  if (text.empty()) return;
  if (to.pieces.empty() || to.pieces.back().value) to.pieces.emplace_back();
  to.pieces.back().text += text;
}

void append_value(sql_value& to, bound_value value) {
  if (to.pieces.empty() || to.pieces.back().value) to.pieces.emplace_back();
  to.pieces.back().value = std::move(value);
}

/// No name or keyword that came before may run into it: U&'…' is no & any more.
void append_token(std::string& to, std::string_view token) {
  if (!to.empty() && to.back() != ' ' && to.back() != '(') to += ' ';
  to += token;
}

bool append_constant(const bound_value& value, std::string& to) {
  const known_type* const type = known(value.type);
  std::string constant = "NULL";
  if (value.bytes) {
    const auto text = text_of(value);
    if (!text) return false;
    constant = rules::quoted_literal(*text);
  }
  if (!type || type->name.empty()) {
    append_token(to, constant);
    return true;
  }
  append_token(to, "CAST(");
  to.append(constant).append(" AS pg_catalog.").append(type->name).append(")");
  return true;
}

}  // namespace

bound_value kept(const value_view& value) {
  bound_value made{value.type, value.format, std::nullopt};
  if (value.bytes) made.bytes.emplace(*value.bytes);
  return made;
}

bool same_value(const value_view& one, const value_view& other) {
  if (!one.bytes || !other.bytes) return !one.bytes && !other.bytes;
  if (one.format == other.format && one.type == other.type) return one.bytes == other.bytes;
  const auto text = text_of(one);
  return text && text == text_of(other);
}

std::optional<std::string> text_of(const value_view& value) {
  if (!value.bytes || (value.format != 0 && value.format != 1)) return std::nullopt;
  auto text =
      value.format == 0 ? std::optional(std::string(*value.bytes)) : binary_text(*value.bytes, value.type);
  if (text && text->find('\0') != std::string::npos) return std::nullopt;  // no text of PostgreSQL's has one
  return text;
}

std::optional<std::string> canonical(const value_view& value, std::uint32_t key_type, speaker said_by) {
  if (!value.bytes) return std::nullopt;
  family kind = family_of(key_type);
  if (kind == family::other || kind == family::floating) {
    if (said_by == speaker::client) return std::nullopt;
    // RowDescription names the base type of a domain.
    key_type = value.type;
    kind = family_of(key_type);
  }
  switch (kind) {
    case family::integer:
      return integer_form(value, key_type);
    case family::decimal:
      return numeric_form(value, key_type);
    case family::text:
      return text_form(value, key_type);
    case family::boolean: {
      if (own_family(value, key_type) != family::boolean && own_family(value, key_type) != family::text) {
        return std::nullopt;
      }
      const auto text = text_of({value.type == 0 ? key_type : value.type, value.format, value.bytes});
      return text ? boolean_form(*text) : std::nullopt;
    }
    case family::uuid: {
      if (own_family(value, key_type) != family::uuid && own_family(value, key_type) != family::text) {
        return std::nullopt;
      }
      const auto text = text_of({value.type == 0 ? key_type : value.type, value.format, value.bytes});
      return text ? uuid_form(*text) : std::nullopt;
    }
    default:
      return text_of(value);
  }
}

sql_value cast(bound_value value, std::string_view type) {
  sql_value made;
  made.pieces.resize(2);
  made.pieces[0] = {std::string(cast_begin), std::move(value)};
  std::string& end = made.pieces[1].text;
  end.reserve(cast_as.size() + type.size() + 1);
  end.append(cast_as).append(type).append(1, ')');
  return made;
}

const bound_value* cast_value(const sql_value& made, std::string_view type) noexcept {
  if (made.pieces.size() != 2) return nullptr;
  const auto& [begin, value] = made.pieces[0];
  const std::string_view end = made.pieces[1].text;
  const bool is_cast = begin == cast_begin && value && !made.pieces[1].value &&
                       end.size() == cast_as.size() + type.size() + 1 && end.starts_with(cast_as) &&
                       end.substr(cast_as.size(), type.size()) == type && end.back() == ')';
  return is_cast ? &*value : nullptr;
}

std::optional<sql_value> evaluate(const rules::sql_expression& expression,
                                  const protocol::frontend::bind_view* bind,
                                  const std::vector<std::uint32_t>& types, const sql_value* previous) {
  sql_value made;
  for (const rules::sql_piece& piece : expression) {
    switch (piece.kind) {
      case rules::sql_piece::type::text:
        append_text(made, piece.text);
        break;
      case rules::sql_piece::type::parameter: {
        if (!bind || piece.number == 0 || piece.number > bind->values.size()) return std::nullopt;
        const std::size_t index = piece.number - std::size_t{1};
        bound_value value{index < types.size() ? types[index] : 0, bind->format(index), std::nullopt};
        if (const auto bytes = bind->value(index)) value.bytes.emplace(*bytes);
        append_value(made, std::move(value));
        break;
      }
      case rules::sql_piece::type::previous:
        if (!previous) return std::nullopt;
        append_text(made, "(");
        for (const sql_value::piece& part : previous->pieces) {
          append_text(made, part.text);
          if (part.value) append_value(made, *part.value);
        }
        append_text(made, ")");
        break;
    }
  }
  return made;
}

std::string with_parameters(const sql_value& value, parameter_list& into) {
  std::string sql;
  for (const sql_value::piece& piece : value.pieces) {
    sql += piece.text;
    if (!piece.value) continue;
    into.values.push_back(*piece.value);
    sql += '$' + std::to_string(into.values.size());
  }
  return sql;
}

std::optional<std::string> with_constants(const sql_value& value) {
  std::string sql;
  for (const sql_value::piece& piece : value.pieces) {
    sql += piece.text;
    if (piece.value && !append_constant(*piece.value, sql)) return std::nullopt;
  }
  return sql;
}

}  // namespace proxy::session
