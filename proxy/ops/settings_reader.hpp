// Reads one TOML table key by key into plain values, and collects everything that is wrong on the way.
// Knows types, ranges and spelling; not what any key means.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "proxy/ops/settings.hpp"
#include "proxy/ops/suggestion.hpp"

namespace proxy::ops {

/// Diagnostics of one file, in any order until sorted().
class problem_list {
 public:
  explicit problem_list(std::string file) : file_(std::move(file)) {}

  void add(const toml::source_region& where, std::string message);
  void add(std::string message);

  /// By place in the file.
  [[nodiscard]] std::vector<diagnostic> sorted() &&;

 private:
  std::string file_;
  std::vector<diagnostic> problems_;
};

/// Each read leaves its target alone where the key is absent or wrong. Call finish() last.
class table_reader {
 public:
  template <class E>
  using words = std::span<const std::pair<std::string_view, E>>;

  /// `path` names the table in messages, e.g. "listen".
  table_reader(const toml::table& from, std::string path, problem_list& problems)
      : from_(from), path_(std::move(path)), problems_(problems) {}

  /// Marks the key as known. Null if absent.
  [[nodiscard]] const toml::node* find(std::string_view key);

  void text(std::string_view key, std::string& target);
  void flag(std::string_view key, bool& target);
  void duration(std::string_view key, std::chrono::milliseconds& target, std::chrono::milliseconds least);
  template <class T>
  void number(std::string_view key, T& target, std::int64_t least, std::int64_t most) {
    std::int64_t value = target;
    if (number_within(key, value, least, most)) target = static_cast<T>(value);
  }
  /// Any strings, taken literally.
  void strings(std::string_view key, std::vector<std::string>& target);
  /// SQL names, folded.
  void names(std::string_view key, std::vector<std::string>& target);

  template <class E>
  void choice(std::string_view key, E& target, words<std::type_identity_t<E>> allowed) {
    std::vector<std::string_view> spelled;
    for (const auto& [word, meaning] : allowed) spelled.push_back(word);
    const std::size_t index = choice_index(key, spelled);
    if (index < allowed.size()) target = allowed[index].second;
  }

  /// At the key if it is there, else at the table.
  void problem(std::string_view key, const std::string& message);

  [[nodiscard]] const toml::source_region& where() const noexcept { return from_.source(); }

  /// Reports every key that nobody asked for.
  void finish();

 private:
  bool number_within(std::string_view key, std::int64_t& target, std::int64_t least, std::int64_t most);
  std::size_t choice_index(std::string_view key, std::span<const std::string_view> spelled);
  const toml::array* string_array(std::string_view key);
  void wrong_type(std::string_view key, const toml::node& found, std::string_view wanted);

  const toml::table& from_;
  std::string path_;
  problem_list& problems_;
  std::vector<std::string_view> known_;
};

}  // namespace proxy::ops
