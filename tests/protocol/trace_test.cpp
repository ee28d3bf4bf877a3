#include "protocol/trace.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/reader.hpp"
#include "tests/protocol/random_frames.hpp"

using namespace std::string_view_literals;
using namespace protocol;
using protocol::test::as_frame;

namespace {

/// Each line is its own canonical form: reading it and writing it gives it back.
void expect_canonical(direction from, std::initializer_list<std::string_view> lines) {
  for (const std::string_view line : lines) {
    const auto wire = from_text(line, from);
    ASSERT_TRUE(wire) << line;
    ASSERT_GE(wire->size(), header_size) << line;
    EXPECT_EQ(load_u32(wire->data() + 1) + 1, wire->size()) << line;
    EXPECT_EQ(to_text(as_frame(*wire), from), line);
  }
}

}  // namespace

TEST(trace, every_client_message_has_its_line) {
  expect_canonical(direction::from_client,
                   {R"(Query "SELECT 1")",
                    R"(Query "a\"b\\c\n\r\t\x01\xff'")",
                    R"(Parse "" "SELECT 1")",
                    R"(Parse "s1" "SELECT $1, $2" [23 4294967295])",
                    R"(Bind "" "")",
                    R"(Bind "p" "s" formats=[1] params=["1" NULL "" "\x00\xff"] results=[0 -1])",
                    R"(Bind "" "s" params=[NULL])",
                    R"(Describe S "s1")",
                    R"(Describe P "")",
                    R"(Close P "p")",
                    R"(Execute "")",
                    R"(Execute "p" 10)",
                    R"(Execute "p" -1)",
                    "Sync",
                    "Flush",
                    "Terminate",
                    "CopyDone",
                    R"(CopyData "1\t2\n")",
                    R"(CopyFail "no")",
                    R"(FunctionCall 1299)",
                    R"(FunctionCall 1299 formats=[0] params=["1"] result=1)",
                    R"(PasswordMessage "secret")",
                    R"(SASLInitialResponse "SCRAM-SHA-256" "n,,n=,r=x")",
                    R"(SASLInitialResponse "SCRAM-SHA-256" NULL)",
                    R"(SASLResponse "c=biws")",
                    R"(Unknown 'y' "x")",
                    R"(Unknown '\x00' "")",
                    R"(Unknown '\'' "")",
                    R"(Malformed 'Q' "no zero")",
                    R"(Malformed 'S' "x")"});
}

TEST(trace, every_server_message_has_its_line) {
  expect_canonical(direction::from_server,
                   {"AuthenticationOk",
                    "AuthenticationCleartextPassword",
                    R"(AuthenticationMD5Password "salt")",
                    R"(AuthenticationSASL "SCRAM-SHA-256-PLUS" "SCRAM-SHA-256")",
                    R"(AuthenticationSASLContinue "r=x")",
                    R"(AuthenticationSASLFinal "v=x")",
                    R"(Authentication 7 "")",
                    R"(Authentication 0 "x")",
                    R"(BackendKeyData 4711 "\x00\x00\x00\x01")",
                    R"(ParameterStatus "TimeZone" "UTC")",
                    "ReadyForQuery I",
                    "ReadyForQuery T",
                    "ReadyForQuery E",
                    "RowDescription",
                    R"(RowDescription "id" table=16384 column=1 type=23 size=4 "na me")",
                    R"(RowDescription "n" type=1700 modifier=655366 format=1)",
                    "DataRow",
                    R"(DataRow "1" NULL "")",
                    R"(CommandComplete "SELECT 1")",
                    "EmptyQueryResponse",
                    "NoData",
                    "ParseComplete",
                    "BindComplete",
                    "CloseComplete",
                    "PortalSuspended",
                    "ParameterDescription",
                    "ParameterDescription [23 25]",
                    "CopyInResponse 0 [0 0]",
                    "CopyOutResponse 1 [1]",
                    "CopyBothResponse 0",
                    R"(CopyData "x")",
                    "CopyDone",
                    R"(FunctionCallResponse "1")",
                    "FunctionCallResponse NULL",
                    R"(NegotiateProtocolVersion 196608 "_pq_.x")",
                    "NegotiateProtocolVersion 0",
                    R"(NotificationResponse 4711 "channel" "pay load")",
                    R"(ErrorResponse S="ERROR" C="42601" M="b\"oom")",
                    R"(NoticeResponse S="NOTICE")",
                    R"(Malformed 'E' "SERROR\x00")",
                    R"(Malformed 'Z' "X")",
                    R"(Unknown 'Q' "x")"});
}

