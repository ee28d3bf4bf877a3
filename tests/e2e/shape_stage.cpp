#include "tests/e2e/shape_stage.hpp"

#include <algorithm>

namespace e2e {

messages play(wire& on, const std::vector<step>& steps) {
  messages all;
  for (const step& each : steps) {
    on.send(each.bytes);
    for (std::string& got : on.messages(each.ready, each.stop)) all.push_back(std::move(got));
  }
  return all;
}

std::string texts(const messages& all) {
  std::string made;
  for (const std::string& each : all) made += shown(each) + "\n";
  return made;
}

double settled(const proxy& asked, const std::string& prefix, double expected) {
  double last = 0;
  static_cast<void>(eventually(
      [&] {
        last = asked.metric(prefix);
        return last == expected;
      },
      std::chrono::seconds{10}));
  return last;
}

void shape_stage::begin_anew() {
  link here = direct();
  const reply done = here.run(
      "TRUNCATE notes; DELETE FROM wallets; "
      "INSERT INTO wallets SELECT i, i * 10, 'owner ' || i, 100 FROM generate_series(1, 10) AS i");
  ASSERT_TRUE(done.ok()) << done.message();
}

std::string shape_stage::everything() const {
  link here = direct();
  return value(here,
               "SELECT coalesce((SELECT string_agg(w::text, ' ' ORDER BY id) FROM wallets w), '') || ' ' || "
               "coalesce((SELECT string_agg(n::text, ' ' ORDER BY id) FROM notes n), '')");
}

std::unique_ptr<wire> shape_stage::proxied() const {
  auto made = std::make_unique<wire>("127.0.0.1", proxy_->port());
  EXPECT_TRUE(made->start(database_->name()));
  return made;
}

void shape_stage::expect_same(const client_shape& shape) {
  begin_anew();
  wire straight(cluster::host(), cluster::port());
  ASSERT_TRUE(straight.start(database_->name()));
  std::string expected = texts(play(straight, shape.read));
  expected += texts(play(straight, shape.write));
  const std::string left = everything();
  EXPECT_NE(left.find("90.00"), std::string::npos) << "the shape itself writes nothing";
  begin_anew();
  const auto here = proxied();
  std::string got = texts(play(*here, shape.read));
  got += texts(play(*here, shape.write));
  EXPECT_EQ(got, expected);
  EXPECT_EQ(everything(), left);
}

void shape_stage::expect_stale(const messages& got, const client_shape& shape) {
  const auto refused = std::find_if(got.begin(), got.end(), [](const auto& each) { return each[0] == 'E'; });
  ASSERT_NE(refused, got.end()) << "a lost update:\n" << texts(got);
  EXPECT_EQ(error_field(*refused, 'C'), "40001");
  EXPECT_EQ(error_field(*refused, 'V'), "ERROR");
  EXPECT_EQ(error_field(*refused, 'n'), "wallet-balance");
  EXPECT_EQ(error_field(*refused, 's'), "public");
  EXPECT_EQ(error_field(*refused, 't'), "wallets");
  EXPECT_NE(error_field(*refused, 'D'), "");
  EXPECT_NE(error_field(*refused, 'H'), "");
  EXPECT_EQ(error_field(*refused, 'W'), "") << "the context of a hidden statement";
  EXPECT_EQ(error_field(*refused, 'D').find("75"), std::string::npos) << "log.values is false";
  // Everything to the next Sync is skipped, and the server's own state is told.
  ASSERT_NE(refused + 1, got.end());
  EXPECT_EQ(*(refused + 1), frame('Z', std::string(1, shape.refused))) << texts(got);
}

}  // namespace e2e
