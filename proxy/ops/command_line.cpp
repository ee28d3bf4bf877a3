#include "proxy/ops/command_line.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "proxy/ops/suggestion.hpp"

namespace proxy::ops {
namespace {

constexpr std::string_view usage_text =
    R"(pgteller: a PostgreSQL proxy that guards balances

  pgteller serve   --config FILE
      run in the foreground; SIGTERM drains and stops, SIGHUP reloads
  pgteller check   --config FILE [--offline] [--database NAME]
      check the file, and the live schema unless --offline
  pgteller explain --config FILE [--offline] [--in-transaction] [--database NAME] [--user NAME] 'SQL'
      which rule, which rows, what the server will be sent, and why
  pgteller version

exit codes: 0 good, 1 the check found problems or serving failed, 2 wrong usage or unreadable configuration
)";

// What one subcommand takes: pointers into its options, filled while the words are read.
struct text_option {
  std::string_view name;
  std::string* target;
};
struct flag_option {
  std::string_view name;
  bool* target;
};
struct grammar {
  std::vector<text_option> texts;
  std::vector<flag_option> flags;
  std::string* operand = nullptr;
};

template <class T>
const T* find_option(const std::vector<T>& options, std::string_view name) {
  const auto found =
      std::find_if(options.begin(), options.end(), [name](const T& o) { return o.name == name; });
  return found == options.end() ? nullptr : &*found;
}

std::string unknown_option(const grammar& known, std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& option : known.texts) names.push_back(option.name);
  for (const auto& option : known.flags) names.push_back(option.name);
  return "unknown option " + shown(name) + did_you_mean(name, names);
}

// Reads the words after the subcommand. Empty: good; else the complaint.
class word_reader {
 public:
  word_reader(const grammar& known, std::span<const std::string> words) : known_(known), words_(words) {}

  std::string read() {
    bool only_operands = false;
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      std::string complaint;
      if (!only_operands && word == "--") {
        only_operands = true;
      } else if (!only_operands && word.starts_with("-") && word.size() > 1) {
        complaint = option(word);
      } else {
        complaint = operand(word);
      }
      if (!complaint.empty()) return complaint;
    }
    return {};
  }

  [[nodiscard]] bool operand_seen() const { return operand_seen_; }

 private:
  std::string option(const std::string& word) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const bool has_value = equals != std::string::npos;
    if (const auto* flag = find_option(known_.flags, name)) {
      if (has_value) return name + " takes no value";
      *flag->target = true;
      return {};
    }
    const auto* text = find_option(known_.texts, name);
    if (text == nullptr) return unknown_option(known_, name);
    if (!has_value && at_ == words_.size()) return name + " needs a value";
    std::string value = has_value ? word.substr(equals + 1) : words_[at_++];
    if (value.empty()) return name + " needs a value that is not empty";
    if (!text->target->empty()) return name + " is given twice";
    *text->target = std::move(value);
    return {};
  }

  std::string operand(const std::string& word) {
    if (known_.operand == nullptr) return "unexpected " + shown(word);
    if (operand_seen_) return "unexpected " + shown(word) + "; put the whole SQL in one pair of quotes";
    operand_seen_ = true;
    *known_.operand = word;
    return {};
  }

  const grammar& known_;
  std::span<const std::string> words_;
  std::size_t at_ = 0;
  bool operand_seen_ = false;
};

template <class Options>
command finished(const grammar& known, std::span<const std::string> words, Options& options) {
  word_reader reader(known, words);
  if (auto complaint = reader.read(); !complaint.empty()) return usage_error{std::move(complaint)};
  if (options.config.empty()) return usage_error{"--config FILE is missing"};
  if (known.operand != nullptr && !reader.operand_seen()) return usage_error{"the SQL to explain is missing"};
  return std::move(options);
}

command parse_serve(std::span<const std::string> words) {
  serve_options options;
  return finished({.texts = {{"--config", &options.config}}, .flags = {}}, words, options);
}

command parse_check(std::span<const std::string> words) {
  check_options options;
  return finished({.texts = {{"--config", &options.config}, {"--database", &options.database}},
                   .flags = {{"--offline", &options.offline}}},
                  words, options);
}

command parse_explain(std::span<const std::string> words) {
  explain_options options;
  return finished(
      {.texts = {{"--config", &options.config}, {"--database", &options.database}, {"--user", &options.user}},
       .flags = {{"--offline", &options.offline}, {"--in-transaction", &options.in_transaction}},
       .operand = &options.sql},
      words, options);
}

bool asks_for_help(const std::vector<std::string>& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return words.front() == "help" ||
         std::any_of(words.begin(), end, [](const auto& word) { return word == "--help" || word == "-h"; });
}

}  // namespace

command parse_command_line(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 5> commands = {"serve", "check", "explain", "version", "help"};
  if (words.empty()) return usage_error{"a command is missing"};
  if (asks_for_help(words)) return help_options{};
  const std::string& first = words.front();
  const auto rest = std::span(words).subspan(1);
  if (first == "serve") return parse_serve(rest);
  if (first == "check") return parse_check(rest);
  if (first == "explain") return parse_explain(rest);
  if (first == "version" || first == "--version") {
    if (!rest.empty()) return usage_error{"unexpected " + shown(rest.front())};
    return version_options{};
  }
  return usage_error{"unknown command " + shown(first) + did_you_mean(first, commands)};
}

std::string_view usage() noexcept {
  return usage_text;
}

std::string_view version_text() noexcept {
  return "pgteller " PGTELLER_VERSION;
}

}  // namespace proxy::ops
