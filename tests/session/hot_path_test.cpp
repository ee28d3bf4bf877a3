// What carrying a statement that no rule concerns takes from the heap, and finding the plan of one that was
// seen with other literals: nothing. Counted, so that the figure does not depend on the machine; operator new
// is this program's own.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/backend.hpp"
#include "protocol/frontend.hpp"
#include "tests/session/stage.hpp"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  if (void* const made = std::malloc(size == 0 ? 1 : size)) return made;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* gone) noexcept {
  std::free(gone);
}
void operator delete[](void* gone) noexcept {
  std::free(gone);
}
void operator delete(void* gone, std::size_t) noexcept {
  std::free(gone);
}
void operator delete[](void* gone, std::size_t) noexcept {
  std::free(gone);
}

namespace {

namespace frontend = protocol::frontend;

/// What a client sends at once, and what PostgreSQL answers to it.
struct exchange {
  std::string said;
  std::string answered;
};

class hot_path : public testing::TestWithParam<bool> {
 protected:
  hot_path() : who_(GetParam()) {
    who_.client_sends(std::string_view("\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0", 32));
    who_.happens("connected");
    who_.done = {};
    who_.server_sends(std::string_view("R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15));
    who_.done = {};
  }

  /// As proxy/io does it: one outbox a step, and nothing kept of it.
  template <class Event>
  void step(Event event) {
    proxy::session::outbox out;
    out.now = who_.now;
    out.events.swap(events_);
    event(out);
    forwarded_ += out.to_server.size() + out.to_client.size();
    counted_ += out.events.size();
    out.events.clear();
    out.events.swap(events_);
    who_.session.settle();
  }
  void carry(const exchange& one) {
    step([&](auto& out) { who_.session.on_client_bytes(one.said, out); });
    step([&](auto& out) { who_.session.on_server_bytes(one.answered, out); });
  }

  /// How many blocks a repetition takes, once the first ones are through.
  void expect_none(const std::vector<exchange>& all) {
    for (int i = 0; i < 3; ++i) {
      for (const exchange& one : all) carry(one);
    }
    const std::size_t before = allocations;
    ASSERT_GT(before, 0U);  // it does count
    forwarded_ = 0;
    std::size_t bytes = 0;
    for (int i = 0; i < 100; ++i) {
      for (const exchange& one : all) {
        carry(one);
        bytes += one.said.size() + one.answered.size();
      }
    }
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(forwarded_, bytes);
  }

  stage::actor who_;
  std::vector<proxy::session::event> events_;  // used again, as proxy/io does
  std::size_t forwarded_ = 0;
  std::size_t counted_ = 0;
};

const std::string row(
    "D\0\0\0\x0B\0\1\0\0\0\1"
    "7",
    12);
const std::string columns("T\0\0\0\x19\0\1a\0\0\0\0\0\0\0\0\0\0\x17\0\4\xFF\xFF\xFF\xFF\0\0", 26);
const std::string one_selected("C\0\0\0\rSELECT 1\0", 14);
const std::string ready("Z\0\0\0\5I", 6);
const std::string parsed("1\0\0\0\4", 5);
const std::string bound("2\0\0\0\4", 5);
const std::string described_portal("D\0\0\0\6P\0", 7);
const std::string sync("S\0\0\0\4", 5);
constexpr char text[] = "SELECT abalance FROM pgbench_accounts WHERE aid = $1";

std::string parse(std::string_view name) {
  std::string message;
  EXPECT_TRUE(frontend::encode_parse(name, text, {}, message));
  return message;
}

std::string bind_and_execute(std::string_view name) {
  std::string bind;
  std::string execute;
  const std::optional<std::string_view> values[] = {"4711"};
  EXPECT_TRUE(frontend::encode_bind("", name, {}, values, {}, bind));
  EXPECT_TRUE(frontend::encode_execute("", 0, execute));
  return bind + described_portal + execute + sync;
}

TEST_P(hot_path, simple_queries) {
  std::string query;
  ASSERT_TRUE(frontend::encode_query("SELECT abalance FROM pgbench_accounts WHERE aid = 4711;", query));
  expect_none({{query, columns + row + one_selected + ready}});
}

TEST_P(hot_path, unnamed_statements) {
  expect_none({{parse("") + bind_and_execute(""), parsed + bound + columns + row + one_selected + ready}});
}

TEST_P(hot_path, prepared_statements) {
  carry({parse("P_0") + sync, parsed + ready});
  expect_none({{bind_and_execute("P_0"), bound + columns + row + one_selected + ready}});
}

TEST_P(hot_path, pipelines) {
  exchange all;
  for (int i = 0; i < 5; ++i) {
    all.said += parse("") + bind_and_execute("");
    all.answered += parsed + bound + columns + row + one_selected + ready;
  }
  expect_none({all});
}

TEST_P(hot_path, transactions) {
  const auto command = [](std::string_view sql, std::string_view tag, char status) {
    std::string query;
    EXPECT_TRUE(frontend::encode_query(sql, query));
    std::string complete("C\0\0\0", 4);
    complete += static_cast<char>(tag.size() + 5);
    complete += tag;
    complete += '\0';
    return exchange{query, complete + std::string("Z\0\0\0\5", 5) + status};
  };
  expect_none({command("BEGIN", "BEGIN", 'T'),
               command("UPDATE pgbench_tellers SET tbalance = 1 WHERE tid = 1;", "UPDATE 1", 'T'),
               command("END", "COMMIT", 'I')});
}

/// Reads of a row under a rule, which is on record already and has not changed.
class watched_read : public hot_path {
 protected:
  watched_read() {
    // wallets is table 16384, balance its third column: tests/session/stage.hpp.
    const protocol::backend::field balance{"balance", 16384, 3, 1700, -1, -1, 0};
    const std::optional<std::string_view> value[] = {"70.00"};
    EXPECT_TRUE(protocol::backend::encode_row_description({&balance, 1}, told_));
    shape_ = told_;
    EXPECT_TRUE(protocol::backend::encode_data_row(value, told_));
  }
  void expect_watched(const std::vector<exchange>& all) {
    expect_none(all);
    EXPECT_GE(counted_, 100U);  // of the rule, one a statement
  }

  std::string shape_;
  std::string told_;
};

TEST_P(watched_read, simple_queries) {
  std::string query;
  ASSERT_TRUE(frontend::encode_query("SELECT balance FROM wallets WHERE id = 4711;", query));
  expect_watched({{query, told_ + one_selected + ready}});
}

TEST_P(watched_read, simple_queries_of_several_rows) {
  std::vector<exchange> all;
  for (int id = 4711; id < 4715; ++id) {
    std::string query;
    const std::string sql = "SELECT balance FROM wallets WHERE id = " + std::to_string(id) + ";";
    ASSERT_TRUE(frontend::encode_query(sql, query));
    all.push_back({query, told_ + one_selected + ready});
  }
  expect_watched(all);
}

TEST_P(watched_read, prepared_statements) {
  std::string parse;
  ASSERT_TRUE(frontend::encode_parse("P_0", "SELECT balance FROM wallets WHERE id = $1", {}, parse));
  carry({parse + sync, parsed + ready});
  expect_watched({{bind_and_execute("P_0"), bound + told_ + one_selected + ready}});
}

TEST_P(watched_read, pipelines) {
  std::string parse;
  ASSERT_TRUE(frontend::encode_parse("P_0", "SELECT balance FROM wallets WHERE id = $1", {}, parse));
  carry({parse + sync, parsed + ready});
  exchange all;
  for (int i = 0; i < 3; ++i) {
    all.said += bind_and_execute("P_0");
    all.answered += bound + told_ + one_selected + ready;
  }
  expect_watched({all});
}

INSTANTIATE_TEST_SUITE_P(guarded, watched_read, testing::Values(true),
                         [](const auto&) { return std::string("wallets"); });

INSTANTIATE_TEST_SUITE_P(rules, hot_path, testing::Values(false, true),
                         [](const auto& with) { return with.param ? "on_other_tables" : "none"; });

TEST(plans, of_a_text_with_other_literals) {
  const auto book = stage::book();
  proxy::session::plan_cache cache;
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back("UPDATE wallets SET balance = balance - 0.50, owner = 'somebody' WHERE id = " +
                    std::to_string(1000 + i));
  }
  for (int i = 0; i < 4; ++i) static_cast<void>(cache.look_up(book, texts[static_cast<std::size_t>(i)], {}));
  const std::size_t before = allocations;
  std::size_t hits = 0;
  for (const std::string& each : texts) {
    if (cache.look_up(book, each, {}).hit) ++hits;
  }
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_EQ(hits, texts.size());
}

}  // namespace
