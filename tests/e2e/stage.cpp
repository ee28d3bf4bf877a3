#include "tests/e2e/stage.hpp"

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

#include "tests/e2e/wire.hpp"

namespace e2e {
namespace {

std::string environment(const char* name) {
  const char* found = std::getenv(name);
  if (found == nullptr) {
    throw std::runtime_error(std::string(name) +
                             " is not set: these tests run under tests/cluster.sh run -- ... (./dev test)");
  }
  return found;
}

constexpr char schema[] = R"(
CREATE TABLE wallets (id bigint PRIMARY KEY, user_id bigint, owner text, balance numeric(12,2));
INSERT INTO wallets SELECT i, i * 10, 'owner ' || i, 100 FROM generate_series(1, 10) AS i;
CREATE TABLE orders (id bigint PRIMARY KEY, wallet_id bigint, note text);
INSERT INTO orders SELECT i, i, 'order ' || i FROM generate_series(1, 10) AS i;
CREATE TABLE notes (id int PRIMARY KEY, note text);
GRANT ALL ON ALL TABLES IN SCHEMA public TO app_scram, app_md5, app_plain;
)";

}  // namespace

namespace cluster {

std::string host() {
  return environment("PGTELLER_TEST_HOST");
}
int port() {
  return std::stoi(environment("PGTELLER_TEST_PORT"));
}
std::string socket_directory() {
  return environment("PGTELLER_TEST_SOCKET_DIR");
}
std::string password() {
  return environment("PGTELLER_TEST_PASSWORD");
}
std::string conninfo(const std::string& database, const std::string& user) {
  return "host=" + host() + " port=" + std::to_string(port()) + " dbname=" + database + " user=" + user +
         " sslmode=disable gssencmode=disable connect_timeout=30";
}

}  // namespace cluster

std::string program() {
  const char* other = std::getenv("PGTELLER_BIN");
  return other == nullptr ? PGTELLER_BINARY : other;
}

database::database() {
  static int count = 0;
  name_ = "e2e_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  link maintenance(cluster::conninfo("postgres"));
  const reply made = maintenance.run("CREATE DATABASE " + name_ + " TEMPLATE template0");
  if (!made.ok()) throw std::runtime_error(made.message() + maintenance.problem());
}

database::~database() {
  link maintenance(cluster::conninfo("postgres"));
  EXPECT_TRUE(maintenance.run("DROP DATABASE " + name_ + " WITH (FORCE)").ok());
}

link database::direct(const std::string& user) const {
  return link(cluster::conninfo(name_, user));
}

proxy::proxy(proxy_options options) : options_(std::move(options)) {
  write_configuration(options_.rules);
  process_ = std::make_unique<child>(
      std::vector<std::string>{program(), "serve", "--config", place_ / "pgteller.toml"}, place_ / "log");
  read_ports();
}

proxy::~proxy() {
  stop();
}

void proxy::stop(int signal) {
  if (!process_) return;
  if (process_->running()) process_->signal(signal);
  if (const auto code = process_->wait()) {
    EXPECT_EQ(*code, 0) << log();
  } else {
    ADD_FAILURE() << "pgteller does not stop\n" << log();
  }
}

void proxy::kill() {
  process_->signal(SIGKILL);
  EXPECT_EQ(process_->wait(), 128 + SIGKILL);
  process_.reset();
}

void proxy::write_configuration(const std::string& rules) const {
  const std::string host = options_.upstream_host.empty() ? cluster::host() : options_.upstream_host;
  const int port = options_.upstream_port == 0 ? cluster::port() : options_.upstream_port;
  const char* everywhere = std::getenv("PGTELLER_TEST_UPSTREAM");
  const std::string upstream =
      options_.upstream.empty() && everywhere != nullptr ? everywhere : options_.upstream;
  std::ostringstream text;
  text << "[listen]\naddress = \"127.0.0.1\"\nport = 0\n" << options_.listen << "\n";
  text << "[upstream]\nhost = \"" << host << "\"\nport = " << port << "\n" << upstream << "\n";
  text << "[catalog]\nconninfo = \"" << options_.catalog << "\"\n";
  text << "[metrics]\nport = 0\n[log]\nformat = \"json\"\nlevel = \"" << options_.log_level << "\"\n"
       << rules;
  write_file(place_ / "pgteller.toml", text.str());
}

void proxy::read_ports() {
  const auto number_after = [](const std::string& text, const std::string& key) {
    const std::size_t at = text.find(key);
    return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + key.size());
  };
  const bool serving = eventually([&] {
    const bool running = process_->running();
    const std::string text = log();
    metrics_port_ = number_after(text, "\"metrics_port\":");
    port_ = number_after(text, "\"port\":");
    return !running || (port_ != 0 && metrics_port_ != 0 && text.ends_with('\n'));
  });
  if (!serving || port_ == 0) throw std::runtime_error("pgteller does not serve:\n" + log());
}

std::string proxy::page(const std::string& path, int& status) const {
  wire asking("127.0.0.1", metrics_port_);
  asking.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string all = asking.read_to_end();
  const std::size_t body = all.find("\r\n\r\n");
  status = all.size() > 12 ? std::atoi(all.c_str() + 9) : 0;
  return body == std::string::npos ? "" : all.substr(body + 4);
}

double proxy::metric(const std::string& prefix) const {
  int status = 0;
  std::istringstream lines(page("/metrics", status));
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) sum += std::atof(line.c_str() + line.rfind(' '));
  }
  return sum;
}

bool proxy::ready() const {
  int status = 0;
  static_cast<void>(page("/readyz", status));
  return status == 200;
}

void proxy::reload(const std::string& rules) {
  const double before = metric("pgteller_reloads_total");
  write_configuration(rules);
  process_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return metric("pgteller_reloads_total") > before; }));
}

std::string wallet_rule(const std::string& more) {
  return "[[rule]]\nname = \"wallet-balance\"\ntable = \"wallets\"\ncolumns = [\"balance\"]\nmin = 0\n" +
         more + "\n";
}

void stage::SetUp() {
  database_ = std::make_unique<database>();
  link here = direct();
  const reply made = here.run(schema);
  ASSERT_TRUE(made.ok()) << made.message();
}

void stage::start(const std::string& rules) {
  proxy_options options;
  options.rules = rules;
  start(std::move(options));
}

void stage::start(proxy_options options) {
  proxy_ = std::make_unique<proxy>(std::move(options));
  // The first statement that may touch a guarded table waits for the catalog by itself.
  const reply first = through().run("SELECT count(*) FROM wallets");
  ASSERT_TRUE(first.ok()) << first.message() << proxy_->log();
}

std::string stage::through_conninfo(const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(proxy_->port()) + " dbname=" + database_->name() +
         " user=" + user + " connect_timeout=30";
}

link stage::through(const std::string& user) const {
  return link(through_conninfo(user));
}

std::string stage::balance(int id) const {
  link here = direct();
  return value(here, "SELECT balance FROM wallets WHERE id = " + std::to_string(id));
}

bool stage::waits_for_lock(const link& who) const {
  link here = direct();
  const std::string sql =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = " + who.pid();
  return eventually([&] { return value(here, sql) == "1"; }, std::chrono::seconds{30});
}

std::string stage::locked_ids() const {
  link here = direct();
  return value(here,
               "SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM wallets WHERE id NOT IN "
               "(SELECT id FROM (SELECT id FROM wallets FOR NO KEY UPDATE SKIP LOCKED) AS free)");
}

}  // namespace e2e
