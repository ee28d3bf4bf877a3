#include <array>
#include <cmath>

#include "tests/race/report.hpp"

namespace race {
namespace {

constexpr std::size_t title_width = 44;
constexpr std::size_t cell_width = 16;

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string line(const std::string& title, const std::string& direct, const std::string& proxied) {
  return left(title, title_width) + right(direct, cell_width) + right(proxied, cell_width) + "\n";
}

struct measure {
  const char* title;
  std::string (*cell)(const report&);
};

std::string money(const report& one) {
  return to_grouped_text(one.audit.money_lost);
}
std::string overdrafts(const report& one) {
  return std::to_string(one.audit.overdrafts);
}
std::string refused(const report& one) {
  return std::to_string(one.known.failed);
}
std::string deadlocks(const report& one) {
  return std::to_string(one.errors("40P01"));
}
std::string speed(const report& one) {
  return std::to_string(std::lround(one.per_second()));
}

constexpr std::array<measure, 5> measures = {{
    {"  money lost", money},
    {"  times an account was overdrawn", overdrafts},
    {"  operations refused with an error", refused},
    {"  deadlocks", deadlocks},
    {"  operations per second", speed},
}};

}  // namespace

std::string side_by_side(const std::vector<std::pair<report, report>>& played,
                         const std::vector<const scenario*>& unplayed, const std::string& proxy_name) {
  const std::string rule = std::string(title_width + 2 * cell_width, '-') + "\n";
  std::string text = line("", "PostgreSQL", "through") + line("", "alone", proxy_name) + rule;
  for (const auto& [direct, proxied] : played) {
    text += std::string(direct.scenario->title) + "\n";
    for (const measure& each : measures) text += line(each.title, each.cell(direct), each.cell(proxied));
  }
  if (!unplayed.empty()) text += rule;
  for (const scenario* each : unplayed) text += line(std::string(each->title), "", "not yet guarded");
  return text;
}

}  // namespace race
