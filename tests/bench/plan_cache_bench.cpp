// What it takes to know what is to be done for a statement: by its text, by its text without literals, or by
// reading it.
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "proxy/session/plan_cache.hpp"
#include "tests/session/stage.hpp"

namespace {

using proxy::session::plan_cache;

constexpr std::string_view read = "SELECT balance FROM wallets WHERE id = ";
constexpr std::string_view update = "UPDATE wallets SET balance = balance - 12.50 WHERE id = ";
constexpr std::string_view insert =
    "INSERT INTO wallets (user_id, balance, owner) VALUES (7, 12.50, 'somebody'), (8, 0.75, 'else'), (9, "
    "100.00, "
    "'nobody'), (10, 1, '' || 'x'), (11, 2.25, 'who'), (12, 3, 'whom') RETURNING id + ";

constexpr std::string_view shape = "SELECT balance FROM wallets WHERE id = 5 ORDER BY a";

/// The statement with one number after another behind it; writing it costs some ten nanoseconds.
class texts {
 public:
  explicit texts(std::string_view begin) : text_(begin), begin_(begin.size()) {}

  std::string_view next() {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ++number_).ptr;
    text_.resize(begin_);
    return text_.append(digits.data(), end);
  }

 private:
  std::string text_;
  std::size_t begin_;
  std::uint32_t number_ = 0;
};

void exact_hit(benchmark::State& state, std::string_view begin) {
  const auto book = stage::book();
  plan_cache cache;
  const std::string text = std::string(begin) + "1";
  static_cast<void>(cache.look_up(book, text, {}));
  for (auto _ : state) benchmark::DoNotOptimize(cache.look_up(book, text, {}));
}

void lifted_hit(benchmark::State& state, std::string_view begin) {
  const auto book = stage::book();
  plan_cache cache;
  texts all(begin);
  for (int i = 0; i < 2; ++i) static_cast<void>(cache.look_up(book, all.next(), {}));
  std::size_t missed = 0;
  for (auto _ : state) {
    const auto found = cache.look_up(book, all.next(), {});
    if (!found.hit) ++missed;
    benchmark::DoNotOptimize(found);
  }
  if (missed > 0) state.SkipWithError("a text was analysed");
}

/// As it was before anything was lifted: one analysis, and no template.
void miss(benchmark::State& state, std::string_view begin) {
  const auto book = stage::book();
  texts all(begin);
  for (auto _ : state) benchmark::DoNotOptimize(book->analyse(all.next(), {}));
}

/// Each shape comes once: what looking for it adds to a miss.
void new_shape(benchmark::State& state) {
  const auto book = stage::book();
  plan_cache cache;
  texts all(shape);
  for (auto _ : state) benchmark::DoNotOptimize(cache.look_up(book, all.next(), {}));
}

/// Each shape comes twice: its template is made, and never used.
void shape_seen_twice(benchmark::State& state) {
  const auto book = stage::book();
  plan_cache cache;
  texts all(shape);
  std::string second;
  for (auto _ : state) {
    const auto first = all.next();
    benchmark::DoNotOptimize(cache.look_up(book, first, {}));
    second = first;
    second[second.find('5')] = '6';
    benchmark::DoNotOptimize(cache.look_up(book, second, {}));
  }
  state.SetItemsProcessed(2 * state.iterations());
}

BENCHMARK_CAPTURE(exact_hit, read, read);
BENCHMARK_CAPTURE(lifted_hit, read, read);
BENCHMARK_CAPTURE(miss, read, read);
BENCHMARK_CAPTURE(exact_hit, update, update);
BENCHMARK_CAPTURE(lifted_hit, update, update);
BENCHMARK_CAPTURE(miss, update, update);
BENCHMARK_CAPTURE(exact_hit, insert_of_six_rows, insert);
BENCHMARK_CAPTURE(lifted_hit, insert_of_six_rows, insert);
BENCHMARK_CAPTURE(miss, insert_of_six_rows, insert);
BENCHMARK_CAPTURE(miss, shape, shape);
BENCHMARK(new_shape);
BENCHMARK(shape_seen_twice);

}  // namespace

BENCHMARK_MAIN();
