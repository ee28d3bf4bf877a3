#include "proxy/ops/log.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

namespace proxy::ops {
namespace {

TEST(event_text, quotes_only_where_needed) {
  EXPECT_EQ(event_text("client closed", {{"user", "app"}, {"port", 5432}, {"drained", true}, {"ratio", 0.5}}),
            "client closed user=app port=5432 drained=true ratio=0.5");
  EXPECT_EQ(
      event_text("x",
                 {{"a", ""}, {"b", "two words"}, {"c", "k=v"}, {"d", "say \"hi\""}, {"e", "back\\slash"}}),
      R"(x a="" b="two words" c="k=v" d="say \"hi\"" e="back\\slash")");
}

TEST(event_text, no_value_can_forge_a_line_or_steer_a_terminal) {
  EXPECT_EQ(event_text("x", {{"user", "a\nlevel=error fake"}}), R"(x user="a\nlevel=error fake")");
  EXPECT_EQ(event_text("x", {{"user", "\x1b[2J\x7f\r\t"}}), R"(x user="\u001b[2J\u007f\r\t")");
  EXPECT_EQ(event_text("x", {{"user", std::string("nul\0byte", 8)}}), R"(x user="nul\u0000byte")");
  EXPECT_EQ(event_text("x", {{"user",
                              "\xc2\x9b"
                              "31m"}}),
            R"(x user="\u009b31m")");                                            // C1: CSI in one character
  EXPECT_EQ(event_text("x", {{"user", "\xe2\x80\xae"}}), R"(x user="\u202e")");  // right-to-left override
  EXPECT_EQ(event_text("a\nb"), "a\\nb");
}

TEST(event_text, bytes_that_are_no_utf8_are_shown_as_such) {
  EXPECT_EQ(event_text("x", {{"user", "\xff\xfe"}}), R"(x user="\xff\xfe")");
  EXPECT_EQ(event_text("x", {{"user", "caf\xe9"}}), R"(x user="caf\xe9")");
  EXPECT_EQ(event_text("x", {{"user", "café"}}), "x user=café");
  EXPECT_EQ(event_text("x", {{"user", "\xc0\xaf"}}), R"(x user="\xc0\xaf")");          // overlong
  EXPECT_EQ(event_text("x", {{"user", "\xed\xa0\x80"}}), R"(x user="\xed\xa0\x80")");  // surrogate
  EXPECT_EQ(event_text("x", {{"user", "\xf4\x90\x80\x80"}}), R"(x user="\xf4\x90\x80\x80")");
  EXPECT_EQ(event_text("x", {{"user", "cut\xe2\x82"}}), R"(x user="cut\xe2\x82")");
  EXPECT_EQ(event_text("x", {{"user", "😀"}}), "x user=😀");
}

TEST(event_json, is_json) {
  EXPECT_EQ(
      event_json(log_level::warn, "client closed", {{"user", "a\"b\\c\n\x01"}, {"n", -1}, {"ok", false}}),
      R"("level":"warn","message":"client closed","user":"a\"b\\c\n\u0001","n":-1,"ok":false})");
  EXPECT_EQ(event_json(log_level::info, "x", {{"bad", "\xff"}, {"good", "é"}}),
            R"("level":"info","message":"x","bad":"\ufffd","good":"é"})");
  EXPECT_EQ(event_json(log_level::info, "x",
                       {{"d", std::nan("")}, {"max", std::numeric_limits<std::uint64_t>::max()}}),
            R"("level":"info","message":"x","d":null,"max":18446744073709551615})");
}

class captured {
 public:
  explicit captured(const log_settings& settings)
      : log_(settings, std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)) {}
  event_log& log() { return log_; }
  [[nodiscard]] std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
  event_log log_;
};

TEST(event_log, text_lines) {
  captured sink({.level = log_level::info, .format = log_format::text});
  sink.log().event(log_level::debug, "not shown");
  sink.log().event(log_level::info, "client closed", {{"reason", "100% {} done"}});
  const auto text = sink.text();
  ASSERT_GT(text.size(), 25U);
  EXPECT_EQ(text[10], 'T');
  EXPECT_EQ(text.substr(23), "Z info  client closed reason=\"100% {} done\"\n");
}

TEST(event_log, json_lines) {
  captured sink({.level = log_level::trace, .format = log_format::json});
  sink.log().event(log_level::error, "no upstream", {{"host", "db"}});
  const auto text = sink.text();
  EXPECT_TRUE(text.starts_with("{\"ts\":\"20")) << text;
  EXPECT_TRUE(text.ends_with("Z\",\"level\":\"error\",\"message\":\"no upstream\",\"host\":\"db\"}\n"))
      << text;
}

TEST(event_log, level_can_change) {
  captured sink({.level = log_level::error});
  EXPECT_FALSE(sink.log().enabled(log_level::warn));
  sink.log().set_level(log_level::trace);
  EXPECT_TRUE(sink.log().enabled(log_level::trace));
}

}  // namespace
}  // namespace proxy::ops
