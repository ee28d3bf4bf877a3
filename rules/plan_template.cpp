#include "rules/plan_template.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "rules/analysis_fields.hpp"
#include "rules/liftable.hpp"
#include "rules/nesting.hpp"

namespace rules {
namespace {

// Unlike anything that is written by hand, all of a class of one length, and none inside another.
std::string stand_in(literal_class of, std::size_t number) {
  const std::string digits = std::to_string(10000 + number);
  switch (of) {
    case literal_class::integer:
      return "8317" + digits;
    case literal_class::wide:
      return "6429385" + digits + "2745";
    case literal_class::decimal:
      return "5738" + digits + ".9" + digits;
    case literal_class::string:
      break;
  }
  return "~?" + digits + "?~";
}

// The shortest of the class, and the same for all: what is equal here and unlike in the stand-ins shows
// whether it matters.
std::string_view shortest(literal_class of) {
  switch (of) {
    case literal_class::integer:
      return "7";
    case literal_class::wide:
      return "2147483648";
    case literal_class::decimal:
      return "0.0";
    case literal_class::string:
      break;
  }
  return "{7}";
}

bool occurs_once(std::string_view text, std::string_view part) {
  const auto first = text.find(part);
  return first != std::string_view::npos && text.find(part, first + 1) == std::string_view::npos;
}

// Two locks on one table: where two texts come out alike, one of them goes.
bool locks_twice(const plan& planned) {
  const auto only_locks = [](const prelude& one) {
    return one.checks.empty() && one.insertions.empty() && !one.once;
  };
  const auto& all = planned.preludes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < i && only_locks(all[i]); ++k) {
      if (only_locks(all[k]) && all[k].table == all[i].table) return true;
    }
  }
  return false;
}

struct number_field {
  std::uint32_t* number = nullptr;
  std::uint32_t begin = 0;  // 0 for an offset: it is counted from the text's beginning
  std::size_t text = 0;
};

struct field_list {
  std::vector<std::string*> texts;
  std::vector<number_field> numbers;

  std::size_t text(std::string& found) {
    texts.push_back(&found);
    return texts.size() - 1;
  }
  void offset(std::uint32_t& found, std::size_t text) { numbers.push_back({&found, 0, text}); }
  void size(std::uint32_t& found, std::uint32_t begin, std::size_t text) {
    numbers.push_back({&found, begin, text});
  }
};

}  // namespace

class template_maker {
 public:
  template_maker(const rule_book& book, parse_settings settings, const lifted_text& text)
      : book_{book}, settings_{settings}, text_{text} {}

  std::unique_ptr<const plan_template> make(const analysis& known) {
    if (!known.exact || !choose()) return nullptr;
    std::unique_ptr<plan_template> made{new plan_template};
    made->model_ = *book_.analyse(text_.with(stand_ins_), settings_);
    if (!made->model_.exact || has_doubtful_plan(made->model_) || !cut(*made)) return nullptr;
    for (std::size_t i = 0; i < lifted_.size(); ++i) {
      if (!lifted_[i]) made->kept_.push_back({static_cast<std::uint16_t>(i), std::string{text_.value(i)}});
    }
    if (!is_exact(*made, text_, known) || !is_exact_for_shortest(*made)) return nullptr;
    return made;
  }

 private:
  // Which literals are lifted, and what stands for each meanwhile.
  bool choose() {
    const auto& literals = text_.literals();
    for (std::size_t i = 0; i < literals.size(); ++i) stand_ins_.push_back(stand_in(literals[i].of, i));
    const auto sql = text_.with(stand_ins_);
    const bool clear = std::all_of(stand_ins_.begin(), stand_ins_.end(),
                                   [&](const std::string& one) { return occurs_once(sql, one); });
    const auto tokens = scan_all(sql);
    if (!clear || !tokens || nesting_of(sql, *tokens) > deepest_nesting) return false;
    const auto tree = parse_tree::parse(sql);
    if (!tree) return false;
    lifted_ = liftable(*tree, stand_ins_);
    for (std::size_t i = 0; i < lifted_.size(); ++i) {
      if (!lifted_[i]) stand_ins_[i] = text_.value(i);
    }
    return std::find(lifted_.begin(), lifted_.end(), true) != lifted_.end();
  }

  static bool has_doubtful_plan(const analysis& model) {
    return std::any_of(model.statements.begin(), model.statements.end(), [](const statement& one) {
      return locks_twice(one.in_block) || locks_twice(one.autonomous);
    });
  }

  struct found_literal {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    std::uint16_t literal = 0;
  };
  struct cut_text {
    std::vector<found_literal> literals;  // in the order they stand
    std::uint32_t first = 0;
  };

  bool cut(plan_template& made) {
    field_list fields;
    detail::each_field(fields, made.model_);
    std::vector<cut_text> texts;
    made.places_ = 1;
    for (std::size_t i = 0; i < fields.texts.size(); ++i) {
      texts.push_back({find_literals(*fields.texts[i]), made.places_});
      if (texts.back().literals.empty()) continue;
      add_text(made, i, *fields.texts[i], texts.back());
    }
    for (std::size_t i = 0; i < fields.numbers.size(); ++i) {
      if (!add_number(made, i, fields.numbers[i], texts[fields.numbers[i].text])) return false;
    }
    made.bytes_ = sizeof(plan_template) + sizeof(template_copy);
    for (const auto* each : fields.texts) made.bytes_ += each->size() + sizeof(std::string);
    made.bytes_ += fields.numbers.size() * sizeof(copied_text);
    // Each place may come to hold the longest value there is; the longest measured case was 5.6 times.
    constexpr std::size_t growth = 6;
    made.bytes_ *= growth;
    return true;
  }

