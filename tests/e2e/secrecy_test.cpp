// What pgteller tells to whom: the metrics port and the log name rules and SQLSTATEs, and give away no
// balance, no key, no password and no text of a statement.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"

namespace e2e {
namespace {

/// Everything that stands in a statement, a row or a connection below, and nowhere else.
constexpr const char* secrets[] = {"735173517", "86420.13",    "86421.13",
                                   "97531.57",  "hidden_word", "the_pass_word"};

class secrecy : public stage {
 protected:
  void work() const {
    link here(through_conninfo() + " password=the_pass_word");
    ASSERT_TRUE(
        here.run("INSERT INTO wallets (id, user_id, balance) VALUES (735173517, 735173517, 86420.13)").ok());
    EXPECT_EQ(here.run("SELECT balance FROM wallets WHERE id = 735173517 /* hidden_word */").rows(), 1);
    ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 86421.13 WHERE id = 735173517").ok());
    EXPECT_EQ(here.run("UPDATE wallets SET balance = $1 WHERE id = $2", {"97531.57", "735173517"}).sqlstate(),
              "40001");
    EXPECT_EQ(here.run("UPDATE wallets SET balance = balance - 97531.57 WHERE id = 735173517").sqlstate(),
              "23514");
    EXPECT_EQ(here.run("SELECT 'hidden_word' FROM nowhere_at_all").sqlstate(), "42P01");
  }

  static void expect_nothing_of_it(const std::string& text) {
    for (const char* secret : secrets)
      EXPECT_EQ(text.find(secret), std::string::npos) << secret << "\n" << text;
  }
};

TEST_F(secrecy, metrics_port_tells_no_value_no_key_and_no_statement) {
  start(wallet_rule());
  work();
  EXPECT_EQ(proxy_->metric("pgteller_bounds_rejections_total{rule=\"wallet-balance\"}"), 1);
  for (const char* path : {"/metrics", "/healthz", "/readyz", "/", "/hidden_word"}) {
    int status = 0;
    expect_nothing_of_it(proxy_->page(path, status));
  }
}

TEST_F(secrecy, log_tells_none_either) {
  start(wallet_rule());
  work();
  proxy_->stop();
  const std::string log = proxy_->log();
  EXPECT_FALSE(log.empty());
  expect_nothing_of_it(log);
}

}  // namespace
}  // namespace e2e
