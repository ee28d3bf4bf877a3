// TLS with clients: how it begins, what is refused, how it ends, and that reloading changes certificates only
// for new clients.
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "protocol/startup.hpp"
#include "tests/e2e/tls_stage.hpp"
#include "tests/e2e/tls_wire.hpp"
#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

using tls_client = tls_stage;

TEST_F(tls_client, guarding_works_over_tls) {
  start_tls(with_certificate("own"));
  link here = over_tls("sslrootcert=" + certificate_file("ca.crt"));
  ASSERT_TRUE(here.open()) << here.problem();
  EXPECT_EQ(PQsslInUse(here.raw()), 1);
  EXPECT_EQ(here.run("UPDATE wallets SET balance = -1 WHERE id = 1").brief(), "23514");
  EXPECT_EQ(here.run("UPDATE wallets SET balance = 1 WHERE id = $1", {"1"}).brief(), "ok UPDATE 1");
}

TEST_F(tls_client, plain_client_is_refused_where_tls_is_required) {
  start_tls(with_certificate("own", "require"));
  wire here("127.0.0.1", proxy_->port());
  EXPECT_FALSE(here.start(database_->name()));
  ASSERT_FALSE(here.greeting().empty());
  EXPECT_EQ(error_field(here.greeting().back(), 'C'), "28000");
  EXPECT_EQ(error_field(here.greeting().back(), 'H'), "Connect with sslmode=require or a stronger one.");
}

TEST_F(tls_client, direct_tls_needs_the_protocol_name) {
  start_tls(with_certificate("own", "require"));
  tls_wire good(proxy_->port(), {.direct = true});
  ASSERT_TRUE(good.secure()) << good.problem();
  EXPECT_TRUE(good.start(database_->name()));
  EXPECT_FALSE(tls_wire(proxy_->port(), {.direct = true, .alpn = "http/1.1"}).secure());
  EXPECT_FALSE(tls_wire(proxy_->port(), {.direct = true, .alpn = ""}).secure());
  // Asked for with SSLRequest it may be left out, as before PostgreSQL 17, but not be another.
  EXPECT_TRUE(tls_wire(proxy_->port(), {.alpn = ""}).start(database_->name()));
  EXPECT_FALSE(tls_wire(proxy_->port(), {.alpn = "http/1.1"}).secure());
}

TEST_F(tls_client, bytes_stuffed_behind_the_request_end_the_connection) {
  start_tls(with_certificate("own"));
  wire here("127.0.0.1", proxy_->port());
  const std::string body = u32(196608) + "user" + '\0' + "postgres" + '\0' + '\0';
  here.send(std::string(protocol::ssl_request_packet) + u32(static_cast<std::uint32_t>(body.size() + 4)) +
            body);
  EXPECT_EQ(here.read_to_end(), "S");
  EXPECT_TRUE(logs("unencrypted data after SSLRequest"));
}

TEST_F(tls_client, requests_in_any_order) {
  start_tls(with_certificate("own"));
  wire first("127.0.0.1", proxy_->port());
  first.send(protocol::gssenc_request_packet);
  EXPECT_EQ(first.bytes(), "N");
  first.send(protocol::ssl_request_packet);
  EXPECT_EQ(first.bytes(), "S");
  tls_wire again(proxy_->port());
  ASSERT_TRUE(again.secure());
  again.send(protocol::ssl_request_packet);
  EXPECT_EQ(error_field(again.read_to_end(), 'C'), "08P01");
}

TEST_F(tls_client, garbage_instead_of_a_handshake) {
  start_tls(with_certificate("own"));
  wire here("127.0.0.1", proxy_->port());
  here.send(protocol::ssl_request_packet);
  ASSERT_EQ(here.bytes(), "S");
  here.send(std::string(1000, 'x'));
  const std::string told = here.read_to_end();
  EXPECT_EQ(told.find("FATAL"), std::string::npos) << "nothing is said in plain where TLS was agreed on";
  wire direct_one("127.0.0.1", proxy_->port());
  direct_one.send("\x16garbage that is no handshake at all");
  static_cast<void>(direct_one.read_to_end());
  EXPECT_TRUE(logs("TLS handshake with the client failed"));
  EXPECT_TRUE(over_tls().open());
}

