// What an application does in one unit of work, step by step, and the shapes that client libraries give it.
// Knows no protocol and no answers.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace money {

class dice {
 public:
  explicit dice(unsigned seed) : random_(seed) {}
  /// From 0 to below `below`.
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  bool one_in(int count) { return pick(count) == 0; }

 private:
  std::mt19937 random_;
};

struct step {
  enum class type : std::uint8_t {
    begin,
    commit,
    rollback,
    savepoint,
    rollback_to,
    read,         // by key
    read_user,    // all rows of the row's user
    read_locked,  // FOR UPDATE
    write,        // what was read and `delta`
    add,          // relative
    add_if,       // relative, WHERE balance >= -delta
    add_user,     // relative, to all rows of the row's user
    remove,       // DELETE
  };
  type what = type::begin;
  std::int64_t row = 0;
  std::int64_t delta = 0;      // hundredths
  bool with_previous = false;  // sent in one go with the step before
};

struct unit {
  std::vector<step> steps;
};

/// What the rows are for: wallets are written, items are taken off.
struct estate {
  std::vector<std::int64_t> wallets;
  std::vector<std::int64_t> items;
};

/// One unit at random.
[[nodiscard]] unit any_unit(dice& random, const estate& of);
/// One that reads each row that it writes once, and writes it once: all that can be told of one client's
/// units when they come over any of its sessions.
[[nodiscard]] unit simple_unit(dice& random, const estate& of);
/// One that is safe without any guard.
[[nodiscard]] unit safe_unit(dice& random, const estate& of);

/// wallets' user of a row: several rows have the same.
[[nodiscard]] constexpr std::int64_t user_of(std::int64_t row) {
  return 10 + row / 2;
}

}  // namespace money
