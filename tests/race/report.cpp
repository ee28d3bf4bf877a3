#include "tests/race/report.hpp"

#include <array>
#include <cstdio>

namespace race {
namespace {

std::string decimal(double value, int places) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, value);
  return text.data();
}

std::string one_decimal(double value) {
  return decimal(value, 1);
}

double milliseconds(std::chrono::microseconds duration) {
  return static_cast<double>(duration.count()) / 1000;
}

std::string style_name(style how) {
  return how == style::simple ? "simple" : "extended";
}

std::string errors_text(const std::map<std::string, std::uint64_t>& errors) {
  std::string text;
  for (const auto& [state, count] : errors) text += " " + state + " x" + std::to_string(count);
  return text.empty() ? " none" : text;
}

std::string errors_json(const std::map<std::string, std::uint64_t>& errors) {
  std::string text;
  for (const auto& [state, count] : errors) {
    text += (text.empty() ? "" : ", ") + ("\"" + state + "\": ") + std::to_string(count);
  }
  return "{" + text + "}";
}

// Names and addresses only: nothing in them needs more than this.
std::string quoted(std::string_view text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    if (static_cast<unsigned char>(c) >= ' ') made += c;
  }
  return made + "\"";
}

std::string object(report& one) {
  std::string text;
  const auto add = [&text](std::string_view name, const std::string& value) {
    text += (text.empty() ? "" : ", ") + quoted(name) + ": " + value;
  };
  const auto count = [&add](std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); };
  add("scenario", quoted(one.scenario->name));
  add("style", quoted(style_name(one.style)));
  add("target", quoted(one.target));
  add("seconds", one_decimal(milliseconds(one.elapsed) / 1000));
  count("acknowledged", one.known.acknowledged);
  count("declined", one.known.declined);
  count("failed", one.known.failed);
  count("unknown", one.known.unknown);
  count("retries", one.known.retries);
  count("attempts", one.known.attempts());
  add("deadlock_percent", one_decimal(one.deadlock_share()));
  add("errors", errors_json(one.known.errors));
  add("money_lost", quoted(to_text(one.audit.money_lost)));
  count("overdrafts", one.audit.overdrafts);
  count("overdrawn_rows", one.audit.overdrawn_rows);
  count("duplicates", one.audit.duplicates);
  count("acknowledged_not_entered", one.audit.unentered);
  count("entered_not_acknowledged", one.audit.ghosts);
  add("per_second", one_decimal(one.per_second()));
  add("p50_ms", one_decimal(milliseconds(percentile(one.known.durations, 0.50))));
  add("p95_ms", one_decimal(milliseconds(percentile(one.known.durations, 0.95))));
  add("p99_ms", one_decimal(milliseconds(percentile(one.known.durations, 0.99))));
  add("problem", quoted(one.audit.problem));
  return "{" + text + "}";
}

}  // namespace

double report::per_second() const {
  return elapsed.count() == 0
             ? 0
             : 1e6 * static_cast<double>(known.acknowledged) / static_cast<double>(elapsed.count());
}

std::uint64_t report::errors(const std::string& sqlstate) const {
  const auto at = known.errors.find(sqlstate);
  return at == known.errors.end() ? 0 : at->second;
}

double report::deadlock_share() const {
  const std::uint64_t attempts = known.attempts();
  return attempts == 0 ? 0 : 100 * static_cast<double>(errors("40P01")) / static_cast<double>(attempts);
}

std::string to_text(report& one) {
  const tally& known = one.known;
  const audit& found = one.audit;
  std::string text =
      std::string(one.scenario->name) + ", " + style_name(one.style) + ", " + one.target + "\n";
  text += "  operations   " + std::to_string(known.acknowledged) + " acknowledged, " +
          std::to_string(known.declined) + " declined, " + std::to_string(known.failed) + " failed, " +
          std::to_string(known.unknown) + " unknown, " + std::to_string(known.retries) + " retries\n";
  text +=
      "  errors      " + errors_text(known.errors) + " in " + std::to_string(known.attempts()) + " attempts";
  if (one.errors("40P01") > 0) text += ", " + one_decimal(one.deadlock_share()) + " % deadlocked";
  text += "\n";
  text += "  speed        " + one_decimal(one.per_second()) + "/s, p50 " +
          one_decimal(milliseconds(percentile(one.known.durations, 0.50))) + " ms, p95 " +
          one_decimal(milliseconds(percentile(one.known.durations, 0.95))) + " ms, p99 " +
          one_decimal(milliseconds(percentile(one.known.durations, 0.99))) + " ms\n";
  text += "  books        " + to_grouped_text(found.money_lost) + " lost, " +
          std::to_string(found.overdrafts) + " overdrafts, " + std::to_string(found.overdrawn_rows) +
          " wallets below zero, " + std::to_string(found.duplicates) + " duplicates\n";
  if (found.unentered > 0 || found.ghosts > 0) {
    text += "  ledger       " + std::to_string(found.unentered) + " acknowledged but not entered, " +
            std::to_string(found.ghosts) + " entered but not acknowledged\n";
  }
  if (!found.problem.empty()) text += "  audit failed " + found.problem + "\n";
  return text;
}

std::string to_cells(report& one, const std::string& title, std::string_view verdict) {
  const auto tail = [&one](double share) {
    return decimal(milliseconds(percentile(one.known.durations, share)), 2);
  };
  std::string line = title;
  for (const std::string& cell :
       {std::string(one.scenario->name), style_name(one.style), to_text(one.audit.money_lost),
        std::to_string(one.audit.overdrafts), std::to_string(one.audit.duplicates),
        std::to_string(one.audit.unentered + one.audit.ghosts), std::to_string(one.errors("40001")),
        std::to_string(one.errors("40P01")), std::to_string(one.known.attempts()),
        std::to_string(one.known.failed + one.known.unknown), one_decimal(one.per_second()), tail(0.50),
        tail(0.99), std::string(verdict)}) {
    line += "\t" + cell;
  }
  return line + "\n";
}

std::string to_json(std::vector<report>& all) {
  std::string text;
  for (report& one : all) text += (text.empty() ? "  " : ",\n  ") + object(one);
  return "[\n" + text + "\n]\n";
}

}  // namespace race
