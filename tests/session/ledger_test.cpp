// Stories about the reply ledger. A story is a line of tokens, in the order in which things happen:
//   P B E C S Q F    the client's Parse, Bind, Execute, Close, Sync, Query, FunctionCall is sent
//   Ds Dp            Describe of a statement, of a portal
//   c                the client ends its COPY data
//   hP hB hE hC      the same, hidden
//   Q[101]           a query of three statements, the first and the last hidden
//   1=f              the server's message '1' is forwarded; =h hidden, =t translated, =x answers nothing that
//   was asked -n               n requests were skipped by the last error !                nothing is owed any
//   more;  ?n  n replies are owed;  Zn  n ReadyForQuery are owed ~                the request before was not
//   recorded: the server will not answer it
#include <sstream>

#include <gtest/gtest.h>

#include "proxy/session/reply_ledger.hpp"

namespace {

using namespace proxy::session;

struct story {
  const char* name;
  const char* tokens;
};

std::ostream& operator<<(std::ostream& out, const story& of) {
  return out << of.tokens;
}

const story stories[] = {
    {"simple_query", "Q T=f D=f C=f Z=f !"},
    {"empty_query", "Q I=f Z=f !"},
    {"query_that_fails", "Q E=f Z=f !"},
    {"query_that_fails_after_rows", "Q T=f D=f E=f Z=f !"},
    {"two_queries_at_once", "Q Q Z2 C=f Z=f Z1 C=f Z=f !"},
    {"query_of_several_statements", "Q T=f D=f C=f C=f T=f D=f C=f Z=f !"},
    {"extended_query", "P B Dp E S 1=f 2=f T=f D=f D=f C=f Z=f !"},
    {"statement_described_first", "P Ds S 1=f t=f T=f Z=f B E S 2=f C=f Z=f !"},
    {"statement_without_rows", "P Ds S 1=f t=f n=f Z=f !"},
    {"portal_without_rows", "B Dp E S 2=f n=f C=f Z=f !"},
    {"portal_suspended_then_resumed", "P B E S 1=f 2=f D=f s=f Z=f E S D=f C=f Z=f !"},
    {"empty_statement_executed", "P B E S 1=f 2=f I=f Z=f !"},
    {"close_of_statement", "C S 3=f Z=f !"},
    {"flush_instead_of_sync", "P Ds 1=f t=f T=f ! S Z=f !"},
    {"two_syncs", "S S Z2 Z=f Z=f !"},
    {"pipeline_of_batches", "P B E S P B E S 1=f 2=f C=f Z=f 1=f 2=f C=f Z=f !"},
    {"parse_fails", "P B E S E=f -3 Z=f !"},
    {"bind_fails", "P B E S 1=f E=f -2 Z=f !"},
    {"execute_fails", "P B E E S 1=f 2=f D=f E=f -2 Z=f !"},
    {"only_the_batch_in_error_is_skipped", "P B E S B E S E=f -3 Z=f 2=f C=f Z=f !"},
    {"error_before_the_sync_was_sent", "P B E E=f -3 ! P ~ B ~ S Z=f !"},
    {"query_is_discarded_while_skipping", "P E=f -1 Q ~ S Z=f !"},
    {"query_before_sync_in_a_failed_batch", "P B E Q S E=f -4 Z=f !"},
    {"query_before_sync", "P B E Q 1=f 2=f C=f T=f C=f Z=f S Z=f !"},
    {"commit_fails_at_sync", "P B E S 1=f 2=f C=f E=f -0 Z=f !"},
    {"function_call", "F V=f Z=f !"},
    {"function_call_fails", "F E=f Z=f !"},
    {"notice_and_parameter_between_any_two_messages", "N=f S=f A=f Q N=f T=f S=f D=f A=f C=f N=f Z=f A=f !"},
    {"fatal_when_idle", "E=f !"},
    {"answer_to_nothing", "C=x"},
    {"ready_for_nothing", "Z=x"},
    {"wrong_answer", "P 2=x"},
    {"rows_for_a_parse", "P D=x"},
    {"row_description_without_parameters", "Ds T=x"},

    {"hidden_before_a_statement", "P B hP hB hE hC hC E S 1=f 2=f 1=h 2=h D=h C=h 3=h 3=h C=f Z=f !"},
    {"hidden_before_bind", "P hP hB hE hC hC B E S 1=f 1=h 2=h D=h C=h 3=h 3=h 2=f D=f C=f Z=f !"},
    {"hidden_raises", "P B hP hB hE hC hC E S 1=f 2=f 1=h 2=h E=t -4 Z=f !"},
    {"hidden_does_not_parse", "P B hP hB hE hC hC E S 1=f 2=f E=t -6 Z=f !"},
    {"client_fails_before_hidden", "P B hP hB hE hC hC E S E=f -8 Z=f !"},
    {"client_fails_after_hidden", "hP hB hE hC hC E S 1=h 2=h D=h C=h 3=h 3=h E=f -1 Z=f !"},
    {"hidden_raises_and_the_next_batch_runs", "hP hB hE E S P B E S 1=h 2=h E=t -2 Z=f 1=f 2=f C=f Z=f !"},
    {"two_hidden_in_one_batch", "hP hB hE E hP hB hE E S 1=h 2=h C=h C=f 1=h 2=h C=h C=f Z=f !"},
    {"notice_of_a_hidden_statement", "hP hB hE E S 1=h 2=h N=h D=h C=h N=f C=f Z=f !"},
    {"parameter_status_while_hidden_runs", "hP hB hE E S 1=h S=f 2=h A=f C=h C=f Z=f !"},

    {"script_hides_its_first_statement", "Q[10] T=h D=h C=h C=f Z=f !"},
    {"script_hides_in_the_middle", "Q[010] T=f D=f C=f T=h D=h C=h C=f Z=f !"},
    {"script_raises_in_a_hidden_statement", "Q[10] E=t Z=f !"},
    {"script_raises_in_the_clients_statement", "Q[10] T=h D=h C=h E=f Z=f !"},
    {"script_raises_in_the_second_hidden_statement", "Q[1010] T=h C=h C=f E=t Z=f !"},
    {"query_after_a_script", "Q[10] Q T=h C=h C=f Z=f T=f C=f Z=f !"},
    {"script_with_copy", "Q[100] T=h C=h C=f G=f c C=f Z=f !"},

    {"copy_in_by_query", "Q G=f c C=f Z=f !"},
    {"copy_in_fails_on_the_way", "Q G=f E=f Z=f c ! Q C=f Z=f !"},
    {"late_copy_end_after_an_error", "Q G=f E=f c Z=f ! Q C=f Z=f !"},
    {"copy_in_swallows_the_sync_sent_before_it", "P B E S 1=f 2=f G=f -0 ?1 c S C=f Z=f !"},
    {"copy_in_swallows_a_sync_sent_meanwhile", "P B E 1=f 2=f G=f S ~ c S C=f Z=f !"},
    {"copy_in_pipelined_with_its_end", "P B E c S 1=f 2=f G=f C=f Z=f !"},
    {"copy_in_consumes_a_query_by_its_error", "Q G=f Q ~ E=f Z=f !"},
    {"copy_in_consumes_a_query_sent_before", "Q Q G=f -1 E=f Z=f !"},
    {"copy_in_fails_in_a_batch", "P B E S 1=f 2=f G=f E=f -1 c S Z=f !"},
    {"copy_out_by_query", "Q H=f d=f d=f c=f C=f Z=f !"},
    {"copy_out_in_a_batch", "P B E S 1=f 2=f H=f d=f c=f C=f Z=f !"},
    {"copy_both", "Q W=f d=f c c=f C=f C=f Z=f !"},
};

request request_of(const std::string& token) {
  switch (token[0]) {
    case 'P':
      return request::parse;
    case 'B':
      return request::bind;
    case 'E':
      return request::execute;
    case 'C':
      return request::close;
    case 'S':
      return request::sync;
    case 'Q':
      return request::query;
    case 'F':
      return request::function_call;
    default:
      return token == "Ds" ? request::describe_statement : request::describe_portal;
  }
}

char letter(verdict what) {
  return "fhtx"[static_cast<int>(what)];
}

class play {
 public:
  void token(const std::string& text) {
    SCOPED_TRACE(text);
    if (text.size() == 3 && text[1] == '=') {
      EXPECT_EQ(letter(ledger_.on_reply(text[0]).what), text[2]);
    } else if (text == "!") {
      EXPECT_TRUE(ledger_.empty());
      EXPECT_EQ(ledger_.owed_ready(), 0U);
      EXPECT_EQ(ledger_.owed_queries(), 0U);
    } else if (text == "~") {
      EXPECT_FALSE(recorded_);
    } else if (text[0] == '-') {
      EXPECT_EQ(ledger_.dropped().size(), std::stoul(text.substr(1)));
    } else if (text[0] == '?') {
      EXPECT_EQ(ledger_.size(), std::stoul(text.substr(1)));
    } else if (text[0] == 'Z') {
      EXPECT_EQ(ledger_.owed_ready(), std::stoul(text.substr(1)));
    } else {
      send(text);
    }
  }

