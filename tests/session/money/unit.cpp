#include "tests/session/money/unit.hpp"

#include <utility>

namespace money {
namespace {

using type = step::type;

class shapes {
 public:
  shapes(dice& random, const estate& of) : random_(random), of_(of) {}

  unit any() {
    const std::int64_t row = wallet();
    switch (random_.pick(15)) {
      case 0:
      case 1:
        return {{read(row), write(row)}};
      case 2:  // read outside, write inside
        return {{read(row), {type::begin}, write(row), ends()}};
      case 3:  // all inside
        return {{{type::begin}, read(row), write(row), ends()}};
      case 4:  // check, then decrement
        return in_or_out({read(row), {type::add, row, -amount()}});
      case 5:
        return {{{type::add_if, row, -amount()}}};
      case 6:
        return transfer_by_adding();
      case 7:
        return transfer_by_writing();
      case 8:  // TypeORM's save: reads again and does not use it
        return in_or_out({read(row), {type::read, row}, write(row)});
      case 9:
        return with_savepoint(row);
      case 10:  // SQLAlchemy: the rollback does not make it forget
        return {{{type::begin}, read(row), {type::rollback}, {type::begin}, write(row), ends()}};
      case 11:
        return take_off();
      case 12:
        return in_or_out({{type::add_user, row, deposit()}});
      case 13:  // reads, and never writes
        return in_or_out({read(row)});
      default:  // a write that moves what was read, then another that rests on it
        return {{{type::begin}, read(row), {type::add, row, deposit()}, write(row), ends()}};
    }
  }

  unit simple() {
    const std::int64_t row = wallet();
    switch (random_.pick(8)) {
      case 0:
      case 1:
        return {{read(row), write(row)}};
      case 2:
        return {{read(row), {type::begin}, write(row), ends()}};
      case 3:
        return {{{type::begin}, read(row), write(row), ends()}};
      case 4:
        return {{{type::add_if, row, -amount()}}};
      case 5:
        return transfer_by_adding();
      case 6:
        return in_or_out({{type::add_user, row, deposit()}});
      default:
        return take_off();
    }
  }

  unit safe() {
    const std::int64_t row = wallet();
    if (random_.one_in(2)) return {{{type::add, row, deposit()}}};
    return {{{type::begin}, {type::read_locked, row}, {type::write, row, deposit()}, {type::commit}}};
  }

 private:
  std::int64_t wallet() {
    return of_.wallets[static_cast<std::size_t>(random_.pick(static_cast<int>(of_.wallets.size())))];
  }
  std::int64_t amount() { return 100 * (1 + random_.pick(60)); }
  std::int64_t deposit() { return 100 * (1 + random_.pick(9)); }
  step read(std::int64_t row) { return {random_.one_in(4) ? type::read_user : type::read, row}; }
  step write(std::int64_t row) { return {type::write, row, random_.one_in(2) ? deposit() : -amount()}; }
  step ends() { return {type::commit, 0, 0, random_.one_in(3)}; }

  unit in_or_out(std::vector<step> steps) {
    if (random_.one_in(2)) return {std::move(steps)};
    unit made{{{type::begin}}};
    steps.front().with_previous = random_.one_in(2);
    made.steps.insert(made.steps.end(), steps.begin(), steps.end());
    made.steps.push_back(ends());
    return made;
  }

  /// Adding may go in one batch, which is a transaction of its own.
  unit transfer_by_adding() {
    const std::int64_t from = wallet();
    const std::int64_t to = wallet();
    const std::int64_t sum = amount();
    if (random_.one_in(3)) return {{{type::add, from, -sum}, {type::add, to, sum, true}}};
    return {{{type::begin}, {type::add, from, -sum}, {type::add, to, sum}, ends()}};
  }

  unit transfer_by_writing() {
    const std::int64_t from = wallet();
    const std::int64_t to = wallet();
    const std::int64_t sum = amount();
    const step out{type::write, from, -sum};
    const step in{type::write, to, sum};
    switch (random_.pick(3)) {
      case 0:
        return {{{type::begin}, read(from), read(to), out, in, ends()}};
      case 1:
        return {{{type::begin}, read(from), out, read(to), in, ends()}};
      default:
        return {{read(from), read(to), {type::begin}, out, in, ends()}};
    }
  }

  unit with_savepoint(std::int64_t row) {
    const step back{type::rollback_to};
    switch (random_.pick(4)) {
      case 0:
        return {{{type::begin}, read(row), {type::savepoint}, write(row), back, write(row), ends()}};
      case 1:
        return {{{type::begin}, {type::savepoint}, read(row), back, write(row), ends()}};
      case 2:
        return {{read(row), {type::begin}, {type::savepoint}, write(row), back, write(row), ends()}};
      default:
        return {{{type::begin},
                 {type::savepoint},
                 {type::add, row, deposit()},
                 back,
                 read(row),
                 write(row),
                 ends()}};
    }
  }

  unit take_off() {
    const std::int64_t item =
        of_.items[static_cast<std::size_t>(random_.pick(static_cast<int>(of_.items.size())))];
    return in_or_out({{type::read, item}, {type::remove, item}});
  }

  dice& random_;
  const estate& of_;
};

}  // namespace

unit any_unit(dice& random, const estate& of) {
  return shapes(random, of).any();
}
unit simple_unit(dice& random, const estate& of) {
  return shapes(random, of).simple();
}
unit safe_unit(dice& random, const estate& of) {
  return shapes(random, of).safe();
}

}  // namespace money
