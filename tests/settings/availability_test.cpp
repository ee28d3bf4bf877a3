// What SPEC names and this version does not do is refused at the start, never silently accepted.
#include <gtest/gtest.h>

#include "tests/settings/shown_problems.hpp"

namespace proxy::ops {
namespace {

TEST(availability, listen_and_upstream) {
  EXPECT_EQ(
      problems_of(R"([listen]
tls_cert_file = "c.pem"
tls_key_file = "k.pem"
tls_mode = "require"
[upstream]
sslmode = "verify-full"
sslrootcert = "ca.pem"
statement_cache = 10
)"),
      "f:2:17: TLS for clients is not available in this version; leave the key out\n"
      "f:3:16: TLS for clients is not available in this version; leave the key out\n"
      "f:4:12: tls_mode = \"require\" is not available in this version; leave the key out\n"
      "f:6:11: sslmode = \"verify-full\" is not available in this version; write \"prefer\" or \"disable\"\n"
      "f:7:15: TLS to PostgreSQL is not available in this version; leave the key out\n"
      "f:8:19: statement_cache above 0 is not available in this version; leave the key out\n");
  EXPECT_NE(problems_of("[upstream]\nsslmode = 'require'\n"), "");
  EXPECT_NE(problems_of("[upstream]\nsslmode = 'verify-ca'\n"), "");
}

TEST(availability, rules) {
  EXPECT_EQ(problems_of(R"([[rule]]
name = "r"
table = "t"
columns = ["c"]
strategy = "escrow"
turns = "on"
reread = "last"
correlate = "client"
on_blind_write = "reject"
group_commit = true
[[once]]
name = "o"
table = "t"
key = ["k"]
)"),
            "f:10:16: group_commit = true is not available in this version; write false\n");
  const std::string rule = "[[rule]]\nname='r'\ntable='t'\ncolumns=['c']\n";
  EXPECT_EQ(problems_of(rule + "strategy = 'optimistic'\n"), "");
  EXPECT_EQ(problems_of(rule + "correlate = 'trace'\n"), "");
  EXPECT_EQ(problems_of(rule + "turns = 'adaptive'\n"), "");
}

}  // namespace
}  // namespace proxy::ops
