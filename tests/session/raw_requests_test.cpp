#include "proxy/session/raw_requests.hpp"

#include <string>

#include <gtest/gtest.h>

#include "protocol/frontend.hpp"

namespace proxy::session {
namespace {

std::string message(char tag, const std::string& body = "") {
  const auto length = static_cast<char>(4 + body.size());
  return std::string{tag} + std::string("\0\0\0", 3) + length + body;
}

const std::string batch = message('P', "abc") + message('B', "abc") + message('D', "Sab") +
                          message('D', "Pab") + message('H') + message('E', "ab") + message('C', "Sab") +
                          message('S');
constexpr char batch_answers[] = "12tnTC3Z";

void answer(reply_ledger& ledger, const std::string& tags) {
  for (const char tag : tags) EXPECT_NE(ledger.on_reply(tag).what, verdict::desync) << tag;
}

TEST(raw_requests, are_owed_until_each_is_answered) {
  raw_requests sent;
  reply_ledger ledger;
  sent.feed(batch + batch + message('Q', "abc"), ledger);
  EXPECT_FALSE(sent.inside_message());
  for (int i = 0; i < 2; ++i) {
    answer(ledger, batch_answers);
    EXPECT_TRUE(ledger.commit_in_flight());
  }
  answer(ledger, "TDCZ");
  EXPECT_TRUE(ledger.empty());
  EXPECT_FALSE(ledger.commit_in_flight());
}

TEST(raw_requests, do_not_depend_on_how_the_bytes_come) {
  const std::string all = batch + message('d', std::string(100, 'x')) + message('Q', "abc") + message('S');
  for (std::size_t piece = 1; piece < 12; ++piece) {
    raw_requests sent;
    reply_ledger ledger;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      sent.feed(std::string_view(all).substr(at, piece), ledger);
      const bool at_end = at + piece >= all.size();
      EXPECT_FALSE(at_end && sent.inside_message());
    }
    EXPECT_EQ(ledger.size(), 9U);
    answer(ledger, std::string(batch_answers) + "CZZ");
    EXPECT_TRUE(ledger.empty());
  }
}

TEST(raw_requests, copy_reads_what_stands_before_its_end) {
  raw_requests sent;
  reply_ledger ledger;
  sent.feed(message('P', "abc") + message('B', "abc") + message('E', "ab") + message('S') +
                message('d', "row") + message('c') + message('S') + message('Q', "abc"),
            ledger);
  answer(ledger, "12GCZ");
  EXPECT_TRUE(ledger.commit_in_flight()) << "the query behind it";
  answer(ledger, "CZ");
  EXPECT_TRUE(ledger.empty());
}

TEST(raw_requests, only_a_whole_terminate_is_one) {
  raw_requests sent;
  reply_ledger ledger;
  const std::string end(protocol::frontend::terminate_frame);
  sent.feed(message('Q', "SELECT " + end), ledger);
  EXPECT_FALSE(sent.terminated()) << "inside a text";
  sent.feed(std::string_view(end).substr(0, 3), ledger);
  EXPECT_TRUE(sent.inside_message());
  EXPECT_FALSE(sent.terminated());
  sent.feed(std::string_view(end).substr(3), ledger);
  EXPECT_TRUE(sent.terminated());
}

}  // namespace
}  // namespace proxy::session
