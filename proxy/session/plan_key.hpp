// What a remembered plan hangs on: a text, whole or without its literals, the rules, and how text is read.
// A view; whoever remembers keeps the text and the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "rules/rule_book.hpp"

namespace proxy::session {

using book_ptr = std::shared_ptr<const rules::rule_book>;
using analysis_ptr = std::shared_ptr<const rules::analysis>;

struct plan_key {
  const rules::rule_book* book;
  std::string_view text;
  std::uint8_t settings;
  bool operator==(const plan_key&) const = default;
};

struct plan_key_hash {
  std::size_t operator()(const plan_key& of) const noexcept {
    const std::size_t text = std::hash<std::string_view>{}(of.text);
    return text ^ (std::hash<const void*>{}(of.book) * 31 + of.settings);
  }
};

}  // namespace proxy::session
