#include "proxy/session/recorded_reads.hpp"

#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace proxy::session {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds ttl{1000};
constexpr std::uint32_t wallets = 16'400;
constexpr std::uint32_t numeric = 1700;

clock::time_point at(int ms) {
  return clock::time_point{} + milliseconds{ms};
}

row_id row(int number) {
  return row_name("shop", wallets, {{std::int16_t{1}, std::to_string(number)}});
}

recorded_column holds(bound_value value) {
  recorded_column column;
  column.any_of = {cast(std::move(value), "numeric(12,2)")};
  return column;
}

recorded_column holds(std::string_view text) {
  return holds(bound_value{numeric, 0, std::string(text)});
}

recorded_read read_of(std::vector<recorded_column> columns, int ms = 0) {
  recorded_read read;
  read.table = wallets;
  read.columns = std::move(columns);
  read.since = at(ms);
  return read;
}

recorded_read read_of(std::string_view text, int ms = 0) {
  return read_of(std::vector{holds(text)}, ms);
}

/// The constants of the row's columns, joined by "|"; "none" if it is not on record.
std::string known(const recorded_reads& reads, const row_id& of) {
  const recorded_read* const found = reads.peek(of);
  if (!found) return "none";
  std::string all;
  for (const recorded_column& column : found->columns) {
    if (!all.empty()) all += '|';
    for (const sql_value& value : column.any_of) {
      for (const sql_value::piece& piece : value.pieces) {
        if (piece.value) all += piece.value->bytes.value_or("NULL");
      }
    }
  }
  return all;
}

/// What a session does when an own write of the row is sent.
void move(recorded_reads& reads, const row_id& of, std::string_view to) {
  recorded_read moved = *reads.peek(of);
  for (recorded_column& column : moved.columns) column = holds(to);
  moved.own_write = true;
  moved.differed = false;
  static_cast<void>(reads.put(of, std::move(moved)));
}

