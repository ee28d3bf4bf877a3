// Input: a configuration file. It is read, or everything wrong in it is said with its place; what is read
// compiles.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/ops/settings.hpp"
#include "rules/rule_book.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const proxy::ops::load_result loaded = proxy::ops::parse_settings(text, "pgteller.toml");
  const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const auto& problem : loaded.problems) {
    if (problem.message.empty() || problem.line > lines) std::abort();
    static_cast<void>(proxy::ops::to_text(problem));
  }
  if (!loaded.problems.empty()) return 0;
  const auto book =
      rules::rule_book::compile(loaded.value.rules, rules::assumed_catalog(loaded.value.rules), "app", true);
  if (!book) std::abort();
  static_cast<void>(book->analyse("UPDATE wallets SET balance = 1 WHERE id = 1", {}));
  return 0;
}
