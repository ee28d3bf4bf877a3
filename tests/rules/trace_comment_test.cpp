#include "rules/trace_comment.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace rules {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "'00-" + trace + "-00f067aa0ba902b7-01'";

void expect_trace(const std::string& sql, std::string_view rest) {
  const auto found = split_trace(sql);
  EXPECT_EQ(found.trace, trace) << sql;
  EXPECT_EQ(found.sql, rest) << sql;
}

TEST(trace_comment, is_read_off_the_end) {
  expect_trace("SELECT 1 /*traceparent=" + parent + "*/", "SELECT 1");
  expect_trace("SELECT 1\n  /* traceparent=" + parent + " */ ;\n", "SELECT 1");
  expect_trace("SELECT 1/*action='%2Fparam*d',controller='index',traceparent=" + parent +
                   ",tracestate='congo%3Dt61rcWkgMzE'*/;;",
               "SELECT 1");
  expect_trace(R"(SELECT '/*' /*name='a\',traceparent=\'b',traceparent=)" + parent + "*/", "SELECT '/*'");
  expect_trace("/*traceparent=" + parent + "*/", "");
  expect_trace("SELECT /* x */ 1 /*a='b' , traceparent = " + parent + "*/", "SELECT /* x */ 1");
  // A version that says more behind the flags.
  expect_trace("SELECT 1 /*traceparent='01-" + trace + "-00f067aa0ba902b7-01-more'*/", "SELECT 1");
}

void expect_none(const std::string& sql) {
  const auto found = split_trace(sql);
  EXPECT_EQ(found.trace, "") << sql;
  EXPECT_EQ(found.sql, sql);
}

TEST(trace_comment, that_names_no_valid_trace_is_left_alone) {
  for (const auto* sql :
       {"", ";", "*/", "/*/", "/**/", "SELECT 1", "SELECT 1 /* hint */", "SELECT 1 /*traceparent='x'*/"}) {
    expect_none(sql);
  }
  const auto with = [](const std::string& value) { return "SELECT 1 /*traceparent='" + value + "'*/"; };
  expect_none(with("00-" + std::string(32, '0') + "-00f067aa0ba902b7-01"));
  expect_none(with("00-" + trace + "-0000000000000000-01"));
  expect_none(with("ff-" + trace + "-00f067aa0ba902b7-01"));
  expect_none(with("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  expect_none(with("00-" + trace + "-00f067aa0ba902b7-01-more"));
  expect_none(with("00-" + trace + "-00f067aa0ba902b7"));
  expect_none("SELECT 1 /*tracestate=" + parent + "*/");
  expect_none("SELECT 1 /*traceparent=" + parent + "*/ + 1");
  expect_none("SELECT '/*traceparent=" + parent + "*/'");
  expect_none("SELECT 1 /* a /*traceparent=" + parent + "*/ */");
  expect_none("SELECT 1 /*traceparent=00-" + trace + "-00f067aa0ba902b7-01*/");
  expect_none("SELECT 1 /*traceparent='00-" + trace + "-00f067aa0ba902b7-01*/");
}

RC_GTEST_PROP(trace_comment, of_any_text_is_a_beginning_of_it, (const std::string& text)) {
  for (const auto& sql : {text, "/*" + text + "*/", text + "/*traceparent=" + parent + "*/"}) {
    RC_ASSERT(std::string_view{sql}.starts_with(split_trace(sql).sql));
  }
}

}  // namespace
}  // namespace rules
