#include "proxy/ops/conninfo.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace proxy::ops {
namespace {

std::string words_of(const std::string& conninfo, const std::string& database = "shop") {
  upstream_settings upstream;
  upstream.host = "db";
  upstream.port = 6000;
  auto words = connection_words(upstream, {conninfo}, database);
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.keyword < b.keyword; });
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word.keyword + "=" + word.value;
  return text;
}

TEST(conninfo, is_completed_from_upstream) {
  EXPECT_EQ(
      words_of("user=u"),
      "application_name=pgteller client_encoding=UTF8 dbname=shop host=db port=6000 sslmode=prefer user=u");
}

TEST(conninfo, says_more_than_upstream) {
  EXPECT_EQ(
      words_of("host=other port=1 sslmode=disable application_name=x dbname=ignored connect_timeout=99"),
      "application_name=x client_encoding=UTF8 dbname=shop host=other port=1 sslmode=disable");
  EXPECT_EQ(words_of("hostaddr=10.0.0.1"),
            "application_name=pgteller client_encoding=UTF8 dbname=shop hostaddr=10.0.0.1 port=6000 "
            "sslmode=prefer");
  EXPECT_EQ(words_of("service=s"),
            "application_name=pgteller client_encoding=UTF8 dbname=shop service=s sslmode=prefer");
}

TEST(conninfo, may_be_a_uri) {
  EXPECT_EQ(words_of("postgresql://u@h:7/ignored"),
            "application_name=pgteller client_encoding=UTF8 dbname=shop host=h port=7 sslmode=prefer user=u");
}

TEST(conninfo, a_database_name_is_never_read_as_conninfo) {
  const auto text = words_of("user=u", "host=evil port=1");
  EXPECT_NE(text.find("dbname=host=evil port=1"), std::string::npos);
  EXPECT_NE(text.find("host=db"), std::string::npos);
}

TEST(conninfo, default_database) {
  unsetenv("PGDATABASE");
  EXPECT_EQ(default_database({"user=u dbname=d"}), "d");
  EXPECT_EQ(default_database({"user=u"}), "u");
}

}  // namespace
}  // namespace proxy::ops
