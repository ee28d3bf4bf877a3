#include "proxy/ops/conninfo.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <libpq-fe.h>

namespace proxy::ops {
namespace {

struct free_options {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

bool has(const std::vector<connection_word>& words, std::string_view keyword) {
  return std::any_of(words.begin(), words.end(),
                     [keyword](const auto& word) { return word.keyword == keyword; });
}

std::string value_of(const std::vector<connection_word>& words, std::string_view keyword) {
  for (const auto& word : words) {
    if (word.keyword == keyword) return word.value;
  }
  return {};
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

parsed<std::vector<connection_word>> parse_conninfo(const std::string& conninfo) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, free_options> options(
      PQconninfoParse(conninfo.c_str(), &complaint));
  if (options == nullptr) {
    std::string problem = complaint != nullptr ? trimmed(complaint) : "out of memory";
    PQfreemem(complaint);
    return {std::nullopt, std::move(problem)};
  }
  std::vector<connection_word> words;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) words.push_back({option->keyword, option->val});
  }
  return {std::move(words), ""};
}

std::vector<connection_word> connection_words(const upstream_settings& upstream,
                                              const catalog_settings& catalog, std::string_view database) {
  auto words = parse_conninfo(catalog.conninfo).value.value_or(std::vector<connection_word>{});
  std::erase_if(words, [](const auto& word) {
    return word.keyword == "dbname" || word.keyword == "connect_timeout" ||
           word.keyword == "client_encoding" || word.keyword == "replication";
  });
  const auto otherwise = [&words](const char* keyword, std::string value) {
    if (!has(words, keyword)) words.push_back({keyword, std::move(value)});
  };
  if (!has(words, "service")) {
    if (!has(words, "hostaddr")) otherwise("host", upstream.host);
    otherwise("port", std::to_string(upstream.port));
  }
  otherwise("sslmode", std::string(to_text(upstream.sslmode)));
  if (!upstream.sslrootcert.empty()) otherwise("sslrootcert", upstream.sslrootcert);
  otherwise("application_name", "pgteller");
  words.push_back({"client_encoding", "UTF8"});
  words.push_back({"dbname", std::string(database)});
  return words;
}

std::string default_database(const catalog_settings& catalog) {
  const auto words = parse_conninfo(catalog.conninfo).value.value_or(std::vector<connection_word>{});
  if (auto name = value_of(words, "dbname"); !name.empty()) return name;
  if (const char* name = std::getenv("PGDATABASE"); name != nullptr && *name != '\0') return name;
  if (auto name = value_of(words, "user"); !name.empty()) return name;
  if (const char* name = std::getenv("PGUSER"); name != nullptr && *name != '\0') return name;
  return "postgres";
}

}  // namespace proxy::ops
