// The analysis of one SQL text with places left for its literals: gives the analysis of any text that differs
// in them only, without reading it again. Made once and immutable; knows nothing of remembering.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rules/lifted_text.hpp"
#include "rules/plan.hpp"
#include "rules/rule_book.hpp"

namespace rules {

/// An analysis that a template can write again and again, in place.
class template_copy {
 public:
  explicit template_copy(const analysis& model) : made_{model} {}
  template_copy(const template_copy&) = delete;
  template_copy& operator=(const template_copy&) = delete;

  [[nodiscard]] const analysis& made() const noexcept { return made_; }

 private:
  friend class plan_template;
  analysis made_;
  // Into `made_`, in the order of the template's lists.
  std::vector<std::string*> texts_;
  std::vector<std::uint32_t*> numbers_;
  std::vector<std::uint32_t> pushed_;
};

class plan_template {
 public:
  /// Nothing where no literal of `text` may have another value, or where a trial shows that the template
  /// would not be exact. `known` is what `book` makes of the text. Costs three analyses, one parse besides.
  [[nodiscard]] static std::unique_ptr<const plan_template> make(const rule_book& book,
                                                                 parse_settings settings,
                                                                 const lifted_text& text,
                                                                 const analysis& known);

  /// Whether the template holds for a text of the same frame: literals that decide something are the same.
  [[nodiscard]] bool fits(const lifted_text& text) const noexcept;

  [[nodiscard]] std::unique_ptr<template_copy> copy() const;

  /// What rule_book::analyse() makes of a text that fits. Allocates where a text grows beyond what the copy
  /// has held before.
  void write(const lifted_text& text, template_copy& into) const;

  /// What one copy may come to take, at most; the template itself as much.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  friend class template_maker;
  plan_template() = default;

  struct slot {
    std::uint32_t at = 0;  // of text_part::fixed
    std::uint16_t literal = 0;
  };
  /// A text that has literals in it.
  struct text_part {
    std::uint32_t field = 0;  // its number among all texts
    std::string fixed;        // without the literals
    std::vector<slot> slots;
    std::uint32_t first = 0;  // of its places in `pushed_`: how far each slot's end is moved
  };
  /// An offset behind a literal, or a size around one.
  struct number_part {
    std::uint32_t field = 0;  // its number among all offsets and sizes
    std::uint32_t fixed = 0;
    std::uint32_t plus = 0;  // places in `pushed_`
    std::uint32_t minus = 0;
  };
  struct kept_literal {
    std::uint16_t literal = 0;
    std::string value;
  };

  analysis model_;
  std::vector<text_part> texts_;
  std::vector<number_part> numbers_;
  std::vector<kept_literal> kept_;
  std::uint32_t places_ = 0;  // of `pushed_`; the first is always 0
  std::size_t bytes_ = 0;
};

}  // namespace rules
