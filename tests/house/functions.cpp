#include "tests/house/functions.hpp"

#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "tests/house/source_text.hpp"

namespace house {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// What a template introduces may be called "class" between its angle brackets.
std::string_view without_template(std::string_view head) {
  head = trimmed(head);
  while (head.substr(0, 8) == "template") {
    std::size_t at = head.find('<');
    int depth = 0;
    for (; at < head.size(); ++at) {
      if (head[at] == '<') ++depth;
      if (head[at] == '>' && --depth == 0) break;
    }
    if (at >= head.size()) return head;
    head = trimmed(head.substr(at + 1));
  }
  return head;
}

// A ':' outside of parentheses that is not '::' starts a constructor's list of members (or a class's of
// bases).
bool has_single_colon(std::string_view head) {
  int depth = 0;
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at] == '(') ++depth;
    if (head[at] == ')') --depth;
    if (head[at] != ':' || depth != 0) continue;
    if (at + 1 < head.size() && head[at + 1] == ':') {
      ++at;
      continue;
    }
    return true;
  }
  return false;
}

bool has_type_word(std::string_view head) {
  static constexpr std::array<std::string_view, 5> words = {"class", "struct", "union", "enum", "namespace"};
  const std::string_view before = head.substr(0, head.find('('));
  for (std::size_t at = 0; at < before.size();) {
    std::size_t end = at;
    while (end < before.size() && is_word(before[end])) ++end;
    for (const std::string_view word : words) {
      if (before.substr(at, end - at) == word) return true;
    }
    at = end == at ? at + 1 : end;
  }
  return false;
}

enum class brace { function, scope, member };

// What the '{' after this head opens: a body, a namespace, type or list, or one member in a constructor's
// list.
brace opened_by(std::string_view full_head) {
  const std::string_view head = without_template(full_head);
  const std::size_t paren = head.find('(');
  if (paren == std::string_view::npos || has_type_word(head)) return brace::scope;
  const char last = head.back();
  const bool list = has_single_colon(head.substr(head.find(')') == std::string_view::npos ? 0 : paren));
  if (list && (is_word(last) || last == '>')) {
    const bool try_block = head.size() > 4 && head.substr(head.size() - 4) == " try";
    return try_block ? brace::function : brace::member;
  }
  return last == '=' || last == ',' || last == '(' ? brace::scope : brace::function;
}

class finder {
 public:
  explicit finder(std::string code) : code_(std::move(code)) {}

  function_list run() {
    for (; at_ < code_.size(); ++at_) step(code_[at_]);
    if (depth_ != 0) found_.balanced = false;
    return std::move(found_);
  }

 private:
  void step(char c) {
    if (c == '\n') ++line_;
    if (c == '{') return open();
    if (c == '}') return close();
    if (c == ';' && parens_ == 0) return forget();
    if (c == ':' && is_access(trimmed(head_))) return forget();
    if (c == '(') ++parens_;
    if (c == ')') --parens_;
    if (head_.empty() && is_space(c)) return;
    if (head_.empty()) head_line_ = line_;
    head_ += c == '\n' ? ' ' : c;
  }

  static bool is_access(std::string_view word) {
    return word == "public" || word == "private" || word == "protected";
  }

  void forget() {
    head_.clear();
    parens_ = 0;
  }

  void open() {
    if (parens_ > 0) {  // a default argument, or a lambda handed to a macro: part of what it stands in
      skip();
      head_ += "{}";
      return;
    }
    switch (opened_by(head_)) {
      case brace::scope:
        ++depth_;
        return forget();
      case brace::member:
        skip();
        head_ += "{}";
        return;
      case brace::function: {
        function_span span{std::string(trimmed(head_)), head_line_, 0};
        skip();
        span.last_line = line_;
        found_.functions.push_back(std::move(span));
        return forget();
      }
    }
  }

  void close() {
    if (--depth_ < 0) found_.balanced = false;
    forget();
  }

  // From a '{' to its '}'.
  void skip() {
    int depth = 0;
    for (; at_ < code_.size(); ++at_) {
      if (code_[at_] == '\n') ++line_;
      if (code_[at_] == '{') ++depth;
      if (code_[at_] == '}' && --depth == 0) return;
    }
    found_.balanced = false;
  }

  std::string code_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::string head_;
  std::size_t head_line_ = 1;
  int parens_ = 0;
  int depth_ = 0;
  function_list found_;
};

}  // namespace

function_list functions_of(std::string_view text) {
  return finder(code_only(text)).run();
}

}  // namespace house
