#include "proxy/ops/settings.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include <arpa/inet.h>

#include "proxy/ops/conninfo.hpp"
#include "proxy/ops/settings_sections.hpp"

namespace proxy::ops {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t largest_file = 4U << 20;
constexpr std::size_t longest_socket_path = 107;  // sizeof(sockaddr_un::sun_path) - 1

const toml::table* section(table_reader& root, std::string_view key, problem_list& problems) {
  const toml::node* node = root.find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) {
    problems.add(node->source(), "write [" + std::string(key) + "] once, in single brackets");
  }
  return node->as_table();
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> room{};
  return inet_pton(AF_INET, text.c_str(), room.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), room.data()) == 1;
}

void read_address(table_reader& from, std::string& address) {
  from.text("address", address);
  if (!is_address(address)) {
    from.problem(
        "address",
        "address must be an IP address, such as \"127.0.0.1\", \"::1\", or \"0.0.0.0\" for all; not " +
            shown(address));
  }
}

void read_listen(const toml::table& table, problem_list& problems, listen_settings& into) {
  table_reader from(table, "listen", problems);
  read_address(from, into.address);
  from.number("port", into.port, 0, 65535);
  from.number("max_connections", into.max_connections, 1, 1'000'000);
  from.number("threads", into.threads, 0, 256);
  from.duration("startup_timeout", into.startup_timeout, milliseconds{1});
  from.duration("shutdown_grace", into.shutdown_grace, milliseconds{0});
  read_client_tls(from, into);
  from.finish();
}

void read_host(table_reader& from, upstream_settings& into) {
  from.text("host", into.host);
  if (into.host.empty()) {
    from.problem("host", "host must be a name, an address, or a directory with a Unix socket");
  } else if (into.host.find(',') != std::string::npos) {
    from.problem("host", "host must name one server, not a list");
  } else if (into.host.find_first_of(" \t\n") != std::string::npos && into.host.front() != '/') {
    from.problem("host", "host must not hold blanks");
  } else if (into.host.front() == '/') {
    const auto path = into.host + "/.s.PGSQL." + std::to_string(into.port);
    if (path.size() > longest_socket_path)
      from.problem("host", "the path of the Unix socket is longer than 107 bytes");
  }
}

void read_upstream(const toml::table& table, problem_list& problems, upstream_settings& into) {
  table_reader from(table, "upstream", problems);
  from.number("port", into.port, 1, 65535);
  read_host(from, into);
  read_server_tls(from, into);
  from.duration("connect_timeout", into.connect_timeout, milliseconds{1});
  from.number("statement_cache", into.statement_cache, 0, 10'000);
  from.finish();
}

void read_catalog_section(const toml::table& table, problem_list& problems, catalog_settings& into) {
  table_reader from(table, "catalog", problems);
  from.text("conninfo", into.conninfo);
  const auto words = parse_conninfo(into.conninfo);
  if (!words.value) from.problem("conninfo", "conninfo: " + words.problem);
  from.finish();
}

void read_metrics(const toml::table& table, problem_list& problems, metrics_settings& into) {
  table_reader from(table, "metrics", problems);
  read_address(from, into.address);
  from.number("port", into.port, 0, 65535);
  from.finish();
}

void read_log(const toml::table& table, problem_list& problems, log_settings& into) {
  constexpr std::pair<std::string_view, log_level> levels[] = {{"trace", log_level::trace},
                                                               {"debug", log_level::debug},
                                                               {"info", log_level::info},
                                                               {"warn", log_level::warn},
                                                               {"error", log_level::error}};
  constexpr std::pair<std::string_view, log_format> formats[] = {{"text", log_format::text},
                                                                 {"json", log_format::json}};
  table_reader from(table, "log", problems);
  from.choice<log_level>("level", into.level, levels);
  from.choice<log_format>("format", into.format, formats);
  from.flag("values", into.values);
  from.finish();
}

bool is_any(const std::string& address) {
  return address == "0.0.0.0" || address == "::";
}
bool is_this_host(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Ports that cannot go together: the second bind would fail, or the proxy would be its own client.
void check_ports(const toml::table& root, const settings& value, problem_list& problems) {
  const auto place = [&root](std::string_view table) {
    const auto* node = root[table]["port"].node();
    return node != nullptr ? node->source() : root.source();
  };
  const auto& listen = value.listen;
  const auto& metrics = value.metrics;
  if (listen.port != 0 && listen.port == metrics.port &&
      (listen.address == metrics.address || is_any(listen.address) || is_any(metrics.address))) {
    problems.add(place("metrics"),
                 "listen and metrics cannot have the same port " + std::to_string(listen.port));
  }
  const bool same_host =
      listen.address == value.upstream.host ||
      (is_this_host(value.upstream.host) && (is_any(listen.address) || is_this_host(listen.address)));
  if (listen.port == value.upstream.port && same_host) {
    problems.add(
        place("upstream"),
        "upstream is the address pgteller itself listens on; give listen or PostgreSQL another port");
  }
}

void read_root(const toml::table& root, problem_list& problems, settings& into) {
  table_reader from(root, "", problems);
  if (const auto* table = section(from, "listen", problems)) read_listen(*table, problems, into.listen);
  if (const auto* table = section(from, "upstream", problems)) read_upstream(*table, problems, into.upstream);
  if (const auto* table = section(from, "catalog", problems))
    read_catalog_section(*table, problems, into.catalog);
  if (const auto* table = section(from, "metrics", problems)) read_metrics(*table, problems, into.metrics);
  if (const auto* table = section(from, "log", problems)) read_log(*table, problems, into.log);
  read_rules(from, problems, into.rules);
  from.finish();
  check_ports(root, into, problems);
}

load_result unreadable(const std::string& path, const std::string& why) {
  load_result result;
  result.problems.push_back({path, 0, 0, why});
  return result;
}

}  // namespace

std::string to_text(const diagnostic& problem) {
  std::string place = problem.file;
  if (problem.line != 0) place += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  return place + ": " + problem.message;
}

load_result load_settings(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(path, "cannot be opened: " + std::generic_category().message(errno));
  std::string text;
  std::array<char, 4096> block{};
  while (file.read(block.data(), block.size()) || file.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > largest_file) return unreadable(path, "is larger than 4 MiB");
  }
  if (file.bad()) return unreadable(path, "cannot be read: " + std::generic_category().message(errno));
  return parse_settings(text, path);
}

load_result parse_settings(std::string_view text, const std::string& file) {
  load_result result;
  problem_list problems(file);
  try {
    const toml::table root = toml::parse(text, file);
    read_root(root, problems, result.value);
  } catch (const toml::parse_error& error) {
    problems.add(error.source(), std::string(error.description()));
  }
  result.problems = std::move(problems).sorted();
  return result;
}

}  // namespace proxy::ops
