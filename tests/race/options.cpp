#include "tests/race/options.hpp"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <utility>

namespace race {
namespace {

using setter = std::function<bool(options&, const std::string&)>;

bool to_number(const std::string& text, double least, double most, double& value) {
  char* end = nullptr;
  errno = 0;
  value = std::strtod(text.c_str(), &end);
  return errno == 0 && !text.empty() && *end == '\0' && value >= least && value <= most;
}

// A setter for a number from `least` to `most`, kept as `scale` times what is written.
template <class Assign>
setter number(double least, double most, double scale, Assign assign) {
  return [=](options& to, const std::string& text) {
    double value = 0;
    if (!to_number(text, least, most, value)) return false;
    assign(to, std::llround(value * scale));
    return true;
  };
}

template <class Assign>
setter text(Assign assign) {
  return [assign](options& to, const std::string& value) {
    assign(to, value);
    return true;
  };
}

bool set_style(options& to, const std::string& value) {
  if (value != "simple" && value != "extended") return false;
  to.style = value == "simple" ? style::simple : style::extended;
  return true;
}

std::optional<address> to_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  return address{text.substr(0, colon), text.substr(colon + 1), "", ""};
}

bool set_versus(options& to, const std::string& value) {
  to.versus = to_address(value);
  return to.versus.has_value();
}

bool add_also(options& to, const std::string& value) {
  const std::optional<address> read = to_address(value);
  if (read) to.also.push_back(*read);
  return read.has_value();
}

bool set_guard(options& to, const std::string& value) {
  to.guard = find_guard(value);
  return to.guard != nullptr;
}

bool set_rules_of(options& to, const std::string& value) {
  to.rules_of = value;
  return find_guard(value) != nullptr;
}

bool add_forbidden(options& to, const std::string& value) {
  to.forbidden.push_back(value);
  return value.size() == 5;
}

void set_scenario(options& to, const std::string& value) {
  to.scenario = value;
  to.scenario_given = true;
}

const std::map<std::string, setter>& worded() {
  static const std::map<std::string, setter> table = {
      {"--host", text([](options& to, const std::string& value) { to.target.host = value; })},
      {"--port", text([](options& to, const std::string& value) { to.target.port = value; })},
      {"--dbname", text([](options& to, const std::string& value) { to.target.dbname = value; })},
      {"--user", text([](options& to, const std::string& value) { to.target.user = value; })},
      {"--audit-conninfo", text([](options& to, const std::string& value) { to.audit_conninfo = value; })},
      {"--versus", set_versus},
      {"--versus-name", text([](options& to, const std::string& value) { to.versus_name = value; })},
      {"--also", add_also},
      {"--scenario", text(set_scenario)},
      {"--style", set_style},
      {"--guard", set_guard},
      {"--print-rules", set_rules_of},
      {"--forbid-sqlstate", add_forbidden},
      {"--cells", text([](options& to, const std::string& value) { to.cells = value; })},
  };
  return table;
}

const std::map<std::string, setter>& numbered() {
  static const std::map<std::string, setter> table = {
      {"--clients",
       number(1, 10000, 1, [](options& to, long long n) { to.clients = static_cast<std::uint32_t>(n); })},
      {"--users",
       number(0, 10000, 1, [](options& to, long long n) { to.users = static_cast<std::uint32_t>(n); })},
      {"--bypass",
       number(0, 10000, 1, [](options& to, long long n) { to.bypass = static_cast<std::uint32_t>(n); })},
      {"--most-deadlocks",
       number(0, 100, 1000,
              [](options& to, long long n) { to.fewer_deadlocks = static_cast<double>(n) / 1000; })},
      {"--rows", number(2, 100000, 1, [](options& to, long long n) { to.wallets = n; })},
      {"--seconds", number(0.1, 86400, 1000,
                           [](options& to, long long n) { to.duration = std::chrono::milliseconds(n); })},
      {"--operations",
       number(1, 1e12, 1, [](options& to, long long n) { to.operations = static_cast<std::uint64_t>(n); })},
      {"--retries",
       number(0, 1000, 1, [](options& to, long long n) { to.retries = static_cast<std::uint32_t>(n); })},
      {"--think-ms",
       number(0, 60000, 1000,
              [](options& to, long long n) { to.longest_thought = std::chrono::microseconds(n); })},
      {"--patience",
       number(1, 3600, 1, [](options& to, long long n) { to.patience = std::chrono::seconds(n); })},
  };
  return table;
}

const std::map<std::string, std::function<void(options&)>>& flags() {
  static const std::map<std::string, std::function<void(options&)>> table = {
      {"--setup", [](options& to) { to.setup = true; }},
      {"--json", [](options& to) { to.json = true; }},
      {"--list", [](options& to) { to.list = true; }},
      {"--guards", [](options& to) { to.list_guards = true; }},
      {"--for-update", [](options& to) { to.locking = true; }},
      {"--help", [](options& to) { to.help = true; }},
      {"--expect-safe", [](options& to) { to.expectation = expectation::safe; }},
      {"--expect-loss", [](options& to) { to.expectation = expectation::loss; }},
  };
  return table;
}

const setter* setter_of(const std::string& word) {
  for (const auto* table : {&worded(), &numbered()}) {
    if (const auto at = table->find(word); at != table->end()) return &at->second;
  }
  return nullptr;
}

// Empty: the options go together.
std::string contradiction(const options& made) {
  if (made.versus && (!made.also.empty() || made.bypass > 0)) return "--versus stands alone";
  if (made.bypass > 0 && made.audit_conninfo.empty()) return "--bypass needs --audit-conninfo";
  if (made.bypass >= made.clients) return "--bypass leaves nobody of --clients";
  if (made.scenario == "promised" && made.guard == nullptr) return "--scenario promised needs --guard";
  return "";
}

}  // namespace

