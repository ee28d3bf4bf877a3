// Limits of proxy/session/limits.hpp, reached by a real client of a real server: who reaches one is told, and
// everybody else is served.
#include <list>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/e2e/lean_stage.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class reached_limits : public lean_stage {
 protected:
  void others_are_served() {
    link here = through();
    ASSERT_TRUE(here.open()) << here.problem();
    EXPECT_EQ(here.run("UPDATE wallets SET balance = 1 WHERE id = 1").brief(), "ok UPDATE 1");
  }
};

TEST_F(reached_limits, startup_that_never_ends) {
  proxy_options options;
  options.rules = wallet_rule();
  options.listen = "startup_timeout = \"4s\"";
  start(std::move(options));
  std::list<wire> slow;
  for (int i = 0; i < 20; ++i) slow.emplace_back("127.0.0.1", proxy_->port());
  for (auto& each : slow) each.send(std::string_view("\0\0\0", 3));
  others_are_served();
  for (auto& each : slow) {
    const std::string told = each.read_to_end();
    EXPECT_EQ(error_field(told, 'C'), "57P01");
    EXPECT_EQ(error_field(told, 'M'), "the connection was not established in time");
    EXPECT_TRUE(each.closed());
  }
  others_are_served();
}

TEST_F(reached_limits, descriptors_run_out) {
  start();
  const rlimit few{64, 64};
  ASSERT_EQ(prlimit(proxy_->process().pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  {
    std::list<wire> many;
    for (int i = 0; i < 100; ++i) many.emplace_back("127.0.0.1", proxy_->port());
    EXPECT_TRUE(eventually([&] { return proxy_->log().find("cannot accept") != std::string::npos; }));
  }
  EXPECT_TRUE(eventually([&] { return through().open(); }));
  others_are_served();
}

TEST_F(reached_limits, parameters_that_are_kept) {
  start();
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  const std::string large(15'000'000, 'x');
  here.send(query("BEGIN"));
  EXPECT_EQ(here.messages(1).back()[5], 'T');
  here.send(parse("s", "UPDATE wallets SET balance = balance - 1 WHERE id = 1 AND $1 <> ''"));
  for (const char* portal : {"a", "b", "c", "d", "e"}) here.send(e2e::bind(portal, "s", {large}));
  here.send(sync());
  const auto answer = here.messages(1);
  ASSERT_GE(answer.size(), 2U);
  const std::string& error = answer[answer.size() - 2];
  EXPECT_EQ(error_field(error, 'C'), "53400") << shown(error);
  EXPECT_NE(error_field(error, 'H').find("64 MiB"), std::string::npos);
  here.send(query("ROLLBACK"));
  EXPECT_EQ(here.messages(1).back()[5], 'I');
  here.send(parse("", "UPDATE wallets SET balance = balance - 1 WHERE id = 1 AND $1 <> ''") +
            e2e::bind("", "", {large}) + execute("") + sync());
  EXPECT_EQ(here.messages(1).back()[5], 'I');
  EXPECT_EQ(balance(1), "99.00");
  others_are_served();
}

/// Short messages that stand for long hidden statements: pgteller's memory is not what they stand for.
TEST_F(reached_limits, short_messages_that_stand_for_much) {
  start();
  const long before = proxy_->process().memory("VmHWM");
  ASSERT_TRUE(direct().run("UPDATE wallets SET balance = 1000 WHERE id = 1").ok());
  wire here("127.0.0.1", proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  const std::string text = "UPDATE wallets SET balance = balance - 1 WHERE id = 1 AND owner <> '" +
                           std::string(400'000, 'x') + "'";
  here.send(parse("s", text) + sync());
  EXPECT_EQ(here.messages(1).back()[5], 'I');
  std::string pairs;
  for (int i = 0; i < 200; ++i) pairs += e2e::bind("", "s") + execute("");
  here.send(pairs + sync());
  EXPECT_EQ(here.messages(1).back()[5], 'I');
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + 60'000);
  EXPECT_EQ(balance(1), "800.00");
  others_are_served();
}

}  // namespace
}  // namespace e2e
