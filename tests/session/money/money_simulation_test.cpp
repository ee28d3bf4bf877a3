// Many clients, some over several sessions, play money at random against one model of PostgreSQL: with any
// rule nothing is lost, taken twice, overdrawn or left waiting, whatever the schedule; without the proxy much
// is.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/session/money/world.hpp"

namespace {

unsigned schedules() {
  const char* asked = std::getenv("PGTELLER_SCHEDULES");
  return asked != nullptr ? static_cast<unsigned>(std::strtoul(asked, nullptr, 10)) : 2000;
}

/// Seeds by rule, so that plans of one rule are used again; or one alone, to look at it.
std::vector<unsigned> seeds() {
  if (const char* one = std::getenv("PGTELLER_SEED"))
    return {static_cast<unsigned>(std::strtoul(one, nullptr, 10))};
  const auto rules = static_cast<unsigned>(money::variants().size());
  std::vector<unsigned> all;
  for (unsigned rule = 0; rule < rules; ++rule) {
    for (unsigned seed = rule; seed < schedules(); seed += rules) all.push_back(seed);
  }
  return all;
}

std::string play(unsigned seed, bool tells) {
  const money::variant& under = money::variants()[seed % money::variants().size()];
  money::world world({&under, seed, tells});
  std::string wrong = world.play();
  if (wrong.empty()) wrong = world.judge();
  for (const std::string& line : world.story()) std::cout << line << "\n";
  return wrong.empty() ? wrong : under.name + ": " + wrong;
}

TEST(money_simulation, nothing_is_lost_and_nobody_waits_for_ever) {
  const std::vector<unsigned> all = seeds();
  for (const unsigned seed : all) {
    ASSERT_EQ(play(seed, all.size() == 1), "") << "to see it alone: PGTELLER_SEED=" << seed;
  }
}

TEST(money_simulation, without_the_proxy_the_same_clients_lose_money) {
  const unsigned count = std::min(schedules(), 1000U);
  unsigned lossy = 0;
  for (unsigned seed = 0; seed < count; ++seed) {
    money::world world({nullptr, seed});
    ASSERT_EQ(world.play(), "") << "seed " << seed;
    if (!world.judge().empty()) ++lossy;
  }
  EXPECT_GT(lossy, count / 4) << "the schedules are too tame to show anything";
}

}  // namespace