std::string role_of(std::uint32_t number) {
  return "race_" + std::to_string(number + 1);
}

parsed_options parse_options(const std::vector<std::string>& arguments) {
  parsed_options parsed;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string word = arguments[at];
    if (const auto flag = flags().find(word); flag != flags().end()) {
      flag->second(parsed.value);
      continue;
    }
    std::string value;
    const std::size_t equals = word.find('=');
    const bool attached = equals != std::string::npos;
    if (attached) {
      value = word.substr(equals + 1);
      word.resize(equals);
    }
    const setter* set = setter_of(word);
    if (set == nullptr) return {{}, "no option " + word};
    if (!attached && ++at == arguments.size()) return {{}, word + " needs a value"};
    if (!attached) value = arguments[at];
    if (!(*set)(parsed.value, value)) return {{}, word + " cannot be \"" + value + "\""};
  }
  options& made = parsed.value;
  const auto complete = [&made](address& other) {
    other.dbname = made.target.dbname;
    other.user = made.target.user;
  };
  if (made.versus) complete(*made.versus);
  for (address& each : made.also) complete(each);
  parsed.problem = contradiction(made);
  return parsed;
}

std::string help_text() {
  return R"(race: plays the bugs that make balances drift, with many clients at once, and audits the books afterwards

  race --list                     the scenarios
  race --guards                   the ways of guarding them with pgteller, by the names used below
  race --print-rules GUARD        the rules to put into pgteller's configuration for one of these
  race --setup [...]              makes the tables wallets, transactions and items; with --scenario it then plays
  race [--scenario NAME] [...]    plays: a name, several with commas, "all" (the default), or "promised" (with
                                  --guard: what it promises anything for)

where
  --host HOST --port PORT --dbname NAME --user NAME     whom to play against (127.0.0.1:5432, postgres, postgres)
  --versus HOST:PORT              play against this, too, and show both side by side (--versus-name for its title)
  --also HOST:PORT                deal the clients out between --port and this, in turn; may be given again
  --audit-conninfo CONNINFO       a connection that does not lead through a proxy, to audit by (default: the above)
  --bypass N                      so many of the clients use that one instead, and lock what they read themselves
  PGPASSWORD and libpq's other environment variables apply

how
  --clients 32 --rows 2           clients at once, and wallets they meet on (transfer: 50 times as many)
  --users N                       deal them out between roles race_1 to race_N, which --setup makes; where one
                                  client uses two connections (pool), all keep --user
  --seconds 3 | --operations N    when to stop
  --style simple|extended         literals in simple queries (psycopg2, Django), or parameters of named prepared
                                  statements (node-postgres, psycopg 3, JDBC)
  --for-update                    the application reads FOR UPDATE, in a transaction from the start
  --think-ms 2                    longest time between what is read and what is written
  --retries 5                     how often a client repeats an operation after 40001, 40P01 and 55P03
  --patience 30                   seconds after which a missing answer counts as a lost connection

result
  --json                          for machines
  --cells TITLE                   a line for each scenario, with tabs: title, scenario, style, money lost,
                                  overdrafts, done twice, ledger and balances that disagree otherwise, 40001,
                                  40P01, attempts, operations given up, per second, p50 and p99 in ms, verdict
  --guard GUARD                   exit 1 if what pgteller promises under this guard was not kept
  --expect-safe                   exit 1 if anything was lost, overdrawn or duplicated, or if nothing was done
  --expect-loss                   exit 1 if nothing was: shows that the race is real
  --forbid-sqlstate 40001         exit 1 if any attempt ended so; may be given again
  --most-deadlocks PERCENT        exit 1 unless at most one, or a smaller share of attempts, ended in 40P01
  exit 2: wrong usage, or no connection
)";
}

}  // namespace race
