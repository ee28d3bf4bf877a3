// Input: SQL text. Tokens are in order, inside the text, never empty, and nothing but blank lies between
// them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/nesting.hpp"
#include "rules/plan.hpp"
#include "rules/scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rules;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool backslash_escapes : {false, true}) {
    scanner cursor{text, backslash_escapes};
    std::uint32_t reached = 0;
    for (;;) {
      const token next = cursor.next();
      if (next.begin < reached || next.end < next.begin || next.end > text.size()) std::abort();
      if (next.kind == token_kind::end || next.kind == token_kind::invalid) break;
      if (next.end == next.begin) std::abort();
      reached = next.end;
    }
  }
  (void)effect_of(text);
  if (const auto tokens = scan_all(text)) (void)nesting_of(text, *tokens);
  return 0;
}
