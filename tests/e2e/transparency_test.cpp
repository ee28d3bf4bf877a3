// Bytes in are bytes out, both ways: the same dialogue with PostgreSQL and through pgteller, compared message
// by message. What differs by nature is masked: process ids and cancel keys.
#include <gtest/gtest.h>

#include "tests/e2e/stage.hpp"
#include "tests/e2e/streams.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

class transparency : public stage {
 protected:
  void SetUp() override {
    stage::SetUp();
    ASSERT_TRUE(direct().run("CREATE TABLE sheet (id int, note text)").ok());
  }

  std::string masked(std::string message) {
    if (message[0] == 'K') message.resize(1);
    if (message[0] == 'A') message.replace(5, 4, u32(0));
    return message.size() > 5 ? shown(message) : message;
  }

  std::vector<std::string> play(int port, const stream& dialogue, std::size_t piece) {
    EXPECT_TRUE(direct().run("TRUNCATE sheet").ok());
    wire here("127.0.0.1", port);
    EXPECT_TRUE(here.start(database_->name())) << dialogue.name;
    std::vector<std::string> all;
    for (const std::string& each : here.greeting()) all.push_back(masked(each));
    for (const step& next : dialogue.steps) {
      here.send(next.bytes, piece);
      for (const std::string& each : here.messages(next.ready, next.stop)) all.push_back(masked(each));
      all.push_back("--");
    }
    here.send(frame('X', ""));
    all.push_back("then " + std::to_string(here.read_to_end().size()) + " bytes");
    return all;
  }

  void expect_same(const std::vector<stream>& dialogues, std::size_t piece = 0) {
    for (const stream& each : dialogues) {
      const auto expected = play(cluster::port(), each, 0);
      const auto got = play(proxy_->port(), each, piece);
      EXPECT_EQ(got, expected) << each.name;
    }
  }

  const std::string elsewhere =
      "[[rule]]\nname = \"elsewhere\"\ntable = \"orders\"\ncolumns = [\"wallet_id\"]\nmin = 0\n";
};

TEST_F(transparency, without_rules) {
  start("");
  expect_same(small_streams());
  expect_same(wallet_streams());
}

TEST_F(transparency, without_rules_a_few_bytes_at_a_time) {
  start("");
  expect_same(small_streams(), 1);
}

TEST_F(transparency, without_rules_large) {
  start("");
  expect_same(large_streams());
}

TEST_F(transparency, with_a_rule_on_another_table) {
  start(elsewhere);
  expect_same(small_streams());
  expect_same(wallet_streams());
}

TEST_F(transparency, with_a_rule_on_another_table_a_few_bytes_at_a_time) {
  start(elsewhere);
  expect_same(small_streams(), 1);
  expect_same(small_streams(), 7);
}

TEST_F(transparency, with_a_rule_on_another_table_large) {
  start(elsewhere);
  expect_same(large_streams());
}

TEST_F(transparency, observing_changes_nothing_and_counts) {
  start(wallet_rule("mode = \"observe\""));
  expect_same(wallet_streams());
  expect_same(small_streams());
  EXPECT_GE(proxy_->metric("pgteller_statements_total{action=\"would_"), 5);
  EXPECT_EQ(proxy_->metric("pgteller_bounds_rejections_total"), 0);
  link here = through();
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -5 WHERE id = 1").brief(), "ok UPDATE 1");
  ASSERT_TRUE(here.run("BEGIN; SELECT balance FROM wallets WHERE id = 2").ok());
  EXPECT_EQ(locked_ids(), "");
}

TEST_F(transparency, notification_from_another_session_arrives_when_idle) {
  start(elsewhere);
  link listener = through();
  ASSERT_TRUE(listener.run("LISTEN news").ok());
  ASSERT_TRUE(direct().run("NOTIFY news, 'hello'").ok());
  PGnotify* note = nullptr;
  ASSERT_TRUE(eventually([&] {
    PQconsumeInput(listener.raw());
    return (note = PQnotifies(listener.raw())) != nullptr;
  }));
  EXPECT_STREQ(note->extra, "hello");
  PQfreemem(note);
  EXPECT_EQ(listener.run("SELECT balance FROM wallets WHERE id = 1").brief(), "ok SELECT 1: 100.00");
}

TEST_F(transparency, startup_options_reach_postgresql) {
  start(elsewhere);
  const std::string options = std::string("options") + '\0' + "-c work_mem=7MB" + '\0' + "application_name" +
                              '\0' + "a\xc3\xa4" + '\0' + "_pq_.unknown" + '\0' + "1" + '\0';
  std::vector<std::string> shown_by[2];
  for (const bool proxied : {false, true}) {
    wire here("127.0.0.1", proxied ? proxy_->port() : cluster::port());
    ASSERT_TRUE(here.start(database_->name(), options));
    for (const std::string& each : here.greeting()) shown_by[proxied ? 1 : 0].push_back(masked(each));
    here.send(query("SHOW work_mem"));
    for (const std::string& each : here.messages(1)) shown_by[proxied ? 1 : 0].push_back(masked(each));
  }
  EXPECT_EQ(shown_by[1], shown_by[0]);
}

}  // namespace
}  // namespace e2e
