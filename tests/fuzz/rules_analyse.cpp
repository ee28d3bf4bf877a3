// Input: one byte of settings, then SQL text. A plan copies only what stands in the text, numbers its
// parameters without gaps, wraps exactly where it has preludes, and touches nothing that the name filter
// would have let by. With other literals in it, its template gives what analysing gives.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/marker.hpp"
#include "rules/plan_template.hpp"
#include "rules/rule_book.hpp"

namespace {

using namespace rules;

std::shared_ptr<const rule_book> make_book() {
  rule_set configured;
  rule wallets;
  wallets.name = "wallets";
  wallets.table = "w";
  wallets.columns = {"b"};
  wallets.min = "0";
  configured.rules.push_back(wallets);
  wallets.name = "all";
  wallets.min.reset();
  wallets.lock_reads = lock_reads::all;
  configured.rules.push_back(wallets);
  wallets.name = "moved";
  wallets.strategy = strategy::escrow;
  configured.rules.push_back(wallets);
  return rule_book::compile(configured, assumed_catalog(configured), "app", true);
}

void require(bool holds) {
  if (!holds) std::abort();
}

void examine(const analysis& found, const plan& planned) {
  require((planned.kind == plan_kind::wrap) == !planned.preludes.empty());
  for (const auto& hidden : planned.preludes) {
    for (const auto& stretch : hidden.copied) {
      require(std::uint64_t{stretch.client_offset} + stretch.size <= found.text.size());
      require(hidden.sql.compare(stretch.prelude_offset, stretch.size, found.text, stretch.client_offset,
                                 stretch.size) == 0);
    }
    require(hidden.parameters.size() <= 65535);
    for (const auto& one : hidden.holes) require(one.offset <= hidden.sql.size());
  }
  for (const auto& note : planned.writes) {
    require(note.prelude < static_cast<std::int32_t>(planned.preludes.size()));
    for (const auto& own : note.rebase) {
      require(own.client_offset <= found.text.size());
      for (const auto& one : own.holes) require(one.offset <= own.text.size());
    }
  }
  (void)to_text(planned);
}

std::string other_value(literal_class of, std::size_t number) {
  const auto digits = std::to_string(number % 3 + 1);
  switch (of) {
    case literal_class::integer:
      return digits;
    case literal_class::wide:
      return digits + "00000000000";
    case literal_class::decimal:
      return digits + ".50";
    case literal_class::string:
      break;
  }
  return number % 2 == 0 ? digits : "{" + digits + "}";
}

void examine_template(const rule_book& book, const analysis& found, parse_settings settings) {
  lifted_text text;
  if (!text.take(found.text)) return;
  const auto made = plan_template::make(book, settings, text, found);
  if (!made) return;
  std::vector<std::string> values;
  for (const auto& literal : text.literals()) values.push_back(other_value(literal.of, values.size()));
  const auto sql = text.with(values);
  lifted_text other;
  require(other.take(sql) && other.frame() == text.frame());
  if (!made->fits(other)) return;
  const auto copy = made->copy();
  made->write(other, *copy);
  require(copy->made() == *book.analyse(sql, settings));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto book = make_book();
  if (size == 0) return 0;
  const parse_settings settings{(data[0] & 1) == 0, (data[0] & 2) == 0};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto found = book->analyse(text, settings);
  require(found->text == text);
  std::uint32_t reached = 0;
  for (const auto& each : found->statements) {
    require(each.begin >= reached && each.begin <= each.end && each.end <= text.size());
    reached = each.end;
    examine(*found, each.in_block);
    examine(*found, each.autonomous);
    if (!each.in_block.touches.empty()) require(book->may_touch(text));
  }
  examine_template(*book, *found, settings);
  (void)parse_marker(text);
  return 0;
}
