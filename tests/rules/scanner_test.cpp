#include "rules/scanner.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <rapidcheck.h>

namespace rules {
namespace {

std::vector<std::string> texts(std::string_view sql, bool backslash_escapes = false) {
  std::vector<std::string> found;
  scanner cursor{sql, backslash_escapes};
  for (;;) {
    const token next = cursor.next();
    if (next.kind == token_kind::end) return found;
    if (next.kind == token_kind::invalid) {
      found.emplace_back("invalid");
      return found;
    }
    found.emplace_back(sql.substr(next.begin, next.end - next.begin));
  }
}

using list = std::vector<std::string>;

TEST(scanner, cuts_words_numbers_and_punctuation) {
  EXPECT_EQ(texts("SELECT a.b1$, \"c\"\"d\"[1] FROM t_x;"),
            (list{"SELECT", "a", ".", "b1$", ",", "\"c\"\"d\"", "[", "1", "]", "FROM", "t_x", ";"}));
  EXPECT_EQ(texts("1 1.5 .5 1e5 1.e-3 1..2 1e"),
            (list{"1", "1.5", ".5", "1e5", "1.e-3", "1", "..", "2", "1", "e"}));
  EXPECT_EQ(texts("$1+$23"), (list{"$1", "+", "$23"}));
}

TEST(scanner, skips_comments) {
  EXPECT_EQ(texts("a -- b\nc /* d /* e */ f */ g --"), (list{"a", "c", "g"}));
  EXPECT_EQ(texts("a/*b*/-/*c*/1"), (list{"a", "-", "1"}));
  EXPECT_EQ(texts("a /* b"), (list{"a", "invalid"}));
}

TEST(scanner, takes_every_kind_of_string_whole) {
  EXPECT_EQ(texts("'a''b' E'a\\'b' b'01' X'ff' U&'d\\0061' U&\"d\" n'x'"),
            (list{"'a''b'", "E'a\\'b'", "b'01'", "X'ff'", "U&'d\\0061'", "U&\"d\"", "n", "'x'"}));
  EXPECT_EQ(texts("$$a$b$$ $x$ $$ $y$ $x$ a$b$c"), (list{"$$a$b$$", "$x$ $$ $y$ $x$", "a$b$c"}));
  EXPECT_EQ(texts("'a'\n  'b' 'c'"), (list{"'a'\n  'b'", "'c'"}));
  EXPECT_EQ(texts("'a\\' b"), (list{"'a\\'", "b"}));
  EXPECT_EQ(texts("'a\\' b'", true), (list{"'a\\' b'"}));
  EXPECT_EQ(texts("'a"), (list{"invalid"}));
  EXPECT_EQ(texts("\"a"), (list{"invalid"}));
  EXPECT_EQ(texts("$x$ a"), (list{"invalid"}));
}

TEST(scanner, cuts_operators_as_postgresql_does) {
  EXPECT_EQ(texts("a=-1"), (list{"a", "=", "-", "1"}));
  EXPECT_EQ(texts("a@-1"), (list{"a", "@-", "1"}));
  EXPECT_EQ(texts("a<>-b::c:=d=>e"), (list{"a", "<>", "-", "b", "::", "c", ":=", "d", "=>", "e"}));
  EXPECT_EQ(texts("a*--b\nc"), (list{"a", "*", "c"}));
}

TEST(scanner, stays_at_the_end) {
  scanner cursor{"a"};
  EXPECT_EQ(cursor.next().kind, token_kind::word);
  EXPECT_EQ(cursor.next().kind, token_kind::end);
  EXPECT_EQ(cursor.next().kind, token_kind::end);
}

struct span {
  std::uint32_t begin;
  std::uint32_t end;
  bool operator==(const span&) const = default;
};

// What PostgreSQL's own scanner says; empty optional if it refuses the text.
std::optional<std::vector<span>> reference(const std::string& sql) {
  PgQueryScanResult scanned = pg_query_scan(sql.c_str());
  std::optional<std::vector<span>> found;
  if (scanned.error == nullptr) {
    auto* result = pg_query__scan_result__unpack(nullptr, scanned.pbuf.len,
                                                 reinterpret_cast<const std::uint8_t*>(scanned.pbuf.data));
    found.emplace();
    for (std::size_t i = 0; i < result->n_tokens; ++i) {
      const auto* next = result->tokens[i];
      if (next->token == PG_QUERY__TOKEN__SQL_COMMENT || next->token == PG_QUERY__TOKEN__C_COMMENT) continue;
      found->push_back({static_cast<std::uint32_t>(next->start), static_cast<std::uint32_t>(next->end)});
    }
    pg_query__scan_result__free_unpacked(result, nullptr);
  }
  pg_query_free_scan_result(scanned);
  return found;
}

const std::vector<std::string> property_parts{"a",
                                              "FROM",
                                              "b$1",
                                              "\"q \"\" x\"",
                                              "'s'",
                                              "'it''s'",
                                              "E'\\''",
                                              "$1",
                                              "$tag$ ' $x$ $tag$",
                                              "$$ $$",
                                              "(",
                                              ")",
                                              "[",
                                              "]",
                                              ",",
                                              ";",
                                              ".",
                                              "::",
                                              ":=",
                                              "=>",
                                              "..",
                                              "+",
                                              "-",
                                              "*",
                                              "/",
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
                                              "%",
                                              "<>",
                                              "--c\n",
                                              "/*c /*d*/ */",
                                              "12",
                                              "1.5",
                                              ".5",
                                              "2e10",
                                              "x'1f'",
                                              "B'01'",
                                              "\n",
                                              "\t",
                                              " ",
                                              " ",
                                              " ",
                                              "'a'\n'b'",
                                              "\xC3\xA9",
                                              "-1",
                                              "<= ",
                                              ">=",
                                              "||",
                                              "->>",
                                              ":"};

// U&'…' is left out: libpg_query reports wrong bounds for it.
TEST(scanner, agrees_with_postgresqls_own) {
  EXPECT_TRUE(rc::check([&] {
    const auto chosen = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(property_parts));
    const bool spaced = *rc::gen::arbitrary<bool>();
    std::string sql;
    for (const auto& part : chosen) sql += part + (spaced ? " " : "");
    const auto theirs = reference(sql);
    const auto ours = scan_all(sql);
    if (!theirs) return;  // the server refuses it too
    if (!ours) {          // a stray byte, which PostgreSQL leaves to its parser to refuse
      PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql.c_str());
      const bool refused = parsed.error != nullptr;
      pg_query_free_protobuf_parse_result(parsed);
      RC_ASSERT(refused);
      return;
    }
    std::vector<span> spans;
    for (const auto& next : *ours) spans.push_back({next.begin, next.end});
    if (spans != *theirs) RC_LOG() << sql << "\n";
    RC_ASSERT(spans == *theirs);
  }));
}

}  // namespace
}  // namespace rules
