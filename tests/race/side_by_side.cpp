#include <array>
#include <cmath>

#include "tests/race/report.hpp"

namespace race {
namespace {

constexpr std::size_t title_width = 42;
constexpr std::size_t cell_width = 12;

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

struct column {
  const char* title;
  std::string (*cell)(const report&);
};

std::string money(const report& one) {
  return to_grouped_text(one.audit.money_lost);
}
std::string overdrafts(const report& one) {
  return std::to_string(one.audit.overdrafts);
}
std::string deadlocks(const report& one) {
  return std::to_string(one.errors("40P01"));
}
std::string speed(const report& one) {
  return std::to_string(std::lround(one.per_second()));
}

constexpr std::array<column, 4> columns = {{
    {"money lost", money},
    {"overdrafts", overdrafts},
    {"deadlocks", deadlocks},
    {"done per second", speed},
}};

}  // namespace

std::string side_by_side(const std::vector<std::pair<report, report>>& played,
                         const std::vector<const scenario*>& unplayed, const std::string& proxy_name) {
  std::string head = left("", title_width);
  std::string names = left("", title_width);
  std::string rule(title_width, '-');
  for (const column& each : columns) {
    head += " |" + right(each.title, 2 * cell_width);
    names += " |" + right("direct", cell_width) + right(proxy_name, cell_width);
    rule += "-+" + std::string(2 * cell_width, '-');
  }
  std::string text = head + "\n" + names + "\n" + rule + "\n";
  for (const auto& [direct, proxied] : played) {
    text += left(std::string(direct.scenario->title), title_width);
    for (const column& each : columns) {
      text += " |" + right(each.cell(direct), cell_width) + right(each.cell(proxied), cell_width);
    }
    text += "\n";
  }
  for (const scenario* each : unplayed) {
    text += left(std::string(each->title), title_width) + " | not yet guarded\n";
  }
  return text;
}

}  // namespace race
