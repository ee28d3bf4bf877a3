#include "proxy/ops/metrics.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace proxy::ops {
namespace {

using namespace std::chrono_literals;

bool has_line(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

rules::rule_set one_rule(const std::string& name) {
  rules::rule_set set;
  set.rules.emplace_back().name = name;
  return set;
}

TEST(metrics, a_fresh_page_shows_zeros) {
  const metrics all;
  const auto page = all.render();
  EXPECT_TRUE(has_line(page, "pgteller_client_connections 0")) << page;
  EXPECT_TRUE(has_line(page, "pgteller_server_connections 0"));
  EXPECT_TRUE(has_line(page, "pgteller_errors_total{sqlstate=\"40001\"} 0"));
  EXPECT_TRUE(has_line(page, "pgteller_reloads_total{result=\"success\"} 0"));
  EXPECT_TRUE(has_line(page, "pgteller_bytes_total{direction=\"to_server\"} 0"));
  EXPECT_TRUE(has_line(page, "pgteller_plan_cache_hits_total 0"));
  EXPECT_TRUE(has_line(page, "pgteller_overhead_seconds_count 0"));
  EXPECT_NE(page.find("pgteller_build_info{version=\"0."), std::string::npos);
  EXPECT_NE(page.find("# TYPE pgteller_overhead_seconds histogram"), std::string::npos);
  EXPECT_EQ(page.find("turn"), std::string::npos);  // what this version cannot do is not shown
}

TEST(metrics, known_rules_start_at_zero) {
  metrics all;
  all.know_rules(one_rule("wallet"));
  const auto page = all.render();
  EXPECT_TRUE(has_line(page, "pgteller_bounds_rejections_total{rule=\"wallet\"} 0")) << page;
  EXPECT_TRUE(has_line(page, "pgteller_lock_wait_seconds_count{rule=\"wallet\"} 0"));
}

TEST(metrics, counts_what_rules_do) {
  metrics all;
  all.statement("wallet", rules::statement_kind::relative, rules::statement_action::check);
  all.statement("wallet", rules::statement_kind::relative, rules::statement_action::check);
  all.statement("wallet", rules::statement_kind::read, rules::statement_action::lock);
  all.unguarded("wallet", rules::unguarded_reason::delete_);
  all.bounds_rejection("wallet");
  all.conflict("wallet", conflict_cause::lock_timeout);
  all.lock_wait("wallet", 20ms);
  const auto page = all.render();
  EXPECT_TRUE(
      has_line(page, "pgteller_statements_total{action=\"check\",kind=\"relative\",rule=\"wallet\"} 2"))
      << page;
  EXPECT_TRUE(has_line(page, "pgteller_statements_total{action=\"lock\",kind=\"read\",rule=\"wallet\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_unguarded_total{reason=\"delete\",rule=\"wallet\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_bounds_rejections_total{rule=\"wallet\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_conflicts_total{cause=\"lock_timeout\",rule=\"wallet\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_lock_wait_seconds_bucket{rule=\"wallet\",le=\"0.01\"} 0"));
  EXPECT_TRUE(has_line(page, "pgteller_lock_wait_seconds_bucket{rule=\"wallet\",le=\"0.025\"} 1"));
}

TEST(metrics, connections_and_errors) {
  metrics all;
  all.client_opened();
  all.client_opened();
  all.client_closed();
  all.server_opened();
  all.server_closed();
  all.error("55P03");
  all.error("XX000");
  all.error("anything at all");
  all.reload(true);
  all.reload(false);
  const auto page = all.render();
  EXPECT_TRUE(has_line(page, "pgteller_client_connections 1"));
  EXPECT_TRUE(has_line(page, "pgteller_server_connections 0"));
  EXPECT_TRUE(has_line(page, "pgteller_errors_total{sqlstate=\"55P03\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_errors_total{sqlstate=\"other\"} 2"));
  EXPECT_TRUE(has_line(page, "pgteller_reloads_total{result=\"failure\"} 1"));
}

TEST(metrics, threads_are_summed) {
  metrics all;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&tally = all.add_thread()] {
      for (int i = 0; i < 1000; ++i) {
        tally.bytes_to_server.add(3);
        tally.plan_cache_hits.add(1);
        tally.overhead(15us);
      }
      tally.plan_cache_misses.add(1);
      tally.overhead(1s);
      tally.overhead(-1ns);
    });
  }
  while (all.render().empty()) {
  }
  for (auto& thread : threads) thread.join();
  const auto page = all.render();
  EXPECT_TRUE(has_line(page, "pgteller_bytes_total{direction=\"to_server\"} 12000"));
  EXPECT_TRUE(has_line(page, "pgteller_plan_cache_hits_total 4000"));
  EXPECT_TRUE(has_line(page, "pgteller_plan_cache_misses_total 4"));
  EXPECT_TRUE(has_line(page, "pgteller_overhead_seconds_count 4008")) << page;
  EXPECT_TRUE(has_line(page, "pgteller_overhead_seconds_bucket{le=\"1e-05\"} 4"));
  EXPECT_TRUE(has_line(page, "pgteller_overhead_seconds_bucket{le=\"2e-05\"} 4004"));
  EXPECT_TRUE(has_line(page, "pgteller_overhead_seconds_bucket{le=\"+Inf\"} 4008"));
}

TEST(metrics, rule_labels_are_bounded_and_escaped) {
  metrics all;
  all.bounds_rejection("a\"b\\c");
  for (int i = 0; i < 1500; ++i) all.bounds_rejection("rule" + std::to_string(i));
  const auto page = all.render();
  EXPECT_TRUE(has_line(page, R"(pgteller_bounds_rejections_total{rule="a\"b\\c"} 1)"));
  EXPECT_TRUE(has_line(page, "pgteller_bounds_rejections_total{rule=\"rule998\"} 1"));
  EXPECT_FALSE(has_line(page, "pgteller_bounds_rejections_total{rule=\"rule999\"} 1"));
  EXPECT_TRUE(has_line(page, "pgteller_bounds_rejections_total{rule=\"other\"} 501"));
}

TEST(metrics, catalog_ages_are_asked_for_at_each_scrape) {
  metrics all;
  EXPECT_EQ(all.render().find("catalog_age"), std::string::npos);
  double age = 1.5;
  all.watch_catalog([&age] { return std::vector<catalog_age>{{"shop", age}}; });
  EXPECT_TRUE(has_line(all.render(), "pgteller_catalog_age_seconds{database=\"shop\"} 1.5"));
  age = 2.5;
  EXPECT_TRUE(has_line(all.render(), "pgteller_catalog_age_seconds{database=\"shop\"} 2.5"));
}

// Many sessions meet the same new rule at once.
TEST(metrics, threads_may_share_a_series) {
  metrics all;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&all] {
      for (int i = 0; i < 500; ++i) {
        all.statement("r" + std::to_string(i % 5), rules::statement_kind::absolute,
                      rules::statement_action::check);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(has_line(all.render(),
                       "pgteller_statements_total{action=\"check\",kind=\"absolute\",rule=\"r3\"} 400"));
}

}  // namespace
}  // namespace proxy::ops
