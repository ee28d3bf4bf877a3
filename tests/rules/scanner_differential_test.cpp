// Where a literal, an identifier or a comment ends decides what a statement is. The scanner is set against
// libpg_query's, which is PostgreSQL's own, on text made to be misread: quotes, tags and comments that open
// and do not close, escapes, prefixes, continued strings, bytes above ASCII.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <rapidcheck.h>

#include "rules/scanner.hpp"

namespace rules {
namespace {

struct piece {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // 0 where libpg_query tells a wrong one: U&
  token_kind kind = token_kind::word;
  bool operator==(const piece&) const = default;
};

token_kind kind_of(PgQuery__Token token, char first) {
  switch (token) {
    case PG_QUERY__TOKEN__SCONST:
    case PG_QUERY__TOKEN__USCONST:
    case PG_QUERY__TOKEN__BCONST:
    case PG_QUERY__TOKEN__XCONST:
      return token_kind::string;
    case PG_QUERY__TOKEN__UIDENT:
      return token_kind::quoted_word;
    case PG_QUERY__TOKEN__IDENT:
      return first == '"' ? token_kind::quoted_word : token_kind::word;
    case PG_QUERY__TOKEN__PARAM:
      return token_kind::parameter;
    case PG_QUERY__TOKEN__ICONST:
    case PG_QUERY__TOKEN__FCONST:
      return token_kind::number;
    default:
      return token_kind::op;  // punctuation and keywords, told apart by their first byte below
  }
}

token_kind plain(token_kind kind) {
  switch (kind) {
    case token_kind::string:
    case token_kind::quoted_word:
    case token_kind::parameter:
    case token_kind::number:
    case token_kind::word:
      return kind;
    default:
      return token_kind::op;
  }
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_unicode(const std::string& sql, std::size_t begin) {
  return begin + 2 < sql.size() && (sql[begin] == 'u' || sql[begin] == 'U') && sql[begin + 1] == '&' &&
         (sql[begin + 2] == '\'' || sql[begin + 2] == '"');
}

std::optional<std::vector<piece>> theirs(const std::string& sql) {
  const PgQueryScanResult scanned = pg_query_scan(sql.c_str());
  std::optional<std::vector<piece>> found;
  if (scanned.error == nullptr) {
    auto* result = pg_query__scan_result__unpack(nullptr, scanned.pbuf.len,
                                                 reinterpret_cast<const std::uint8_t*>(scanned.pbuf.data));
    found.emplace();
    for (std::size_t i = 0; i < result->n_tokens; ++i) {
      const auto* next = result->tokens[i];
      if (next->token == PG_QUERY__TOKEN__SQL_COMMENT || next->token == PG_QUERY__TOKEN__C_COMMENT) continue;
      const auto begin = static_cast<std::uint32_t>(next->start);
      auto kind = kind_of(next->token, sql[begin]);
      if (kind == token_kind::op && is_letter(sql[begin])) kind = token_kind::word;
      found->push_back({begin, is_unicode(sql, begin) ? 0 : static_cast<std::uint32_t>(next->end), kind});
    }
    pg_query__scan_result__free_unpacked(result, nullptr);
  }
  pg_query_free_scan_result(scanned);
  return found;
}

bool is_refused(const std::string& sql) {
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql.c_str());
  const bool refused = parsed.error != nullptr;
  pg_query_free_protobuf_parse_result(parsed);
  return refused;
}

void compare(const std::string& sql) {
  const auto reference = theirs(sql);
  if (!reference) {
    RC_ASSERT(is_refused(sql));  // so it is opaque, whatever the scanner makes of it
    return;
  }
  const auto ours = scan_all(sql);
  if (!ours) {
    if (!is_refused(sql)) RC_LOG() << sql << "\n";
    RC_ASSERT(is_refused(sql));
    return;
  }
  std::vector<piece> found;
  for (const auto& next : *ours)
    found.push_back({next.begin, is_unicode(sql, next.begin) ? 0 : next.end, plain(next.kind)});
  if (found != *reference) RC_LOG() << sql << "\n";
  RC_ASSERT(found == *reference);
}

const std::vector<std::string> fragments{"'",
                                         "'",
                                         "'",
                                         "\"",
                                         "\"",
                                         "\\",
                                         "\\'",
                                         "''",
                                         "\"\"",
                                         "E'",
                                         "e'",
                                         "U&'",
                                         "u&\"",
                                         "U&\"",
                                         "N'",
                                         "n'",
                                         "B'",
                                         "x'",
                                         "X'1",
                                         "$$",
                                         "$$",
                                         "$a$",
                                         "$a$",
                                         "$A$",
                                         "$a",
                                         "$1",
                                         "$1a",
                                         "a$b$",
                                         "$_1$",
                                         "$\xC3\xA9$",
                                         "--",
                                         "--x\n",
                                         "/*",
                                         "/*",
                                         "*/",
                                         "*/",
                                         "/",
                                         "*",
                                         "\n",
                                         "\n",
                                         "\r",
                                         "\t",
                                         "\f",
                                         "\v",
                                         " ",
                                         " ",
                                         " ",
                                         "a",
                                         "ab",
                                         "E",
                                         "U&",
                                         "u",
                                         "wallets",
                                         "SELECT",
                                         "FROM",
                                         "UESCAPE '!'",
                                         "0",
                                         "1",
                                         "12",
                                         "1.",
                                         ".5",
                                         "1e5",
                                         "1e",
                                         "1e+",
                                         "1.e-3",
                                         "1..2",
                                         "0x1F",
                                         "1_000",
                                         "+",
                                         "-",
                                         "<",
                                         ">",
                                         "=",
                                         "~",
                                         "!",
                                         "@",
                                         "#",
                                         "^",
                                         "&",
                                         "|",
                                         "`",
                                         "?",
                                         "%",
                                         ":",
                                         "::",
                                         ":=",
                                         "=>",
                                         "<>",
                                         "!=",
                                         "..",
                                         ".",
                                         ",",
                                         ";",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x92\xB0",
                                         "\xC2\xA0",
                                         "\\000041",
                                         "\\0041",
                                         "\\x41",
                                         "'\n'",
                                         "' -- c\n '"};

// Mostly short, so that many of them are whole.
TEST(scanner_differential, agrees_on_text_made_to_be_misread) {
  EXPECT_TRUE(rc::check([] {
    const auto chosen = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(fragments));
    std::string sql;
    for (const auto& part : chosen) sql += part;
    compare(sql);
  }));
}

// Each opening closed behind something else that would close another.
TEST(scanner_differential, agrees_on_nested_openings) {
  struct pair {
    const char* open;
    const char* close;
  };
  static constexpr std::array<pair, 10> pairs{{{"'", "'"},
                                               {"E'", "'"},
                                               {"U&'", "'"},
                                               {"\"", "\""},
                                               {"U&\"", "\""},
                                               {"$$", "$$"},
                                               {"$a$", "$a$"},
                                               {"/*", "*/"},
                                               {"--", "\n"},
                                               {"(", ")"}}};
  EXPECT_TRUE(rc::check([] {
    const auto chosen =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, pairs.size()));
    const auto inside = *rc::gen::container<std::vector<std::string>>(2, rc::gen::elementOf(fragments));
    std::string sql = "SELECT ";
    for (const auto index : chosen) sql += pairs[index].open;
    sql += inside[0];
    for (auto index = chosen.rbegin(); index != chosen.rend(); ++index) sql += pairs[*index].close;
    compare(sql + " " + inside[1] + " , wallets");
  }));
}

}  // namespace
}  // namespace rules