 private:
  void send(const std::string& text) {
    if (text == "c") return ledger_.copy_ended();
    if (text.starts_with("Q[")) {
      std::vector<bool> hidden;
      for (const char bit : text.substr(2, text.size() - 3)) hidden.push_back(bit == '1');
      recorded_ = ledger_.expect_script(hidden);
      return;
    }
    const bool hidden = text[0] == 'h';
    recorded_ = ledger_.expect(
        {.what = request_of(hidden ? text.substr(1) : text), .hidden = hidden, .kept = note::none});
  }

  reply_ledger ledger_;
  bool recorded_ = true;
};

class ledger : public testing::TestWithParam<story> {};

TEST_P(ledger, tells_whose_each_message_is) {
  std::istringstream tokens(GetParam().tokens);
  play playing;
  for (std::string token; tokens >> token;) playing.token(token);
}

INSTANTIATE_TEST_SUITE_P(stories, ledger, testing::ValuesIn(stories),
                         [](const testing::TestParamInfo<story>& of) { return std::string(of.param.name); });

TEST(ledger_notes, are_reported_when_settled_and_when_skipped) {
  reply_ledger ledger;
  ASSERT_TRUE(ledger.expect({.what = request::parse, .hidden = false, .kept = note::statement_name}));
  ASSERT_TRUE(ledger.expect({.what = request::bind, .hidden = false, .kept = note::portal_name}));
  ASSERT_TRUE(ledger.expect({.what = request::sync}));
  const ruling parsed = ledger.on_reply('1');
  EXPECT_TRUE(parsed.settled);
  EXPECT_EQ(parsed.subject.kept, note::statement_name);
  static_cast<void>(ledger.on_reply('E'));
  ASSERT_EQ(ledger.dropped().size(), 1U);
  EXPECT_EQ(ledger.dropped()[0].kept, note::portal_name);
  static_cast<void>(ledger.on_reply('Z'));
  EXPECT_TRUE(ledger.dropped().empty());
}

TEST(ledger_commits, last_until_ready_for_query) {
  reply_ledger ledger;
  ledger.commits_next();
  ASSERT_TRUE(ledger.expect({.what = request::bind}));
  ASSERT_TRUE(ledger.expect({.what = request::execute}));
  ASSERT_TRUE(ledger.expect({.what = request::sync}));
  static_cast<void>(ledger.on_reply('2'));
  EXPECT_TRUE(ledger.commit_in_flight());
  static_cast<void>(ledger.on_reply('C'));
  EXPECT_TRUE(ledger.commit_in_flight()) << "it is Sync that commits";
  static_cast<void>(ledger.on_reply('Z'));
  EXPECT_FALSE(ledger.commit_in_flight());
  ASSERT_TRUE(ledger.expect({.what = request::execute}));
  ASSERT_TRUE(ledger.expect({.what = request::sync}));
  EXPECT_FALSE(ledger.commit_in_flight()) << "nobody has said so of these";
}

TEST(ledger_commits, end_with_an_error) {
  for (const request what : {request::execute, request::query}) {
    reply_ledger ledger;
    ledger.commits_next();
    ASSERT_TRUE(ledger.expect({.what = what}));
    const bool extended = what == request::execute;
    ASSERT_TRUE(!extended || ledger.expect({.what = request::sync}));
    static_cast<void>(ledger.on_reply('E'));
    EXPECT_FALSE(ledger.commit_in_flight());
    ledger.commits_next();
    ASSERT_TRUE(ledger.expect({.what = request::query}));
    EXPECT_TRUE(ledger.commit_in_flight()) << "another one behind it";
  }
}

TEST(ledger_commits, pass_from_a_sync_that_a_copy_ignores_to_the_next) {
  for (const bool at_once : {true, false}) {
    reply_ledger ledger;
    ledger.commits_next();
    ASSERT_TRUE(ledger.expect({.what = request::execute}));
    ASSERT_TRUE(ledger.expect({.what = request::sync}));
    const auto end_copy = [&] {
      ledger.copy_ended();
      ASSERT_TRUE(ledger.expect({.what = request::sync}));
    };
    if (at_once) end_copy();
    static_cast<void>(ledger.on_reply('G'));
    if (!at_once) end_copy();
    static_cast<void>(ledger.on_reply('C'));
    EXPECT_TRUE(ledger.commit_in_flight());
    static_cast<void>(ledger.on_reply('Z'));
    EXPECT_FALSE(ledger.commit_in_flight());
  }
}

}  // namespace