TEST(recorded_reads, the_first_value_stays_and_a_difference_is_kept_in_mind) {
  recorded_reads reads;
  EXPECT_FALSE(reads.told(row(1), read_of("10.00", 0), false, ttl));
  EXPECT_FALSE(reads.told(row(1), read_of("10.00", 5), false, ttl));
  EXPECT_FALSE(reads.peek(row(1))->differed);
  EXPECT_FALSE(reads.told(row(1), read_of("9.00", 10), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "10.00");
  EXPECT_TRUE(reads.peek(row(1))->differed);
  EXPECT_EQ(reads.peek(row(1))->since, at(0));
  EXPECT_EQ(reads.peek(row(1))->outstanding, 3U);
  EXPECT_FALSE(reads.told(row(1), read_of("10.00", 15), false, ttl));
  EXPECT_TRUE(reads.peek(row(1))->differed);
}

TEST(recorded_reads, the_last_value_is_taken_where_it_is_trusted) {
  recorded_reads reads;
  EXPECT_FALSE(reads.told(row(1), read_of("10.00", 0), true, ttl));
  EXPECT_FALSE(reads.told(row(1), read_of("9.00", 10), true, ttl));
  EXPECT_EQ(known(reads, row(1)), "9.00");
  EXPECT_FALSE(reads.peek(row(1))->differed);
  EXPECT_EQ(reads.peek(row(1))->since, at(10));
}

TEST(recorded_reads, text_and_binary_are_compared_as_text) {
  const auto differs = [](const bound_value& first, const bound_value& second) {
    recorded_reads reads;
    EXPECT_FALSE(reads.told(row(1), read_of({holds(first)}), false, ttl));
    EXPECT_FALSE(reads.told(row(1), read_of({holds(second)}), false, ttl));
    return reads.peek(row(1))->differed;
  };
  const bound_value binary{numeric, 1, std::string("\0\2\0\0\0\0\0\2\0\x0c\x13\x88", 12)};
  EXPECT_FALSE(differs({numeric, 0, "12.50"}, binary));
  EXPECT_FALSE(differs(binary, binary));
  EXPECT_TRUE(differs({numeric, 0, "12.51"}, binary));
  EXPECT_FALSE(differs({numeric, 0, std::nullopt}, {numeric, 1, std::nullopt}));
  EXPECT_TRUE(differs({numeric, 0, std::nullopt}, {numeric, 0, "0"}));
  // Of a type that is not converted here: not comparable, so not trusted.
  EXPECT_TRUE(differs({790, 0, "$1.00"}, {790, 1, std::string(8, '\0')}));
  EXPECT_FALSE(differs({790, 1, std::string(8, '\0')}, {790, 1, std::string(8, '\0')}));
}

TEST(recorded_reads, a_record_that_an_own_write_moved_takes_the_next_value) {
  recorded_reads reads;
  EXPECT_FALSE(reads.told(row(1), read_of("10.00", 0), false, ttl));
  move(reads, row(1), "6.74999");
  EXPECT_FALSE(reads.told(row(1), read_of("6.75", 20), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "6.75");
  EXPECT_FALSE(reads.peek(row(1))->differed);
  EXPECT_FALSE(reads.peek(row(1))->own_write);
  EXPECT_EQ(reads.peek(row(1))->since, at(20));
  EXPECT_FALSE(reads.told(row(1), read_of("6.00", 30), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "6.75");
  EXPECT_TRUE(reads.peek(row(1))->differed);
}

TEST(recorded_reads, columns_may_be_told_by_different_reads) {
  recorded_reads reads;
  EXPECT_FALSE(reads.told(row(1), read_of({holds("1"), {}}), false, ttl));
  EXPECT_FALSE(reads.told(row(1), read_of({{}, holds("2")}), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "1|2");
  EXPECT_FALSE(reads.peek(row(1))->differed);
  // After an own write of both, each takes its own next value, and keeps that.
  move(reads, row(1), "5");
  EXPECT_FALSE(reads.told(row(1), read_of({holds("5.00"), {}}), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "5.00|5");
  EXPECT_FALSE(reads.told(row(1), read_of({holds("5.00"), holds("6.00")}), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "5.00|6.00");
  EXPECT_FALSE(reads.peek(row(1))->differed);
  EXPECT_FALSE(reads.told(row(1), read_of({{}, holds("7.00")}), false, ttl));
  EXPECT_TRUE(reads.peek(row(1))->differed);
}

TEST(recorded_reads, a_lock_counts_from_the_first_read_on) {
  recorded_reads reads;
  auto locked = read_of("1");
  locked.lock = 4;
  EXPECT_FALSE(reads.told(row(1), read_of("1"), false, ttl));
  EXPECT_FALSE(reads.told(row(1), locked, false, ttl));
  EXPECT_EQ(reads.peek(row(1))->lock, 0U);
  EXPECT_FALSE(reads.told(row(1), locked, true, ttl));
  EXPECT_EQ(reads.peek(row(1))->lock, 4U);
  EXPECT_FALSE(reads.told(row(1), read_of("1"), true, ttl));
  EXPECT_EQ(reads.peek(row(1))->lock, 4U);
}

TEST(recorded_reads, a_read_ends_after_its_time) {
  recorded_reads reads;
  EXPECT_FALSE(reads.told(row(1), read_of("1", 0), false, ttl));
  EXPECT_NE(reads.find(row(1), at(1000), ttl), nullptr);
  EXPECT_FALSE(reads.told(row(1), read_of("2", 1001), false, ttl));
  EXPECT_EQ(known(reads, row(1)), "2");
  EXPECT_FALSE(reads.peek(row(1))->differed);
  EXPECT_EQ(reads.peek(row(1))->outstanding, 1U);
  EXPECT_EQ(reads.find(row(1), at(2002), ttl), nullptr);
  EXPECT_EQ(reads.size(), 0U);
  EXPECT_EQ(reads.bytes(), 0U);
}

TEST(recorded_reads, put_gives_back_what_was_there_and_a_new_version) {
  recorded_reads reads;
  EXPECT_EQ(reads.put(row(1), std::nullopt), std::nullopt);
  EXPECT_FALSE(reads.told(row(1), read_of("1"), false, ttl));
  const auto version = reads.peek(row(1))->version;
  EXPECT_NE(version, 0U);
  const auto before = reads.put(row(1), read_of("2"));
  ASSERT_TRUE(before);
  EXPECT_EQ(before->version, version);
  EXPECT_GT(reads.peek(row(1))->version, version);
  reads.restore(row(1), before);
  EXPECT_EQ(reads.peek(row(1))->version, version);
  EXPECT_EQ(known(reads, row(1)), "1");
  EXPECT_TRUE(reads.put(row(1), std::nullopt));
  EXPECT_EQ(reads.size(), 0U);
}

TEST(recorded_reads, names_of_rows_are_told_apart) {
  const auto name = [](std::string_view database, std::uint32_t table, std::string_view a,
                       std::string_view b) {
    return row_name(database, table, {{std::int16_t{1}, std::string(a)}, {std::int16_t{2}, std::string(b)}});
  };
  EXPECT_NE(name("d", 1, "a", "bc"), name("d", 1, "ab", "c"));
  EXPECT_NE(name("d", 1, "a", "b"), name("e", 1, "a", "b"));
  EXPECT_NE(name("d", 1, "a", "b"), name("d", 2, "a", "b"));
  EXPECT_EQ(name("d", 1, "a", "b"), name("d", 1, "a", "b"));
  EXPECT_NE(row_name("d", 1, {{std::int16_t{1}, "a"}}), row_name("d", 1, {{std::int16_t{2}, "a"}}));
}

TEST(recorded_reads, lists_the_records_of_one_table) {
  recorded_reads reads;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(reads.told(row(i), read_of("1", i * 100), false, ttl));
  EXPECT_FALSE(reads.told(row_name("shop", wallets + 1, {{std::int16_t{1}, "1"}}), read_of("1"), false, ttl));
  EXPECT_FALSE(reads.told(row_name("shop2", wallets, {{std::int16_t{1}, "1"}}), read_of("1"), false, ttl));
  const auto all = reads.of_table("shop", wallets, at(400), ttl, 5);
  EXPECT_EQ(all.first.size(), 5U);
  EXPECT_FALSE(all.second);
  const auto some = reads.of_table("shop", wallets, at(400), ttl, 2);
  EXPECT_EQ(some.first.size(), 2U);
  EXPECT_TRUE(some.second);
  const auto late = reads.of_table("shop", wallets, at(1200), ttl, 5);
  EXPECT_EQ(late.first.size(), 3U);
  EXPECT_FALSE(late.second);
  EXPECT_EQ(reads.size(), 5U);
}

TEST(recorded_reads, a_shorter_read_ttl_of_another_rule_forgets_nothing) {
  recorded_reads reads;
  recorded_read read = read_of("1");
  read.lasts = milliseconds{5000};
  EXPECT_FALSE(reads.told(row(1), read, false, read.lasts));
  EXPECT_TRUE(reads.of_table("shop", wallets, at(1000), milliseconds{500}, 5).first.empty());
  EXPECT_EQ(reads.of_table("shop", wallets, at(5000), read.lasts, 5).first.size(), 1U);
  EXPECT_TRUE(reads.of_table("shop", wallets, at(5001), read.lasts, 5).first.empty());
  EXPECT_EQ(reads.size(), 0U);
}

TEST(recorded_reads, the_row_that_was_told_longest_ago_is_forgotten) {
  recorded_reads reads({2, 10'000});
  EXPECT_FALSE(reads.told(row(1), read_of("1"), false, ttl));
  EXPECT_FALSE(reads.told(row(2), read_of("2"), false, ttl));
  EXPECT_FALSE(reads.told(row(1), read_of("1"), false, ttl));
  EXPECT_TRUE(reads.told(row(3), read_of("3"), false, ttl));
  EXPECT_EQ(known(reads, row(2)), "none");
  EXPECT_EQ(known(reads, row(1)), "1");
  EXPECT_EQ(reads.forgotten(), 1U);
}

TEST(recorded_reads, a_record_that_is_too_large_costs_no_other) {
  recorded_reads reads({10, 1000});
  EXPECT_FALSE(reads.told(row(1), read_of("1"), false, ttl));
  EXPECT_TRUE(reads.told(row(2), read_of(std::string(2000, '1')), false, ttl));
  EXPECT_EQ(known(reads, row(2)), "none");
  EXPECT_EQ(known(reads, row(1)), "1");
}

TEST(recorded_reads, stays_within_its_limits_whatever_happens) {
  EXPECT_TRUE(rc::check("limits", [] {
    const record_limits limits{*rc::gen::inRange<std::size_t>(0, 6), *rc::gen::inRange<std::size_t>(0, 1500)};
    recorded_reads reads(limits);
    std::map<int, std::uint64_t> versions;
    const int steps = *rc::gen::inRange(0, 60);
    for (int step = 0; step < steps; ++step) {
      const int which = *rc::gen::inRange(0, 8);
      const std::string value(*rc::gen::inRange<std::size_t>(0, 200), '7');
      const std::size_t before = reads.size();
      const std::uint64_t forgotten = reads.forgotten();
      const bool was_there = reads.peek(row(which)) != nullptr;
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          static_cast<void>(reads.put(row(which), read_of(value, step)));
          break;
        case 1:
          static_cast<void>(reads.put(row(which), std::nullopt));
          RC_ASSERT(!reads.peek(row(which)));
          break;
        case 2:
          static_cast<void>(reads.find(row(which), at(step), milliseconds{10}));
          RC_ASSERT(reads.size() + 1 >= before);
          break;
        default: {
          const bool forgot = reads.told(row(which), read_of(value, step), *rc::gen::arbitrary<bool>(), ttl);
          RC_ASSERT(forgot == (reads.forgotten() != forgotten));
          RC_ASSERT(reads.size() + (reads.forgotten() - forgotten) == before + (was_there ? 0 : 1));
        }
      }
      RC_ASSERT(reads.size() <= limits.rows);
      RC_ASSERT(reads.bytes() <= limits.bytes);
      if (const auto* now = reads.peek(row(which))) {
        RC_ASSERT(now->version >= versions[which]);
        versions[which] = now->version;
      }
    }
    for (int which = 0; which < 8; ++which) static_cast<void>(reads.put(row(which), std::nullopt));
    RC_ASSERT(reads.size() == 0U);
    RC_ASSERT(reads.bytes() == 0U);
  }));
}

TEST(recorded_reads, what_lies_under_other_rules_is_found_while_it_is_fresh) {
  EXPECT_TRUE(rc::check("other rules", [] {
    recorded_reads reads({*rc::gen::inRange<std::size_t>(1, 12), 10'000});
    const int steps = *rc::gen::inRange(0, 40);
    for (int step = 0; step < steps; ++step) {
      const int which = *rc::gen::inRange(0, 12);
      recorded_read read = read_of("7", step);
      read.rule = std::string(1, static_cast<char>('a' + which % 3));
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          static_cast<void>(
              reads.put(row(which), *rc::gen::arbitrary<bool>() ? std::optional(read) : std::nullopt));
          break;
        case 1:
          static_cast<void>(reads.find(row(which), at(step), milliseconds{10}));
          break;
        default:
          static_cast<void>(reads.told(row(which), read, false, ttl));
      }
      const std::string current =
          std::vector<std::string>{"", "a", "ab", "abc"}[*rc::gen::inRange<std::size_t>(0, 4)];
      const auto is_current = [&](std::string_view rule) { return current.find(rule) != std::string::npos; };
      bool left = false;
      for (int each = 0; each < 12; ++each) {
        const recorded_read* known = reads.peek(row(each));
        left = left ||
               (known != nullptr && !is_current(known->rule) && at(step) - known->since <= milliseconds{15});
      }
      const auto any = [](const row_id&, const recorded_read&) { return recorded_reads::remainder::stands; };
      RC_ASSERT(reads.any_but(is_current, any, wallets, at(step), milliseconds{15}) == left);
      RC_ASSERT(!reads.any_but(is_current, any, wallets + 1, at(step), milliseconds{15}));
    }
    // After a while nothing of them is there any more.
    const auto none = [](std::string_view) { return false; };
    const auto any = [](const row_id&, const recorded_read&) { return recorded_reads::remainder::stands; };
    RC_ASSERT(!reads.any_but(none, any, wallets, at(steps + 16), milliseconds{15}));
    RC_ASSERT(reads.size() == 0U);
    RC_ASSERT(reads.bytes() == 0U);
  }));
}

/// All that a record says but its version, for comparison.
std::string all_of(const recorded_reads& reads, const row_id& of) {
  const recorded_read* const found = reads.peek(of);
  if (found == nullptr) return "none";
  std::string all = known(reads, of) + found->found_as;
  for (const recorded_column& column : found->columns) {
    all += column.moved ? " moved" : " still";
    const bound_value* const told =
        column.any_of.empty() ? nullptr : cast_value(column.any_of.front(), "numeric(12,2)");
    all += std::to_string(told == nullptr ? -1 : told->format);
  }
  for (const bool flag : {found->differed, found->own_write, found->rebasable}) all += flag ? '1' : '0';
  for (const std::uint64_t number : {found->lock, found->shape, std::uint64_t{found->outstanding}})
    all += ' ' + std::to_string(number);
  return all + ' ' + std::to_string(found->since.time_since_epoch().count());
}

TEST(recorded_reads, what_is_told_again_is_as_if_told) {
  const std::vector<rules::column> types{{"balance", 3, numeric, "numeric(12,2)"},
                                         {"points", 4, numeric, "numeric(12,2)"}};
  const std::vector<std::optional<value_view>> values{
      std::nullopt, value_view{numeric, 0, "1.00"}, value_view{numeric, 0, "2.00"},
      value_view{numeric, 1, std::string_view("\0\1\0\0\0\0\0\0\0\1", 10)}, value_view{numeric, 0, {}}};
  std::mt19937 chance(7);
  const auto below = [&](std::size_t most) { return std::size_t{chance()} % most; };
  recorded_reads one;
  recorded_reads other;
  std::size_t again = 0;
  for (int i = 0; i < 20'000; ++i) {
    const row_id of = row(static_cast<int>(below(3)));
    recorded_read now;
    now.since = at(i * 10);
    now.lock = below(3);
    now.shape = below(3);
    now.rebasable = below(8) > 0;
    if (below(4) == 0) now.found_as = "f";
    const std::vector<std::optional<value_view>> columns{values[below(5)], values[below(5)]};
    recorded_read whole = now;
    for (const auto& told : columns) {
      auto& column = whole.columns.emplace_back();
      if (told) column.any_of = {cast(kept(*told), "numeric(12,2)")};
    }
    const bool trust_last = below(4) == 0;
    static_cast<void>(one.told(of, whole, trust_last, ttl));
    if (other.told_again(of, now, columns, types, trust_last, ttl)) {
      ++again;
    } else {
      static_cast<void>(other.told(of, whole, trust_last, ttl));
    }
    if (below(8) == 0) {
      one.renew();
      other.renew();
    }
    ASSERT_EQ(all_of(one, of), all_of(other, of)) << i;
    ASSERT_EQ(one.bytes(), other.bytes()) << i;
  }
  EXPECT_GT(again, 500U);
}

}  // namespace
}  // namespace proxy::session
