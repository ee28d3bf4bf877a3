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
std::string done_twice(const report& one) {
  return std::to_string(one.audit.duplicates);
}
std::string repeated(const report& one) {
  return std::to_string(one.errors("40001"));
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

constexpr std::array<measure, 7> measures = {{
    {"  money lost", money},
    {"  times an account was overdrawn", overdrafts},
    {"  operations done twice", done_twice},
    {"  conflicts (40001), tried again", repeated},
    {"  operations refused with an error", refused},
    {"  deadlocks", deadlocks},
    {"  operations per second", speed},
}};

bool is_zero(const std::string& cell) {
  return cell == "0" || cell == "0.00";
}

}  // namespace

std::string side_by_side(const std::vector<std::pair<report, report>>& played,
                         const std::string& proxy_name) {
  std::string text = line("", "PostgreSQL", "through") + line("", "alone", proxy_name) +
                     std::string(title_width + 2 * cell_width, '-') + "\n";
  for (const auto& [direct, proxied] : played) {
    text += std::string(direct.scenario->title) + "\n";
    for (const measure& each : measures) {
      const std::string without = each.cell(direct);
      const std::string with = each.cell(proxied);
      if (!is_zero(without) || !is_zero(with)) text += line(each.title, without, with);
    }
  }
  return text;
}

}  // namespace race
