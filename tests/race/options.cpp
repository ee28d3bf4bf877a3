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

bool set_versus(options& to, const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == value.size()) return false;
  to.versus = address{value.substr(0, colon), value.substr(colon + 1), "", ""};
  return true;
}

void set_scenario(options& to, const std::string& value) {
  to.scenario = value;
  to.scenario_given = true;
}

const std::map<std::string, setter>& valued() {
  static const std::map<std::string, setter> table = {
      {"--host", text([](options& to, const std::string& value) { to.target.host = value; })},
      {"--port", text([](options& to, const std::string& value) { to.target.port = value; })},
      {"--dbname", text([](options& to, const std::string& value) { to.target.dbname = value; })},
      {"--user", text([](options& to, const std::string& value) { to.target.user = value; })},
      {"--audit-conninfo", text([](options& to, const std::string& value) { to.audit_conninfo = value; })},
      {"--versus", set_versus},
      {"--versus-name", text([](options& to, const std::string& value) { to.versus_name = value; })},
      {"--scenario", text(set_scenario)},
      {"--style", set_style},
      {"--clients",
       number(1, 10000, 1, [](options& to, long long n) { to.clients = static_cast<std::uint32_t>(n); })},
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
      {"--help", [](options& to) { to.help = true; }},
      {"--expect-safe", [](options& to) { to.expectation = expectation::safe; }},
      {"--expect-loss", [](options& to) { to.expectation = expectation::loss; }},
  };
  return table;
}

}  // namespace

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
    const auto option = valued().find(word);
    if (option == valued().end()) return {{}, "no option " + word};
    if (!attached && ++at == arguments.size()) return {{}, word + " needs a value"};
    if (!attached) value = arguments[at];
    if (!option->second(parsed.value, value)) return {{}, word + " cannot be \"" + value + "\""};
  }
  options& made = parsed.value;
  if (made.versus) {
    made.versus->dbname = made.target.dbname;
    made.versus->user = made.target.user;
  }
  return parsed;
}

std::string help_text() {
  return R"(race: plays the bugs that make balances drift, with many clients at once, and audits the books afterwards

  race --list                     the scenarios
  race --setup [...]              makes the tables wallets, transactions and items; with --scenario it then plays
  race [--scenario NAME] [...]    plays: a name, several with commas, "all", or "guarded" (the default: what this
                                  version of pgteller guards)

where
  --host HOST --port PORT --dbname NAME --user NAME     whom to play against (127.0.0.1:5432, postgres, postgres)
  --versus HOST:PORT              play against this, too, and show both side by side (--versus-name for its title)
  --audit-conninfo CONNINFO       a connection that does not lead through a proxy, to audit by (default: the above)
  PGPASSWORD and libpq's other environment variables apply

how
  --clients 32 --rows 2           clients at once, and wallets they meet on (transfer: 50 times as many)
  --seconds 3 | --operations N    when to stop
  --style simple|extended         literals in simple queries (psycopg2, Django), or parameters of named prepared
                                  statements (node-postgres, psycopg 3, JDBC)
  --think-ms 2                    longest time between what is read and what is written
  --retries 5                     how often a client repeats an operation after 40001 and 40P01
  --patience 30                   seconds after which a missing answer counts as a lost connection

result
  --json                          for machines
  --expect-safe                   exit 1 if anything was lost, overdrawn or duplicated, or if nothing was done
  --expect-loss                   exit 1 if nothing was: shows that the race is real
  exit 2: wrong usage, or no connection
)";
}

}  // namespace race