TEST_F(tls_client, handshake_that_does_not_go_on_is_ended) {
  start_tls(with_certificate("own"));
  wire silent("127.0.0.1", proxy_->port());
  silent.send(protocol::ssl_request_packet);
  ASSERT_EQ(silent.bytes(), "S");
  wire slow("127.0.0.1", proxy_->port());
  slow.send("\x16\x03");
  EXPECT_TRUE(over_tls().open());
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(slow.read_to_end(), "");
  EXPECT_TRUE(logs("the TLS handshake took too long"));
}

TEST_F(tls_client, both_ways_of_ending) {
  start_tls(with_certificate("own"));
  const std::string sql = "SELECT pg_sleep(0.2), repeat('x', 100000)";
  for (const bool notify : {true, false}) {
    tls_wire here(proxy_->port());
    ASSERT_TRUE(here.start(database_->name()));
    here.send(query(sql));
    notify ? here.end_sending() : here.drop();
    // What was asked for before the end is still answered, as PostgreSQL does.
    EXPECT_GT(here.read_to_end().size(), 100'000U) << notify;
  }
  EXPECT_TRUE(eventually([&] { return proxy_->metric("pgteller_client_connections") == 0; }));
}

TEST_F(tls_client, renegotiation_is_refused) {
  start_tls(with_certificate("own"));
  tls_wire here(proxy_->port(), {.newest = TLS1_2_VERSION});
  ASSERT_TRUE(here.start(database_->name()));
  EXPECT_EQ(SSL_renegotiate(here.raw()), 1);
  EXPECT_NE(SSL_do_handshake(here.raw()), 1);
}

TEST_F(tls_client, keys_are_updated_in_the_middle) {
  start_tls(with_certificate("own"));
  tls_wire here(proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(SSL_key_update(here.raw(), SSL_KEY_UPDATE_REQUESTED), 1);
    here.send(query("SELECT repeat('x', 300000)"));
    EXPECT_GT(here.to_ready().size(), 300'000U);
  }
}

TEST_F(tls_client, cancel_over_tls) {
  start_tls(with_certificate("own", "require"));
  link here = over_tls();
  ASSERT_TRUE(here.open());
  PGcancel* plain = PQgetCancel(here.raw());  // libpq before 17 has no other
  const int pid = PQbackendPID(here.raw());
  std::thread canceller([&] {
    link watcher = direct();
    EXPECT_TRUE(eventually([&] {
      return value(watcher, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
                                std::to_string(pid)) == "1";
    }));
    char error[256];
    EXPECT_EQ(PQcancel(plain, error, sizeof error), 1) << error;
  });
  EXPECT_EQ(here.run("SELECT pg_sleep(50)").brief(), "57014");
  canceller.join();
  PQfreeCancel(plain);
}

TEST_F(tls_client, cancel_inside_tls) {
  start_tls(with_certificate("own", "require"));
  tls_wire here(proxy_->port());
  const std::string body =
      u32(196608) + "user" + '\0' + "postgres" + '\0' + "database" + '\0' + database_->name() + '\0' + '\0';
  here.send(u32(static_cast<std::uint32_t>(body.size() + 4)) + body);
  const std::string greeting = here.to_ready();
  const std::size_t key = greeting.find(std::string("K\0\0\0\x0c", 5));
  ASSERT_NE(key, std::string::npos);
  link watcher = direct();
  const std::string sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
  for (const bool direct_one : {false, true}) {
    here.send(query("SELECT pg_sleep(50)"));
    EXPECT_TRUE(eventually([&] { return value(watcher, sleeping) == "1"; }));
    tls_wire request(proxy_->port(), {.direct = direct_one});
    request.send(u32(16) + u32(80877102) + greeting.substr(key + 5, 8));
    EXPECT_EQ(request.read_to_end(), "");
    EXPECT_NE(here.to_ready().find("C57014"), std::string::npos);
  }
}

TEST_F(tls_client, certificates_are_reloaded) {
  scratch place;
  const std::string crt = place / "now.crt";
  const std::string key = place / "now.key";
  const auto put = [&](const std::string& certificate, const std::string& with) {
    write_file(crt, file_text(certificate_file(certificate + ".crt")));
    write_key(key, file_text(certificate_file(with + ".key")));
  };
  put("own", "own");
  start_tls("tls_cert_file = \"" + crt + "\"\ntls_key_file = \"" + key + "\"");
  tls_wire before(proxy_->port());
  EXPECT_EQ(before.shown_name(), "own");
  wire in_handshake("127.0.0.1", proxy_->port());
  in_handshake.send(protocol::ssl_request_packet);
  ASSERT_EQ(in_handshake.bytes(), "S");

  put("own2", "own");  // not its key
  proxy_->reload(wallet_rule());
  EXPECT_TRUE(logs("is not the key of the certificate"));
  EXPECT_EQ(tls_wire(proxy_->port()).shown_name(), "own");

  put("own2", "own2");
  proxy_->reload(wallet_rule());
  EXPECT_EQ(tls_wire(proxy_->port()).shown_name(), "own2");
  EXPECT_TRUE(before.start(database_->name()));
}

TEST_F(tls_client, slow_reader_and_idle_clients_cost_little) {
  start_tls(with_certificate("own"));
  tls_wire here(proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  const long before = proxy_->process().memory("VmHWM");
  here.send(query("SELECT repeat('y', 20000) FROM generate_series(1, 2500)"));
  link admin = direct();
  EXPECT_TRUE(eventually([&] {
    return value(admin,
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND "
                 "datname = current_database()") == "1";
  }));
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + 20'000);
  EXPECT_TRUE(over_tls().open());
  EXPECT_GT(here.to_ready().size(), 50'000'000U);
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + 20'000);

  const long busy = proxy_->process().memory("VmRSS");
  constexpr int count = 100;
  std::vector<std::unique_ptr<tls_wire>> idle;
  for (int i = 0; i < count; ++i) {
    idle.push_back(std::make_unique<tls_wire>(proxy_->port()));
    ASSERT_TRUE(idle.back()->start(database_->name()));
  }
  const long each = (proxy_->process().memory("VmRSS") - busy) / count;
  RecordProperty("kb_per_idle_client", static_cast<int>(each));
  std::printf("%ld kB for an idle client\n", each);
  EXPECT_LT(each, 400) << "kB for a client, under the address sanitizer";
}

TEST_F(tls_client, large_input_while_the_server_does_not_read) {
  start_tls(with_certificate("own"));
  tls_wire here(proxy_->port());
  ASSERT_TRUE(here.start(database_->name()));
  link holder = direct();
  ASSERT_TRUE(holder.run("BEGIN; UPDATE wallets SET balance = 2 WHERE id = 1").ok());
  const long before = proxy_->process().memory("VmHWM");
  here.send(query("UPDATE wallets SET balance = 3 WHERE id = 1"));
  std::thread writer([&] {
    const std::string large = query("SELECT length('" + std::string(1'000'000, 'z') + "')");
    for (int i = 0; i < 50; ++i) here.send(large);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
  EXPECT_LT(proxy_->process().memory("VmHWM"), before + 60'000);
  ASSERT_TRUE(holder.run("COMMIT").ok());
  writer.join();
  EXPECT_TRUE(here.send(query("SELECT 'the last'")));
  std::string told;
  while (told.find("the last") == std::string::npos) {
    const std::string piece = here.bytes();
    ASSERT_FALSE(piece.empty());
    told += piece;
  }
}

}  // namespace
}  // namespace e2e
