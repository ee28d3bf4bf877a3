// The race program: see --help.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "tests/race/books.hpp"
#include "tests/race/expectation.hpp"
#include "tests/race/guard.hpp"
#include "tests/race/options.hpp"
#include "tests/race/report.hpp"
#include "tests/race/runner.hpp"
#include "tests/race/scenario.hpp"

namespace race {
namespace {

constexpr int good = 0;
constexpr int unexpected = 1;
constexpr int unusable = 2;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

int complain(const std::string& text) {
  std::fprintf(stderr, "race: %s\n", text.c_str());
  return unusable;
}

// What is being done, on a line that is overwritten where there is a terminal. `quiet`: only there.
void show_progress(const std::string& text, bool quiet) {
  if (isatty(STDERR_FILENO) != 0) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
  } else if (!text.empty() && !quiet) {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

// Those for which the guard promises anything at all.
bool is_promised(const options& chosen, const scenario& one) {
  return chosen.guard != nullptr && promised(*chosen.guard, one, surroundings{}).safe;
}

// Empty: there is no such name.
std::vector<const scenario*> chosen_scenarios(const options& asked) {
  std::string names = asked.scenario;
  std::vector<const scenario*> chosen;
  names += ',';
  for (std::size_t end = names.find(','); end != std::string::npos; end = names.find(',')) {
    const std::string name = names.substr(0, end);
    names.erase(0, end + 1);
    const std::size_t before = chosen.size();
    for (const scenario& each : scenarios()) {
      const bool wanted =
          name == each.name || name == "all" || (name == "promised" && is_promised(asked, each));
      if (wanted) chosen.push_back(&each);
    }
    if (chosen.size() == before) return {};
  }
  return chosen;
}

void list_scenarios() {
  for (const scenario& each : scenarios()) {
    std::printf("%-29s %s\n", std::string(each.name).c_str(), std::string(each.what).c_str());
  }
}

void list_guards() {
  for (const guard& each : guards()) std::printf("%s\n", std::string(each.name).c_str());
}

class program {
 public:
  explicit program(options chosen)
      : chosen_(std::move(chosen)),
        direct_(chosen_.audit_conninfo.empty() ? connection(chosen_.target, chosen_.patience)
                                               : connection(chosen_.audit_conninfo, chosen_.patience)),
        books_(direct_) {}

  int run() {
    const std::vector<const scenario*> played = chosen_scenarios(chosen_);
    if (played.empty()) return complain("no scenario \"" + chosen_.scenario + "\"; --list shows them");
    if (!direct_.open()) return complain("no connection for the audit: " + direct_.problem());
    if (chosen_.setup) {
      if (const std::string wrong = books_.set_up(chosen_.users); !wrong.empty()) return complain(wrong);
      if (!chosen_.scenario_given) return good;
    }
    to_play_ = played.size() * (chosen_.versus ? 2 : 1);
    for (const scenario* each : played) {
      if (!play_both(*each)) return unusable;
    }
    show_progress("", true);
    show(played);
    return verdict();
  }

 private:
  bool play_both(const scenario& each) {
    std::optional<report> first = play_one(each, chosen_.target, "direct");
    if (!first) return false;
    direct_reports_.push_back(std::move(*first));
    if (!chosen_.versus) return true;
    std::optional<report> second = play_one(each, *chosen_.versus, chosen_.versus_name);
    if (!second) return false;
    proxied_reports_.push_back(std::move(*second));
    return true;
  }

  std::optional<report> play_one(const scenario& each, const address& target, const std::string& name) {
    show_progress("playing " + std::to_string(++started_) + " of " + std::to_string(to_play_) + ": " +
                      std::string(each.title) + ", " +
                      std::to_string(std::min(chosen_.clients, each.most_clients)) + " clients" +
                      (chosen_.versus ? ", " + name : "") + " ...",
                  chosen_.cells.has_value());
    const auto items = static_cast<std::int64_t>(chosen_.operations / 2) + chosen_.duration.count() * 5;
    if (const std::string wrong = books_.open(each, chosen_.wallets * each.spread, items); !wrong.empty()) {
      complain(wrong);
      return std::nullopt;
    }
    run_result run = play(each, chosen_, target);
    if (!run.problem.empty()) {
      complain(run.problem);
      return std::nullopt;
    }
    report made{&each, chosen_.style, target.host + ":" + target.port, std::move(run.known), {}, run.elapsed};
    made.audit = books_.close(each, made.known);
    if (chosen_.cells) {
      show_progress("", true);
      print(to_cells(made, *chosen_.cells, verdict_of(made, chosen_)));
      std::fflush(stdout);
    }
    return made;
  }

  void show(const std::vector<const scenario*>& played) {
    if (chosen_.cells) return;
    if (chosen_.json) {
      std::vector<report> all = direct_reports_;
      all.insert(all.end(), proxied_reports_.begin(), proxied_reports_.end());
      return print(to_json(all));
    }
    if (!chosen_.versus) {
      for (report& one : direct_reports_) print(to_text(one));
      return;
    }
    std::vector<std::pair<report, report>> pairs;
    for (std::size_t at = 0; at < played.size(); ++at) {
      pairs.emplace_back(direct_reports_[at], proxied_reports_[at]);
    }
    print(side_by_side(pairs, chosen_.versus_name));
  }

  // With --versus, what is expected is expected of the proxy.
  int verdict() const {
    int code = good;
    for (const report& one : chosen_.versus ? proxied_reports_ : direct_reports_) {
      for (const std::string& each : broken_expectations(one, chosen_)) {
        std::fprintf(stderr, "race: %s\n", each.c_str());
        code = unexpected;
      }
    }
    return code;
  }

  options chosen_;
  connection direct_;
  books books_;
  std::size_t to_play_ = 0;
  std::size_t started_ = 0;
  std::vector<report> direct_reports_;
  std::vector<report> proxied_reports_;
};

int main_with(const std::vector<std::string>& arguments) {
  parsed_options parsed = parse_options(arguments);
  if (!parsed.problem.empty()) return complain(parsed.problem + "; --help shows them");
  if (parsed.value.help) {
    print(help_text());
    return good;
  }
  if (parsed.value.list) {
    list_scenarios();
    return good;
  }
  if (parsed.value.list_guards) {
    list_guards();
    return good;
  }
  if (!parsed.value.rules_of.empty()) {
    print(rules_text(*find_guard(parsed.value.rules_of)));
    return good;
  }
  return program(std::move(parsed.value)).run();
}

}  // namespace
}  // namespace race

int main(int count, char** words) {
  return race::main_with({words + 1, words + count});
}
