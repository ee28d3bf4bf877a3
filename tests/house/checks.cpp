#include "tests/house/checks.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "tests/house/functions.hpp"
#include "tests/house/source_text.hpp"

namespace house {
namespace {

bool is_cpp(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(line[at - 1])) && (end == line.size() || !is_word(line[end]))) return true;
  }
  return false;
}

std::vector<finding> check_lines_for(std::string_view path, std::string_view text, std::string_view word,
                                     std::string_view message) {
  std::vector<finding> found;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) {
    ++number;
    if (has_word(line, word)) found.push_back({std::string(path), number, std::string(message)});
  }
  return found;
}

void append(std::vector<finding>& to, std::vector<finding> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::string to_text(const std::vector<finding>& findings) {
  std::string text;
  for (const finding& one : findings) {
    text += one.path + ":" + std::to_string(one.line) + ": " + one.message + "\n";
  }
  return text;
}

std::vector<finding> check_purity(std::string_view path, std::string_view text) {
  const bool no_exceptions = path.starts_with("protocol/") || path.starts_with("proxy/session/");
  const bool no_clock = no_exceptions || path.starts_with("rules/");
  if (!is_cpp(path)) return {};
  const std::string code = code_only(text);
  std::vector<finding> found;
  if (no_clock) {
    for (const std::string_view clock : {"system_clock::now", "steady_clock::now", "clock::now"}) {
      append(found, check_lines_for(path, code, clock, "reads a clock; time is given to this layer"));
    }
  }
  if (no_exceptions) {
    for (const std::string_view word : {"throw", "try", "catch"}) {
      append(found, check_lines_for(path, code, word, "no exceptions in this layer"));
    }
  }
  return found;
}

std::vector<finding> check_name(std::string_view path) {
  static constexpr std::array<std::string_view, 7> empty_words = {"utils", "util", "common", "core",
                                                                  "base",  "misc", "manager"};
  std::string word;
  for (const char c : std::string(path) + "/") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    if (std::find(empty_words.begin(), empty_words.end(), word) != empty_words.end()) {
      return {{std::string(path), 0, "\"" + word + "\" says nothing; name it after what it does"}};
    }
    word.clear();
  }
  return {};
}

std::vector<finding> check_file_length(std::string_view path, std::string_view text) {
  const std::size_t lines = lines_of(text).size();
  if (lines <= longest_file) return {};
  return {{std::string(path), lines,
           std::to_string(lines) + " lines; " + std::to_string(longest_file) + " are the limit"}};
}

std::vector<finding> check_function_length(std::string_view path, std::string_view text) {
  if (!is_cpp(path)) return {};
  const function_list list = functions_of(text);
  if (!list.balanced) return {{std::string(path), 0, "braces do not match; functions cannot be measured"}};
  std::vector<finding> found;
  for (const function_span& span : list.functions) {
    if (span.length() <= longest_function) continue;
    found.push_back({std::string(path), span.first_line,
                     "function of " + std::to_string(span.length()) + " lines; " +
                         std::to_string(longest_function) + " are the limit: " + span.head});
  }
  return found;
}

std::vector<finding> check_leftovers(std::string_view path, std::string_view text) {
  // Taken apart, so that this file does not find itself.
  static const std::array<std::string, 3> words = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                                   std::string("HA") + "CK"};
  std::vector<finding> found;
  for (const std::string& word : words)
    append(found, check_lines_for(path, text, word, word + " left behind"));
  return found;
}

std::vector<finding> check_header(std::string_view path, std::string_view text) {
  if (!path.ends_with(".hpp")) return {};
  std::vector<finding> found;
  if (!text.starts_with("//")) found.push_back({std::string(path), 1, "a header opens with what it owns"});
  const std::vector<std::string_view> lines = lines_of(text);
  if (std::find(lines.begin(), lines.end(), "#pragma once") == lines.end()) {
    found.push_back({std::string(path), 1, "no #pragma once"});
  }
  return found;
}

}  // namespace house
