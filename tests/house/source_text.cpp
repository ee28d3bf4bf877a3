#include "tests/house/source_text.hpp"

#include <cctype>
#include <cstddef>

namespace house {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class blanker {
 public:
  explicit blanker(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  void keep(std::size_t count) {
    for (; count > 0 && at_ < text_.size(); --count) out_ += text_[at_++];
  }

  void blank(std::size_t count) {
    for (; count > 0 && at_ < text_.size(); --count, ++at_) out_ += text_[at_] == '\n' ? '\n' : ' ';
  }

  void blank_past(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    blank(found == std::string_view::npos ? text_.size() - at_ : found + end.size() - at_);
  }

  void blank_line() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      const bool continued = text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
      blank(continued ? 2 : 1);
    }
  }

  void blank_quoted(char quote) {
    keep(1);
    while (at_ < text_.size() && text_[at_] != quote) blank(text_[at_] == '\\' ? 2 : 1);
    keep(1);
  }

  void blank_raw() {
    keep(2);  // R"
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) return blank(text_.size() - at_);
    const std::string end = ")" + std::string(text_.substr(at_, open - at_)) + "\"";
    blank_past(end);
    out_.back() = '"';
  }

  // 1'000 is a number, u'c' and 'c' are characters.
  bool is_digit_separator() const {
    if (out_.empty() || !is_word(out_.back())) return false;
    std::size_t begin = out_.size();
    while (begin > 0 && (is_word(out_[begin - 1]) || out_[begin - 1] == '\'')) --begin;
    return std::isdigit(static_cast<unsigned char>(out_[begin])) != 0;
  }

  bool at_line_start() const {
    std::size_t begin = out_.size();
    while (begin > 0 && (out_[begin - 1] == ' ' || out_[begin - 1] == '\t')) --begin;
    return begin == 0 || out_[begin - 1] == '\n';
  }

  void step() {
    if (starts("//")) return blank_line();
    if (starts("/*")) return blank_past("*/");
    if (text_[at_] == '#' && at_line_start()) return blank_line();
    if (starts("R\"")) return blank_raw();
    if (text_[at_] == '"') return blank_quoted('"');
    if (text_[at_] == '\'' && !is_digit_separator()) return blank_quoted('\'');
    keep(1);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string code_only(std::string_view text) {
  return blanker(text).run();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace house