TEST(trace, the_same_tag_reads_by_direction) {
  const std::string wire("E\0\0\0\x09\0\0\0\0\0", 10);
  EXPECT_EQ(to_text(as_frame(wire), direction::from_client), R"(Execute "")");
  EXPECT_EQ(to_text(as_frame(wire), direction::from_server), R"(Malformed 'E' "\x00\x00\x00\x00\x00")");
}

TEST(trace, spaces_do_not_matter_and_raw_bytes_may_be_written) {
  EXPECT_EQ(from_text(R"(  Parse  ""   "x"  [ 23  25 ]  )", direction::from_client),
            from_text(R"(Parse "" "x" [23 25])", direction::from_client));
  EXPECT_EQ(from_text(R"(Bytes "Q\x00\x00")", direction::from_client), "Q\0\0"sv);
}

TEST(trace, lines_of_another_form_are_refused) {
  for (const std::string_view line : {"",
                                      "Nonsense",
                                      "Sync x",
                                      "Query",
                                      "Query SELECT",
                                      R"(Query "a)",
                                      R"(Query "a" "b")",
                                      R"(Query "\q")",
                                      R"(Query "\x0")",
                                      R"(Query "\x+1")",
                                      R"(Query "a\x00b")",
                                      R"(Query "\)",
                                      R"(Parse "" "" [23)",
                                      R"(Parse "" "" [4294967296])",
                                      R"(Parse "" "" [-1])",
                                      R"(Parse "" "" [x])",
                                      R"(Describe X "")",
                                      R"(Bind "" "" formats=[32768])",
                                      R"(Bind "" "" params=["1")",
                                      R"(Bind "" "" results=)",
                                      R"(Execute "" 2147483648)",
                                      "ReadyForQuery I",
                                      "DataRow",
                                      "Unknown 'ab' \"\"",
                                      "Unknown ' \"\""}) {
    EXPECT_FALSE(from_text(line, direction::from_client)) << line;
  }
  for (const std::string_view line :
       {"ReadyForQuery X", "ReadyForQuery", R"(RowDescription "a" size=)", R"(RowDescription "a" colour=1)",
        R"(BackendKeyData 1 "abc")", R"(ErrorResponse SS="x")", "ErrorResponse S=", "CopyInResponse 256"}) {
    EXPECT_FALSE(from_text(line, direction::from_server)) << line;
  }
}

TEST(trace, startup_packets) {
  for (const std::string_view line :
       {R"(StartupMessage 3.0 user="a" database="b c" _pq_.x="")"sv, "StartupMessage 3.2"sv,
        R"(StartupMessage 3.9999 "odd name"="v" "="="\"")"sv, "SSLRequest"sv, "GSSENCRequest"sv,
        R"(CancelRequest 4711 "\x00\x00\x00\x01")"sv}) {
    const auto wire = startup_from_text(line);
    ASSERT_TRUE(wire) << line;
    EXPECT_EQ(startup_to_text(read_startup(*wire)), line);
  }
  for (const std::string_view line :
       {"StartupMessage"sv, "StartupMessage 3"sv, "StartupMessage 3.0 user=a"sv, "StartupMessage 3.0.1"sv,
        R"(StartupMessage 3.0 ""="x")"sv, R"(CancelRequest 1 "abc")"sv, "SSLRequest x"sv, "Broken x"sv}) {
    EXPECT_FALSE(startup_from_text(line)) << line;
  }
  EXPECT_EQ(startup_to_text(read_startup("\0\0\0\7"sv)), "Broken startup packet length below 8");
  EXPECT_EQ(startup_to_text(read_startup("\0"sv)), "Broken incomplete");
  const std::string_view old = "\0\0\0\x09\0\2\0\0x"sv;
  EXPECT_EQ(startup_to_text(read_startup(old)), R"(Bytes "\x00\x00\x00\t\x00\x02\x00\x00x")");
  EXPECT_EQ(startup_from_text(startup_to_text(read_startup(old))), old);
}

RC_GTEST_PROP(trace_property, text_gives_the_frame_back, (bool client)) {
  const direction from = client ? direction::from_client : direction::from_server;
  const std::string wire = test::any_frame(from);
  const std::string line = to_text(as_frame(wire), from);
  RC_LOG() << line;
  RC_ASSERT(line.find('\n') == std::string::npos);
  RC_ASSERT(from_text(line, from) == wire);
}

RC_GTEST_PROP(trace_property, generated_frames_decode, (bool client)) {
  // Except for error fields with unprintable codes, which have no line of their own.
  const direction from = client ? direction::from_client : direction::from_server;
  const std::string wire = test::any_frame(from);
  if (wire[0] == 'E' || wire[0] == 'N') return;
  RC_ASSERT(!to_text(as_frame(wire), from).starts_with("Malformed"));
}
