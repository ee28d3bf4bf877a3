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

const std::string batch = message('P', "abc") + message('B', "abc") + message('E', "ab") + message('S');

TEST(raw_requests, are_owed_until_each_has_its_ready) {
  raw_requests sent;
  EXPECT_FALSE(sent.busy());
  sent.feed(batch + batch + message('Q', "abc"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(sent.busy());
    sent.answered();
  }
  EXPECT_FALSE(sent.busy());
}

TEST(raw_requests, do_not_depend_on_how_the_bytes_come) {
  raw_requests sent;
  for (const char byte : batch + batch) {
    sent.feed({&byte, 1});
    EXPECT_TRUE(sent.busy());
  }
  sent.answered();
  EXPECT_TRUE(sent.busy());
  sent.answered();
  EXPECT_FALSE(sent.busy());
}

TEST(raw_requests, batch_without_its_sync_is_busy) {
  raw_requests sent;
  sent.feed(message('P', "abc") + message('H'));
  EXPECT_TRUE(sent.busy());
  sent.feed(message('S'));
  sent.answered();
  EXPECT_FALSE(sent.busy());
}

TEST(raw_requests, copy_takes_the_sync_that_was_sent_before_its_end) {
  raw_requests sent;
  sent.feed(batch + message('d', "row") + message('c') + message('S'));
  sent.copy_in();
  sent.answered();
  EXPECT_FALSE(sent.busy());
}

TEST(raw_requests, only_a_whole_terminate_is_one) {
  raw_requests sent;
  const std::string end(protocol::frontend::terminate_frame);
  sent.feed(message('Q', "SELECT " + end));
  EXPECT_FALSE(sent.terminated()) << "inside a text";
  sent.feed(std::string_view(end).substr(0, 3));
  EXPECT_FALSE(sent.terminated());
  sent.feed(std::string_view(end).substr(3));
  EXPECT_TRUE(sent.terminated());
}

}  // namespace
}  // namespace proxy::session
