// Text that PostgreSQL reads in another way than it looks: settings and encodings decide where a string ends.
// A write of the guarded column that hides behind such an end is guarded, or counted, and never passes
// silently; that it is a write at all is shown directly first.
#include <gtest/gtest.h>

#include "tests/e2e/shape_stage.hpp"

namespace e2e {
namespace {

struct disguise {
  const char* name;
  const char* setting;  // what makes PostgreSQL read the text so
  const char* sql;      // sets the balance of wallet 1 to -1
};

// In Shift JIS and GBK the second byte of a character may be a backslash, which is none then.
constexpr disguise disguises[] = {
    {"backslash escapes the quote", "SET standard_conforming_strings = off",
     R"(UPDATE wallets SET owner = '\'', balance = -1 WHERE id = 1 --')"},
    {"backslash is half a character of Shift JIS",
     "SET standard_conforming_strings = off; SET client_encoding = 'SJIS'",
     "UPDATE wallets SET owner = '\x83\x5c', balance = -1 WHERE id = 1 --'"},
    {"backslash is half a character of GBK, behind E", "SET client_encoding = 'GBK'",
     "UPDATE wallets SET owner = E'\x8b\x5c', balance = -1 WHERE id = 1 --'"},
    {"quote is escaped where that is safe", "SET backslash_quote = safe_encoding",
     R"(UPDATE wallets SET owner = E'\'', balance = -1 WHERE id = 1 --')"},
    {"quote is escaped in every encoding", "SET backslash_quote = on; SET client_encoding = 'LATIN1'",
     R"(UPDATE wallets SET owner = E'\'', balance = -1 WHERE id = 1 --')"},
    {"comments nest", "SET application_name = 'x'",
     "UPDATE wallets SET /* /* */ owner = 'x', */ balance = -1 WHERE id = 1 --*/"},
    {"dollars quote", "SET application_name = 'x'",
     "UPDATE wallets SET owner = $a$ $b$ ' $a$, balance = -1 WHERE id = 1 -- $b$'"},
    {"names are spelt in Unicode", "SET application_name = 'x'",
     R"(UPDATE U&"w\0061llets" SET U&"b!0061lance" UESCAPE '!' = -1 WHERE id = 1)"},
};

class reading : public shape_stage {
 protected:
  void expect_guarded_or_counted(const std::string& how) {
    const std::string now = balance(1);
    if (now == "-1.00") {
      EXPECT_GE(settled(*proxy_, "pgteller_unguarded_total", counted_ + 1), counted_ + 1) << how;
    } else {
      EXPECT_EQ(now, "100.00") << how;
    }
    counted_ = proxy_->metric("pgteller_unguarded_total");
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 100 WHERE id = 1").ok());
  }

  void in_turn(const disguise& each) {
    const auto here = proxied();
    here->send(query(each.setting));
    static_cast<void>(here->messages(1));
    here->send(query(each.sql));
    static_cast<void>(here->messages(1));
    expect_guarded_or_counted("a query of its own");
    here->send(parse("s", each.sql) + bind("", "s") + execute("") + sync());
    static_cast<void>(here->messages(1));
    expect_guarded_or_counted("extended");
  }

  void at_once(const disguise& each) {
    const auto here = proxied();
    here->send(query(each.setting) + query(each.sql));
    static_cast<void>(here->messages(2));
    expect_guarded_or_counted("queries at once");
    const auto batch = proxied();
    batch->send(query(each.setting) + parse("", each.sql) + bind("", "") + execute("") + sync());
    static_cast<void>(batch->messages(2));
    expect_guarded_or_counted("batch behind a query at once");
    const auto same = proxied();
    same->send(query(std::string(each.setting) + "; " + each.sql));
    static_cast<void>(same->messages(1));
    expect_guarded_or_counted("in one string");
  }

  double counted_ = 0;
};

TEST_F(reading, end_of_a_string_is_where_postgresql_sees_it) {
  start(wallet_rule());
  for (const disguise& each : disguises) {
    SCOPED_TRACE(each.name);
    wire straight(cluster::host(), cluster::port());
    ASSERT_TRUE(straight.start(database_->name()));
    straight.send(query(each.setting) + query(each.sql));
    static_cast<void>(straight.messages(2));
    ASSERT_EQ(balance(1), "-1.00") << "it is a write";
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 100 WHERE id = 1").ok());
    in_turn(each);
    at_once(each);
  }
}

/// What PostgreSQL refuses to read, it is given to refuse.
TEST_F(reading, errors_are_those_of_postgresql) {
  start(wallet_rule());
  const std::pair<const char*, const char*> wrong[] = {
      {"SET backslash_quote = off", R"(UPDATE wallets SET owner = E'\'' WHERE id = 1)"},
      {"SET application_name = 'x'", "UPDATE wallets SET owner = '\xc3' WHERE id = 1"},
      {"SET application_name = 'x'", "UPDATE wallets SET owner = '\xf0\x9f' , balance = -1"},
      {"SET application_name = 'x'", R"(UPDATE wallets SET owner = U&'\dbff', balance = -1)"},
      {"SET application_name = 'x'", "UPDATE wallets SET owner = 'x /* ' /* , balance = -1"},
      {"SET standard_conforming_strings = off", R"(UPDATE wallets SET owner = U&'a', balance = -1)"},
  };
  for (const auto& [setting, sql] : wrong) {
    SCOPED_TRACE(sql);
    wire straight(cluster::host(), cluster::port());
    ASSERT_TRUE(straight.start(database_->name()));
    const auto here = proxied();
    std::string codes[2];
    std::size_t i = 0;
    for (wire* on : {&straight, here.get()}) {
      on->send(query(setting));
      static_cast<void>(on->messages(1));
      on->send(query(sql));
      const auto got = on->messages(1);
      ASSERT_EQ(got.size(), 2U);
      codes[i++] = error_field(got[0], 'C') + " at " + error_field(got[0], 'P');
    }
    EXPECT_EQ(codes[0], codes[1]);
  }
  EXPECT_EQ(balance(1), "100.00");
}

}  // namespace
}  // namespace e2e