  [[nodiscard]] std::vector<found_literal> find_literals(const std::string& in) const {
    std::vector<found_literal> found;
    for (std::size_t i = 0; i < lifted_.size(); ++i) {
      if (!lifted_[i]) continue;
      const auto& looked_for = stand_ins_[i];
      for (auto at = in.find(looked_for); at != std::string::npos;
           at = in.find(looked_for, at + looked_for.size())) {
        found.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(looked_for.size()),
                         static_cast<std::uint16_t>(i)});
      }
    }
    std::sort(found.begin(), found.end(),
              [](const found_literal& one, const found_literal& other) { return one.begin < other.begin; });
    return found;
  }

  static void add_text(plan_template& made, std::size_t field, const std::string& text, const cut_text& cut) {
    plan_template::text_part part;
    part.field = static_cast<std::uint32_t>(field);
    part.first = cut.first;
    std::size_t from = 0;
    for (const auto& each : cut.literals) {
      part.fixed.append(text, from, each.begin - from);
      part.slots.push_back({static_cast<std::uint32_t>(part.fixed.size()), each.literal});
      from = each.begin + each.size;
    }
    part.fixed.append(text, from);
    made.places_ += static_cast<std::uint32_t>(part.slots.size());
    made.texts_.push_back(std::move(part));
  }

  struct place {
    std::uint32_t fixed = 0;
    std::uint32_t pushed = 0;
  };

  // Nothing for a place inside a literal: no other value has it.
  static std::optional<place> place_of(std::uint32_t offset, const cut_text& text) {
    place found{offset, 0};
    for (std::size_t i = 0; i < text.literals.size(); ++i) {
      const auto& each = text.literals[i];
      if (offset <= each.begin) break;
      if (offset < each.begin + each.size) return std::nullopt;
      found.fixed -= each.size;
      found.pushed = text.first + static_cast<std::uint32_t>(i);
    }
    return found;
  }

  static bool add_number(plan_template& made, std::size_t field, const number_field& number,
                         const cut_text& text) {
    const auto begin = place_of(number.begin, text);
    const auto end = place_of(number.begin + *number.number, text);
    if (!begin || !end) return false;
    if (begin->pushed == end->pushed) return true;
    made.numbers_.push_back(
        {static_cast<std::uint32_t>(field), end->fixed - begin->fixed, end->pushed, begin->pushed});
    return true;
  }

  static bool is_exact(const plan_template& made, const lifted_text& text, const analysis& known) {
    const auto copy = made.copy();
    made.write(text, *copy);
    return copy->made() == known;
  }

  [[nodiscard]] bool is_exact_for_shortest(const plan_template& made) const {
    std::vector<std::string> values = stand_ins_;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (lifted_[i]) values[i] = shortest(text_.literals()[i].of);
    }
    const auto sql = text_.with(values);
    lifted_text taken;
    return taken.take(sql) && taken.frame() == text_.frame() && made.fits(taken) &&
           is_exact(made, taken, *book_.analyse(sql, settings_));
  }

  const rule_book& book_;
  parse_settings settings_;
  const lifted_text& text_;
  std::vector<std::string> stand_ins_;  // by literal; its own value where it is not lifted
  std::vector<bool> lifted_;
};

std::unique_ptr<const plan_template> plan_template::make(const rule_book& book, parse_settings settings,
                                                         const lifted_text& text, const analysis& known) {
  return template_maker{book, settings, text}.make(known);
}

bool plan_template::fits(const lifted_text& text) const noexcept {
  return std::all_of(kept_.begin(), kept_.end(),
                     [&](const kept_literal& one) { return text.value(one.literal) == one.value; });
}

std::unique_ptr<template_copy> plan_template::copy() const {
  auto made = std::make_unique<template_copy>(model_);
  field_list fields;
  detail::each_field(fields, made->made_);
  for (const auto& part : texts_) made->texts_.push_back(fields.texts[part.field]);
  for (const auto& part : numbers_) made->numbers_.push_back(fields.numbers[part.field].number);
  made->pushed_.resize(places_);
  return made;
}

void plan_template::write(const lifted_text& text, template_copy& into) const {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const auto& part = texts_[i];
    std::uint32_t pushed = 0;
    std::size_t place = part.first;
    for (const slot& each : part.slots) {
      pushed += text.literals()[each.literal].size;
      into.pushed_[place++] = pushed;
    }
    std::string& made = *into.texts_[i];
    made.resize(part.fixed.size() + pushed);
    char* to = made.data();
    const char* from = part.fixed.data();
    std::size_t at = 0;
    for (const slot& each : part.slots) {
      std::memcpy(to, from + at, each.at - at);
      to += each.at - at;
      at = each.at;
      const auto value = text.value(each.literal);
      std::memcpy(to, value.data(), value.size());
      to += value.size();
    }
    std::memcpy(to, from + at, part.fixed.size() - at);
  }
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    const auto& part = numbers_[i];
    *into.numbers_[i] = part.fixed + into.pushed_[part.plus] - into.pushed_[part.minus];
  }
}

}  // namespace rules
