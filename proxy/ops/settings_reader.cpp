#include "proxy/ops/settings_reader.hpp"

#include <algorithm>
#include <tuple>

#include "proxy/ops/setting_values.hpp"

namespace proxy::ops {
namespace {

std::string_view type_word(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return node.is_array_of_tables() ? "an array of tables" : "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::none:
      break;
    default:
      return "a date or time";
  }
  return "nothing";
}

}  // namespace

void problem_list::add(const toml::source_region& where, std::string message) {
  problems_.push_back({file_, where.begin.line, where.begin.column, std::move(message)});
}

void problem_list::add(std::string message) {
  problems_.push_back({file_, 0, 0, std::move(message)});
}

std::vector<diagnostic> problem_list::sorted() && {
  std::stable_sort(problems_.begin(), problems_.end(), [](const diagnostic& a, const diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(problems_);
}

const toml::node* table_reader::find(std::string_view key) {
  known_.push_back(key);
  return from_.get(key);
}

void table_reader::wrong_type(std::string_view key, const toml::node& found, std::string_view wanted) {
  problems_.add(found.source(), std::string(key) + " must be " + std::string(wanted) + ", not " +
                                    std::string(type_word(found)));
}

void table_reader::text(std::string_view key, std::string& target) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  if (value == nullptr) return wrong_type(key, *node, "a string in quotes");
  if (value->get().find('\0') != std::string::npos) {
    return problems_.add(node->source(), std::string(key) + " must not hold a NUL");
  }
  target = value->get();
}

void table_reader::flag(std::string_view key, bool& target) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* value = node->as_boolean();
  if (value == nullptr) return wrong_type(key, *node, "true or false, without quotes");
  target = value->get();
}

void table_reader::duration(std::string_view key, std::chrono::milliseconds& target,
                            std::chrono::milliseconds least) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr)
    return wrong_type(key, *node, "a duration in quotes, such as \"500ms\", \"5s\" or \"1m\"");
  const auto value = parse_duration(text->get());
  if (!value.value) {
    return problems_.add(node->source(), std::string(key) + ": " + shown(text->get()) + " " + value.problem);
  }
  if (*value.value < least) {
    return problems_.add(node->source(), std::string(key) + " must be at least " + to_text(least));
  }
  target = *value.value;
}

bool table_reader::number_within(std::string_view key, std::int64_t& target, std::int64_t least,
                                 std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    wrong_type(key, *node, "a whole number without quotes");
    return false;
  }
  if (value->get() < least || value->get() > most) {
    problems_.add(node->source(), std::string(key) + " must be from " + std::to_string(least) + " to " +
                                      std::to_string(most) + ", not " + std::to_string(value->get()));
    return false;
  }
  target = value->get();
  return true;
}

std::size_t table_reader::choice_index(std::string_view key, std::span<const std::string_view> spelled) {
  const toml::node* node = find(key);
  if (node == nullptr) return spelled.size();
  std::string list;
  for (const auto word : spelled) list += (list.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  const auto* value = node->as_string();
  if (value == nullptr) {
    wrong_type(key, *node, "one of " + list);
    return spelled.size();
  }
  const auto found = std::find(spelled.begin(), spelled.end(), value->get());
  if (found == spelled.end()) {
    problems_.add(node->source(), std::string(key) + " must be one of " + list + ", not " +
                                      shown(value->get()) + did_you_mean(value->get(), spelled));
  }
  return static_cast<std::size_t>(found - spelled.begin());
}

const toml::array* table_reader::string_array(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  const auto* list = node->as_array();
  if (list == nullptr) {
    const auto* one = node->as_string();
    if (one == nullptr) {
      wrong_type(key, *node, "an array of strings");
    } else {
      problems_.add(node->source(),
                    std::string(key) + " must be an array; write [" + shown(one->get()) + "]");
    }
    return nullptr;
  }
  for (const auto& element : *list) {
    if (!element.is_string())
      wrong_type(std::string("each of ") + std::string(key), element, "a string in quotes");
  }
  return list;
}

void table_reader::strings(std::string_view key, std::vector<std::string>& target) {
  const auto* list = string_array(key);
  if (list == nullptr) return;
  target.clear();
  for (const auto& element : *list) {
    const auto* value = element.as_string();
    if (value == nullptr) continue;
    if (value->get().empty() || value->get().find('\0') != std::string::npos) {
      problems_.add(element.source(), std::string(key) + ": a name must not be empty or hold a NUL");
    } else {
      target.push_back(value->get());
    }
  }
}

void table_reader::names(std::string_view key, std::vector<std::string>& target) {
  const auto* list = string_array(key);
  if (list == nullptr) return;
  target.clear();
  for (const auto& element : *list) {
    const auto* value = element.as_string();
    if (value == nullptr) continue;
    auto name = parse_name(value->get());
    if (!name.value) {
      problems_.add(element.source(), std::string(key) + ": " + shown(value->get()) + ": " + name.problem);
    } else if (std::find(target.begin(), target.end(), *name.value) != target.end()) {
      problems_.add(element.source(), std::string(key) + " names " + display_name(*name.value) + " twice");
    } else {
      target.push_back(std::move(*name.value));
    }
  }
}

void table_reader::problem(std::string_view key, const std::string& message) {
  const toml::node* node = from_.get(key);
  problems_.add(node != nullptr ? node->source() : from_.source(), message);
}

void table_reader::finish() {
  for (const auto& [key, value] : from_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    const std::string full = path_.empty() ? shown(key.str()) : shown(key.str()) + " in [" + path_ + "]";
    problems_.add(key.source(), "unknown key " + full + did_you_mean(key.str(), known_));
  }
}

}  // namespace proxy::ops
