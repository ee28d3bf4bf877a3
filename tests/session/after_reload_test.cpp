// What sessions have on record when the rules change under them: whose writes may still rest on it.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "proxy/session/row_memory.hpp"

namespace {

namespace ps = proxy::session;
using namespace std::chrono_literals;
using decided = ps::write_decision::type;
using rules::correlate;

class after_reload : public testing::Test {
 protected:
  using book = std::shared_ptr<const rules::rule_book>;

  static book rule(correlate how, std::vector<std::string> columns = {"balance"},
                   const std::string& key = "id", std::chrono::milliseconds read_ttl = 10s) {
    rules::rule wallet;
    wallet.name = "wallet-balance";
    wallet.table = "wallets";
    wallet.columns = std::move(columns);
    wallet.key = {key};
    wallet.strategy = rules::strategy::optimistic;
    wallet.correlate = how;
    wallet.read_ttl = read_ttl;
    rules::rule_set set;
    set.rules = {wallet};
    return compile(set, "app");
  }
  static book other_rule(correlate how) { return rule(how, {"held", "balance"}); }

  /// One rule for each of two users, as `user` sees them. `called`: the first one's name.
  static book rule_of(const std::string& user, const std::string& called, correlate how = correlate::trace) {
    rules::rule_set set;
    for (const char* each : {"one", "two"}) {
      rules::rule wallet;
      wallet.name = std::string(each) == "one" ? called : each;
      wallet.table = "wallets";
      wallet.columns = {"balance"};
      wallet.users = {each};
      wallet.strategy = rules::strategy::optimistic;
      wallet.correlate = how;
      set.rules.push_back(wallet);
    }
    return compile(set, user);
  }

  static book compile(const rules::rule_set& set, const std::string& user) {
    rules::catalog known;
    known.database = "shop";
    rules::table wallets;
    wallets.oid = 16384;
    wallets.schema = "public";
    wallets.name = "wallets";
    wallets.columns = {{"id", 1, 20, "bigint"},
                       {"held", 2, 1700, "numeric"},
                       {"balance", 3, 1700, "numeric"},
                       {"number", 4, 20, "bigint"}};
    wallets.primary_key = {"id"};
    wallets.unique_keys = {{"number"}};
    known.tables = {wallets};
    return rules::rule_book::compile(set, known, user, false);
  }

  struct session {
    explicit session(after_reload& of, ps::session_id id, const std::string& client = "shop/app/10.0.0.1")
        : memory(of.shared_, id) {
      memory.belongs_to("shop", client);
    }
    ps::row_memory memory;
  };

  ps::occasion when(std::string_view trace) const {
    ps::occasion made;
    made.now = now_;
    made.trace = trace;
    return made;
  }

  void read(session& who, const book& under, std::string_view trace = {}) {
    const auto plan = under->analyse("SELECT id, balance FROM wallets WHERE id = 1", {});
    ASSERT_EQ(plan->statements.front().autonomous.reads.size(), 1U);
    const rules::read_note& note = plan->statements.front().autonomous.reads.front();
    const rules::guarded_relation& relation = under->relations().front();
    ps::named_rows named;
    ps::name_rows("shop", relation, note.rows, {}, named);
    ps::told_row row;
    row.key = {ps::value_view{20, 0, "1"}};
    row.columns.resize(relation.columns.size());
    row.columns.back() = ps::value_view{1700, 0, "100.00"};
    ps::outbox out;
    who.memory.told(*under, note, named, row, when(trace), out);
  }

  /// What is decided about it; it is sent unless it is refused.
  decided write(session& who, const book& under, std::string_view trace = {},
                const std::string& where = "id = 1", const std::string& value = "90") {
    const auto plan = under->analyse("UPDATE wallets SET balance = " + value + " WHERE " + where, {});
    const rules::plan& outside = plan->statements.front().autonomous;
    const rules::write_note& note = outside.writes.front();
    ps::named_rows named;
    ps::name_rows("shop", under->relations().front(), note.rows, {}, named);
    const rules::prelude* guard =
        note.prelude < 0 ? nullptr : &outside.preludes[static_cast<std::size_t>(note.prelude)];
    const auto what = who.memory.decide(*under, note, guard, named, when(trace)).what;
    if (what != decided::outdated)
      who.memory.keep(who.memory.move(*under, note, named, {}, when(trace), what));
    return what;
  }

  ps::neighbourhood shared_;
  ps::clock::time_point now_{1h};
};

TEST_F(after_reload, read_of_a_client_whose_other_connection_begins_later) {
  const book before = rule(correlate::client);
  const book after = other_rule(correlate::client);
  session first(*this, 1);
  read(first, before);
  session second(*this, 2);
  EXPECT_EQ(write(second, after), decided::outdated);
  session elsewhere(*this, 3, "shop/app/10.0.0.2");
  EXPECT_EQ(write(elsewhere, after), decided::pass);
  // Whose write this is, is not known: it may be that of the first, who has read before.
  read(second, after);
  EXPECT_EQ(write(second, after), decided::outdated);
  now_ += 10s;
  EXPECT_EQ(write(second, after), decided::outdated);
  now_ += 1ms;
  read(second, after);
  EXPECT_EQ(write(second, after), decided::validate);
}

// What it writes may rest on its first read, which no check knows.
TEST_F(after_reload, row_that_was_read_before_and_after) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  read(first, other_rule(correlate::session));
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::outdated);
  first.memory.renew();
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::outdated);
  read(first, other_rule(correlate::session));
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::validate);
}

