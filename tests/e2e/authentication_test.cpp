// Authentication of every kind passes through: what succeeds directly succeeds, what fails fails alike.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class authentication : public stage {
 protected:
  /// "ok", or the message without the prefix that names host and port.
  std::string outcome(const std::string& conninfo) {
    link here(conninfo);
    if (!here.open()) return here.problem().substr(here.problem().find("FATAL"));
    return here.run("SELECT current_user").brief();
  }
};

TEST_F(authentication, passwords_that_are_right_wrong_and_missing) {
  start();
  for (const std::string user : {"app_scram", "app_md5", "app_plain", "postgres", "nobody_of_that_name"}) {
    const std::string to_proxy = through_conninfo(user) + " sslmode=disable gssencmode=disable";
    const std::string to_server = cluster::conninfo(database_->name(), user);
    const std::string right = " password='" + cluster::password() + "'";
    const std::string first = outcome(to_proxy + right);
    EXPECT_EQ(first, outcome(to_server + right)) << user;
    EXPECT_EQ(first.starts_with("ok"), user != "nobody_of_that_name") << first;
    EXPECT_EQ(outcome(to_proxy + " password=wrong"), outcome(to_server + " password=wrong")) << user;
  }
}

TEST_F(authentication, database_that_does_not_exist) {
  start();
  wire here("127.0.0.1", proxy_->port());
  EXPECT_FALSE(here.start("no_such_database"));
  ASSERT_FALSE(here.greeting().empty());
  EXPECT_EQ(error_field(here.greeting().back(), 'C'), "3D000");
}

TEST_F(authentication, guarding_works_for_every_kind) {
  start();
  for (const std::string user : {"app_scram", "app_md5", "app_plain"}) {
    link here(through_conninfo(user) + " password='" + cluster::password() + "'");
    EXPECT_EQ(here.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief(), "23514") << user;
  }
}

TEST_F(authentication, clients_that_prefer_encryption_get_through) {
  start();
  for (const std::string mode : {"disable", "allow", "prefer"}) {
    EXPECT_EQ(outcome(through_conninfo() + " gssencmode=prefer sslmode=" + mode), "ok SELECT 1: postgres");
  }
  link strict(through_conninfo() + " sslmode=require");
  EXPECT_FALSE(strict.open());
}

TEST_F(authentication, requests_for_encryption_are_answered_once_each) {
  start();
  const std::string tls = u32(8) + u32(80877103);
  const std::string gss = u32(8) + u32(80877104);
  wire here("127.0.0.1", proxy_->port());
  here.send(gss);
  here.send(tls);
  here.send(tls);
  const std::string all = here.read_to_end();
  EXPECT_EQ(all.substr(0, 2), "NN");
  EXPECT_EQ(error_field(all.substr(2), 'C'), "08P01");
}

}  // namespace
}  // namespace e2e
