#include "rules/marker.hpp"

#include <gtest/gtest.h>

namespace rules {
namespace {

TEST(marker, is_found_whatever_surrounds_it) {
  EXPECT_EQ(parse_marker(R"(invalid input syntax for type integer: "pgteller/0/0/7//")"),
            (raised{0, 0, "7", {}}));
  EXPECT_EQ(parse_marker("ungültige Eingabesyntax für Typ integer: »pgteller/3/12/7/3.50/«"),
            (raised{3, 12, "7", "3.50"}));
  EXPECT_EQ(parse_marker("整数型の入力構文が不正です: \"pgteller/0/1/a,b//\""), (raised{0, 1, "a,b", {}}));
}

TEST(marker, gives_back_keys_with_slashes_quotes_and_marks) {
  EXPECT_EQ(parse_marker("x \"pgteller/0/0/a!1b!0//\""), (raised{0, 0, "a/b!", {}}));
  EXPECT_EQ(parse_marker("x \"pgteller/0/0/say \"hi\" 'there' »«//\""),
            (raised{0, 0, "say \"hi\" 'there' »«", {}}));
  EXPECT_EQ(parse_marker("x \"pgteller/0/0/pgteller!1////\""), (raised{0, 0, "pgteller/", {}}));
  EXPECT_EQ(parse_marker("x \"pgteller/0/0/ // \""), (raised{0, 0, " ", {}}));
  EXPECT_EQ(parse_marker("x \"pgteller/0/0///\""), (raised{0, 0, "", {}}));
}

TEST(marker, is_not_seen_where_it_is_not) {
  EXPECT_EQ(parse_marker(""), std::nullopt);
  EXPECT_EQ(parse_marker("division by zero"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/0/7"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/0/7/"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/x/0/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/x/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0//7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller//0/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/-1/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/70000/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/70000/0/7//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/0/a!2//"), std::nullopt);
  EXPECT_EQ(parse_marker("pgteller/0/0/a!"), std::nullopt);
}

TEST(marker, passes_over_a_damaged_one) {
  EXPECT_EQ(parse_marker("pgteller/ pgteller/0/3/9//"), (raised{0, 3, "9", {}}));
}

TEST(marker, is_written_as_it_is_read) {
  EXPECT_EQ(marker_sql(1, 2, "k", ""),
            "'pgteller/1/2/' || pg_catalog.replace(pg_catalog.replace(k, '!', '!0'), '/', '!1') || '//'");
  EXPECT_TRUE(marker_sql(0, 0, "k", "v").ends_with(" || '/' || v || '/'"));
}

}  // namespace
}  // namespace rules