// Of what it has written since, it may still compute from its first read.
TEST_F(after_reload, own_write_is_no_new_beginning) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  read(first, other_rule(correlate::session));
  const book now = other_rule(correlate::session);
  write(first, now, {}, "id = 1", "balance - 10");
  EXPECT_EQ(write(first, now), decided::outdated);
}

TEST_F(after_reload, own_write_behind_a_new_read_is_of_the_new_unit) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  first.memory.renew();
  const book now = other_rule(correlate::session);
  read(first, now);
  write(first, now, {}, "id = 1", "balance - 10");
  EXPECT_EQ(write(first, now), decided::validate);
}

TEST_F(after_reload, read_of_a_rule_that_lasts_longer_than_the_one_that_asks) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  const book brief = rule(correlate::session, {"held", "balance"}, "id", 1s);
  now_ += 2s;
  EXPECT_EQ(write(first, brief, {}, "id = 2"), decided::pass);
  EXPECT_EQ(write(first, brief), decided::outdated);
  now_ += 9s;
  EXPECT_EQ(write(first, brief), decided::pass);
}

// One trace may run through several of them.
TEST_F(after_reload, users_to_whom_other_rules_apply_are_no_reload) {
  session first(*this, 1);
  read(first, rule_of("one", "one"), "aa");
  session second(*this, 2);
  EXPECT_EQ(write(second, rule_of("two", "one"), "aa"), decided::pass);
  EXPECT_EQ(write(second, rule_of("two", "renamed"), "aa"), decided::outdated);
}

// The session's own reads are of its user, whoever the rule's name belongs to now.
TEST_F(after_reload, rule_comes_to_apply_to_another_user) {
  for (const correlate how : {correlate::session, correlate::client}) {
    session first(*this, 1);
    read(first, rule_of("one", "shared", how));
    EXPECT_EQ(write(first, rule_of("two", "shared", how)), decided::outdated);
  }
}

TEST_F(after_reload, unit_of_work_that_begins_anew_must_read_again) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  first.memory.renew();
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::outdated);
  read(first, other_rule(correlate::session));
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::validate);
}

TEST_F(after_reload, other_rows_are_not_concerned) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  EXPECT_EQ(write(first, other_rule(correlate::session), {}, "id = 2"), decided::pass);
  EXPECT_EQ(write(first, other_rule(correlate::session), {}, "id IN (1, 2)"), decided::outdated);
  EXPECT_EQ(write(first, other_rule(correlate::session), {}, "number = 7"), decided::outdated);
}

TEST_F(after_reload, key_of_other_columns_may_mean_any_row) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  const book by_number = rule(correlate::session, {"balance"}, "number");
  EXPECT_EQ(write(first, by_number, {}, "number = 7"), decided::outdated);
  first.memory.renew();
  EXPECT_EQ(write(first, by_number, {}, "number = 7"), decided::outdated);
}

TEST_F(after_reload, read_is_as_good_as_none_when_it_has_ended) {
  session first(*this, 1);
  read(first, rule(correlate::client));
  now_ += 10s;
  EXPECT_EQ(write(first, other_rule(correlate::client)), decided::outdated);
  now_ += 1ms;
  EXPECT_EQ(write(first, other_rule(correlate::client)), decided::pass);
}

TEST_F(after_reload, read_of_a_trace) {
  session first(*this, 1);
  read(first, rule(correlate::trace), "aa");
  session second(*this, 2);
  EXPECT_EQ(write(second, other_rule(correlate::trace), "aa"), decided::outdated);
  EXPECT_EQ(write(second, other_rule(correlate::trace), "bb"), decided::pass);
  EXPECT_EQ(write(second, other_rule(correlate::trace)), decided::pass);
}

TEST_F(after_reload, read_of_a_session_is_only_its_own) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  session second(*this, 2);
  EXPECT_EQ(write(second, other_rule(correlate::session)), decided::pass);
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::outdated);
  first.memory.forget();
  EXPECT_EQ(write(first, other_rule(correlate::session)), decided::pass);
}

TEST_F(after_reload, reads_come_to_belong_to_somebody_else) {
  session first(*this, 1);
  read(first, rule(correlate::session));
  EXPECT_EQ(write(first, rule(correlate::client)), decided::outdated);
  session second(*this, 2, "shop/app/10.0.0.2");
  read(second, rule(correlate::client));
  EXPECT_EQ(write(second, rule(correlate::session)), decided::outdated);
  session third(*this, 3, "shop/app/10.0.0.2");
  EXPECT_EQ(write(third, rule(correlate::trace), "aa"), decided::outdated);
}

// No reload at all: a statement that names no trace is its session's, beside those that name one.
TEST_F(after_reload, read_without_a_trace_is_no_remainder) {
  session first(*this, 1);
  read(first, rule(correlate::trace));
  EXPECT_EQ(write(first, rule(correlate::trace), "aa"), decided::pass);
  EXPECT_EQ(write(first, rule(correlate::trace)), decided::validate);
}

}  // namespace
